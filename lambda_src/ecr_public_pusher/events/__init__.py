"""Every shape of event and queue message, and the Request each becomes. Pure."""
