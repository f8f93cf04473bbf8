"""`make bench`: what a push costs, beside the least that could do and beside the way it was done before. Run as `python -m tests.bench`."""
