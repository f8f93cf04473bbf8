"""The ways to sign in side by side, private registries in the same Secret, and a discovery."""

from .stack import ReachStack
from .story import reach

__all__ = ["ReachStack", "reach"]
