"""Mutation run: small faults put into the function, and whether the tests notice each."""
