"""A person's own documents, pushed to clusters made up to fit them."""

from .stack import OwnStack

__all__ = ["OwnStack"]
