"""Speaks Kubernetes over one cluster's own connections. Knows no AWS and no configuration."""
