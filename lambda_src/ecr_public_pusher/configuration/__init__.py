"""The documents in Parameter Store: read, checked, merged, and what they select."""
