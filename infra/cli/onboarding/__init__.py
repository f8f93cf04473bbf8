"""The steps that make a cluster ready for the function: access entry, RBAC, document."""
