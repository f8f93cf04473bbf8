"""Results that libraries compute anew for each test, kept for the process.

Each test that talks to AWS makes a botocore session and several clients, and each one that runs the
command line in this process has typer read all commands. Without these caches a quarter of the CPU
time goes there. Every cached function depends on its arguments alone.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import botocore
import typer.testing
from botocore import client, hooks, loaders, session
from botocore.utils import EVENT_ALIASES

_DATA = Path(botocore.__file__).parent / "data"


def install() -> None:
    """Have botocore and typer use the caches from now on."""
    loaders.JSONFileLoader.load_file = _loaded_once(loaders.JSONFileLoader.load_file)
    session.create_loader = functools.cache(session.create_loader)
    client.ClientCreator._create_client_class = _by_service(
        client.ClientCreator._create_client_class
    )
    hooks._PrefixTrie._recursive_copy = _copied
    commands: Any = typer.testing
    commands._get_command = functools.cache(commands._get_command)
    hooks.EventAliaser.__init__ = _with_shared_names(hooks.EventAliaser.__init__)
    hooks.accepts_kwargs = _by_code(hooks.accepts_kwargs)


def _loaded_once(load: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Keep botocore's own data files; a file elsewhere, which a test may write, is always read."""
    read = functools.cache(lambda path: load(loaders.JSONFileLoader(), path))

    def load_file(self: Any, path: str) -> Any:
        return read(path) if Path(path).is_relative_to(_DATA) else load(self, path)

    return load_file


def _by_service(create: Callable[..., type]) -> Callable[..., type]:
    """Keep a service's client class, which is made of its model alone."""
    made: dict[str, type] = {}

    def _create_client_class(self: Any, service_name: str, service_model: Any) -> type:
        if service_name not in made:
            made[service_name] = create(self, service_name, service_model)
        return made[service_name]

    return _create_client_class


def _copied(self: Any, node: dict[str, Any]) -> dict[str, Any]:
    """Copy the handlers of a client's events: a third of the time of botocore's own copy."""
    return {
        key: hooks.NodeList(value.first[:], value.middle[:], value.last[:])
        if type(value) is hooks.NodeList
        else _copied(self, value)
        if type(value) is dict
        else value
        for key, value in node.items()
    }


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
