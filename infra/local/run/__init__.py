"""The command of `make run`: arguments, a stack with the built function, a scenario or an event."""
