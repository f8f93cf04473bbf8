"""`make month`: simulated weeks of the function in its AWS, with outages, judged.

Run as `python -m tests.month`.
"""
