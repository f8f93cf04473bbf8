"""The command of `make run`: arguments, the stack with the built function, a scenario or an event."""
