"""Two pushes to two clusters in two regions and accounts, and what they leave there."""

from .stack import PushStack
from .story import demonstrate

__all__ = ["PushStack", "demonstrate"]
