"""Command line, local stack, tools, cluster permissions and examples; none of it is deployed."""
