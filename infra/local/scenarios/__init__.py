"""The scenarios of `make run`, each a stack and a story played on it.

`push` (the default), `life` and `reach` are in the `catalogue`; `own` pushes the person's own
documents, and sends their own events.
"""
