"""`make soak`: whether a warm function stays as it was over hundreds of invocations.

Run as `python -m tests.soak`.
"""
