"""The third scenario: the ways to sign in side by side, private registries in the same Secret, and
clusters found by their tags.
"""

from .stack import ReachStack
from .story import reach

__all__ = ["ReachStack", "reach"]
