"""What `make run` does: reads its arguments, starts the stack with the built function in it, plays
a scenario or sends an event, shows it.
"""
