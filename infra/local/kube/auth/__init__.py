"""Who asks, and what they may do: EKS's sign-in, RBAC, and the reviews that answer a user both."""
