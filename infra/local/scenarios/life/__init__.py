"""A namespace's whole life on one cluster."""

from .stack import LifeStack
from .story import live

__all__ = ["LifeStack", "live"]
