"""The AWS SDK, in one place: clients, assumed roles, and error codes that are safe to print."""
