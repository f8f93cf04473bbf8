"""One invocation, start to end: runs what an event asks for, puts failed clusters on the retry
queue, publishes the result.
"""
