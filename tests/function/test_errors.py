"""The errors' names are public: each that can stand in a report is documented."""

from pathlib import Path

import pytest

from ecr_public_pusher.errors import PusherError

REFERENCE = Path(__file__).parents[2] / "docs/report.md"


def kinds(base: type[PusherError]) -> list[type[PusherError]]:
    return [kind for one in base.__subclasses__() for kind in (one, *kinds(one))]


def code(kind: type[PusherError]) -> str:
    """Return the error's name in a report, without making one: its own, or an alias."""
    return kind.code if isinstance(kind.code, str) else kind.__name__


@pytest.mark.parametrize("kind", kinds(PusherError), ids=lambda kind: kind.__name__)
def test_each_error_is_in_the_tables_of_errors(kind: type[PusherError]) -> None:
    assert f"| `{code(kind)}` |" in REFERENCE.read_text()
    assert kind.__doc__
