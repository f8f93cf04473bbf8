"""Cluster documents: parsed, checked, merged, and what they select. Pure."""
