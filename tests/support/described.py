"""A cluster as EKS describes it, whatever answers at its endpoint."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Described:
    """The part of a cluster that EKS describes."""

    name: str
    endpoint: str
    ca_pem: str
