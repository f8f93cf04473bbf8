"""One invocation, start to end: run the request, queue failed clusters, publish the result."""
