"""Kinds of sign-in to a cluster, one module for each; each yields a ClusterAccess."""
