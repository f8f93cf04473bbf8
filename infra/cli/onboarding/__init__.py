"""What makes a cluster ready for the function: its access entry, its RBAC, its document; each step
says what it would do, did, or could not do.
"""
