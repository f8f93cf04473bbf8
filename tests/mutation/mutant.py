"""A mutant: one module of the function with one small fault."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PACKAGES = (
    "jobs", "kubernetes_api", "sign_in", "registries", "configuration", "invocation", "events",
)  # fmt: skip
SOURCE = Path("lambda_src/ecr_public_pusher")


@dataclass(frozen=True)
class Mutant:
    """One changed expression of a module.

    `key` stays while its line stays, whatever changes around it; that of a call over several lines
    may become another mutant's. `lines` are those of its statement, and `function` those of its
    function: None at a module's or class's level, whose code runs on import.
    """

    key: str
    module: str
    lines: range
    function: range | None
    text: str
    diff: str

    @property
    def changed(self) -> tuple[str, str]:
        """Return what was there and what is there instead, without indentation and line ends."""
        return changed_by(self.diff)


def changed_by(diff: str) -> tuple[str, str]:
    """Return the lines that a diff removes, and those that it adds, each in one line."""
    lines = diff.splitlines()[2:]
    return _joined(lines, "-"), _joined(lines, "+")


def _joined(lines: Iterable[str], sign: str) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(sign))
