"""`make chaos`: rounds of random faults, each judged by what the clusters hold afterwards.

Run as `python -m tests.chaos`.
"""
