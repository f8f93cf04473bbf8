"""Field ownership: server-side apply, managedFields, and patches."""
