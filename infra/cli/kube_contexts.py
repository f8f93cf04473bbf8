"""The names of a kubeconfig's contexts, read without the official client, which takes long."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def contexts(given: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Return the contexts of `given`, or of the files that kubectl reads.

    None of a file that cannot be read.
    """
    files = str(given) if given else environ.get("KUBECONFIG") or "~/.kube/config"
    return sorted({name for file in files.split(os.pathsep) if file for name in _names(file)})


def _names(file: str) -> list[str]:
    try:
        text = Path(file).expanduser().read_text("utf-8")
        read: Any = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        return [str(one["name"]) for one in read["contexts"]]
    except (OSError, RuntimeError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return []
