"""A person's own documents, pushed to clusters made up to fit them; a person's own events."""

from .event import send
from .push import push_documents
from .stack import OwnStack

__all__ = ["OwnStack", "push_documents", "send"]
