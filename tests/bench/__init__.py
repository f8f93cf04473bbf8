"""`make bench`: what a push costs, beside the least that could do and beside other ways.

Run as `python -m tests.bench`.
"""
