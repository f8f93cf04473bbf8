"""The documents in Parameter Store: reading, validation, defaults, and what they select."""
