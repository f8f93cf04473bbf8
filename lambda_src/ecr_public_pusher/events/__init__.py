"""The shapes of events and queue messages, and the requests that they make. Pure."""
