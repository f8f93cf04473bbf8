"""Cluster documents: parsing, validation, defaults, and what they select. Pure."""
