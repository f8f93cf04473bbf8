"""Who owns which field: server-side apply, managedFields, and the patches that change them."""
