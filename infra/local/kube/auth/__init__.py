"""Authentication and authorisation: EKS's sign-in, RBAC, and self reviews."""
