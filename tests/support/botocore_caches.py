"""Results that botocore computes anew for each session and each client, kept for the process.

Each test that talks to AWS makes a session and several clients. Without these caches a quarter of
the CPU time of `tests/function` goes there. Every cached function depends on its arguments alone.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import botocore
from botocore import hooks, loaders
from botocore.utils import EVENT_ALIASES

_DATA = Path(botocore.__file__).parent / "data"


def install() -> None:
    """Have botocore use the caches from now on."""
    loaders.JSONFileLoader.load_file = _loaded_once(loaders.JSONFileLoader.load_file)
    hooks.EventAliaser.__init__ = _with_shared_names(hooks.EventAliaser.__init__)
    hooks.accepts_kwargs = _by_code(hooks.accepts_kwargs)


def _loaded_once(load: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Keep botocore's own data files; a file elsewhere, which a test may write, is always read."""
    read = functools.cache(lambda path: load(loaders.JSONFileLoader(), path))

    def load_file(self: Any, path: str) -> Any:
        return read(path) if Path(path).is_relative_to(_DATA) else load(self, path)

    return load_file


def _with_shared_names(initialize: Callable[..., None]) -> Callable[..., None]:
    """Share the map from events' names to their aliases, which each emitter has of its own."""
    names: dict[str, str] = {}

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        if self._event_aliases == EVENT_ALIASES:
            self._alias_name_cache = names

    return __init__


def _by_code(inspect_it: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Tell by a function's code whether it takes any keyword argument; inspect other callables."""

    def accepts_kwargs(handler: Any) -> Any:
        code = getattr(handler, "__code__", None)
        if isinstance(code, CodeType):
            return bool(code.co_flags & inspect.CO_VARKEYWORDS)
        return inspect_it(handler)

    return accepts_kwargs
