"""How a cluster is signed in to: one module for each kind, each yields a ClusterAccess."""
