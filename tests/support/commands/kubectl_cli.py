"""The command kubectl, by the flags that its own help names.

`python -m tests.support.commands.kubectl_cli` asks it, and writes them to kubectl-flags.json.
"""

import functools
import json
import re
import subprocess
from pathlib import Path

from tests.support.commands.options import Option, take_apart
from tests.support.commands.shell import Command, Word

_TABLE = Path(__file__).with_name("kubectl-flags.json")
_NAMES = (
    "annotate, api-resources, apply, auth can-i, auth whoami, cluster-info, config current-context,"
    " config delete-context, config get-contexts, config rename-context, config use-context, config"
    " view, create clusterrole, create clusterrolebinding, create namespace, create role, create"
    " rolebinding, create secret docker-registry, create serviceaccount, delete, describe, diff,"
    " edit, explain, get, kustomize, label, logs, patch, rollout restart, rollout status, run,"
    " scale, version, wait"
)
_COMMANDS = _NAMES.split(", ")
# None of our commands uses these without a value; pflag takes a value for them after `=` only.
_ATTACHED = frozenset({"--cascade", "--dry-run", "--validate", "--show-events"})


def judge(command: Command) -> list[str]:
    """Return the problems of `kubectl COMMAND ...`. Flags may stand before the command."""
    table = _flags()
    words = list(command.words)
    options = {name: _option(name, kind) for name, kind in table[""].items()}
    names = [word.text for word in take_apart(words, options).positional]
    path = next(
        (" ".join(names[:length]) for length in (3, 2, 1) if " ".join(names[:length]) in table), ""
    )
    if not path:
        return [f"kubectl {' '.join(names[:1])} is not a command known here"]
    parsed = take_apart(
        words, options | {name: _option(name, kind) for name, kind in table[path].items()}
    )
    return [
        *parsed.problems,
        *_few(path, parsed.positional[len(path.split()) :], set(parsed.given)),
    ]


def names_context(command: Command) -> bool:
    """Return whether the command names its cluster."""
    return command.option("--context", "--kubeconfig") is not None or "config" in (
        word.text for word in command.words[:1]
    )


def _few(path: str, positional: tuple[Word, ...], given: set[str]) -> list[str]:
    """Return the problems of commands that lack a name or a file and would do nothing."""
    if any(word.open for word in positional):
        return []
    files = given & {"-f", "--filename", "-k", "--kustomize"}
    if path in ("apply", "diff"):
        return [] if files else ["names no file"]
    if (
        path in ("get", "delete", "describe", "patch", "edit", "label", "annotate")
        and not positional
        and not files
        and "--raw" not in given
    ):
        return ["names no resource"]
    if path.startswith("create ") and given & {"--as", "--as-group"}:
        return [
            "creates as the function, whose rights by resourceNames allow an apply only: a POST"
            " names no object"
        ]
    if path.startswith("create "):
        return (
            []
            if len(positional) == 1
            else ["names more than one object" if positional else "names no object"]
        )
    return []


def _option(name: str, kind: str) -> Option:
    if name in _ATTACHED:
        return Option(attached=True)
    return Option(values=0 if kind == "bool" else 1)


@functools.cache
def _flags() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_TABLE.read_text())
    return table


def asked() -> dict[str, dict[str, str]]:
    """Return the flags of the kubectl that is installed; under "" those of every command."""
    return {"": _of("options")} | {
        command: _of(*command.split(), "--help") for command in _COMMANDS
    }


def _of(*words: str) -> dict[str, str]:
    help_text = subprocess.run(
        ["kubectl", *words], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(r"^    (?:(-\w), )?(--[\w-]+)=(.*):$", help_text, flags=re.MULTILINE)
    return {
        name: "bool" if default in ("true", "false") else "value"
        for short, long, default in found
        for name in (short, long)
        if name
    }


if __name__ == "__main__":
    _TABLE.write_text(json.dumps(asked(), indent=1) + "\n")
