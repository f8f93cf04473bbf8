"""What `make run` shows, each with a stack and a story of its own.

`push` (the default), `life` and `reach` are in the `catalogue`; `own` is the person's own documents
and events.
"""
