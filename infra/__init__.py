"""What stands around the function: cluster permissions, the local stack, examples.

Nothing here is deployed with it.
"""
