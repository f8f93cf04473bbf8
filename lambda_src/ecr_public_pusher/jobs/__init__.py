"""Jobs done in a cluster (push, sweep, remove, check) and the explanation of their results."""
