"""The same world as the function's own tests have."""

from tests.function.conftest import world

__all__ = ["world"]
