"""Stored objects: held in memory, defaulted, validated, selected and listed as the server does."""
