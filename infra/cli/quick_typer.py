"""Typer without the slow imports that a shell's completion and `--help` do not need.

Typer converts every value by pydantic, also one that is not given, and reads the descriptions of
completions by rich. Both take longer to import than everything else that these do. Typer has no
setting for it, so two of its functions are replaced here; the release is pinned.
"""

from typing import Any

from typer import Context, _completion_classes
from typer.core import TyperArgument, TyperOption

type _Parameter = TyperArgument | TyperOption


def make_typer_quick() -> None:
    """Have Typer convert only values that are given, and show descriptions as they are."""
    TyperOption.process_value = _process  # type: ignore[method-assign, assignment]
    TyperArgument.process_value = _process  # type: ignore[method-assign, assignment]
    # Descriptions of completions are first sentences, which hold no markup.
    _completion_classes._sanitize_help_text = lambda text: text  # noqa: SLF001


_convert = TyperOption.process_value


def _process(parameter: _Parameter, ctx: Context, value: Any) -> Any:
    """Return a parameter's value, converted if there is one."""
    if ctx.resilient_parsing:  # a completion, which looks at texts only
        return value
    if value is not None or parameter.required:
        return _convert(parameter, ctx, value)
    is_list = parameter.nargs == -1 or (isinstance(parameter, TyperOption) and parameter.multiple)
    nothing = () if is_list else None
    return parameter.callback(ctx, parameter, nothing) if parameter.callback else nothing
