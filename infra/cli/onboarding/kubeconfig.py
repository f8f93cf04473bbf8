"""A person's kubeconfig, and which of its contexts leads to a given cluster."""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from ecr_public_pusher.configuration.pem import certificates

from ..errors import CliError
from ..follow_up import view_kubeconfig

# The client's errors for a file that is no kubeconfig; RecursionError when nested too deep.
_UNREADABLE = (
    *(yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError),
    RecursionError,
)


@dataclass(frozen=True)
class Context:
    """A context's name and the API server it leads to.

    `ca` is its certificate authority in PEM, empty when the kubeconfig has none.
    """

    name: str
    server: str
    ca: bytes = field(default=b"", repr=False)

    def leads_to(self, endpoint: str, ca: bytes) -> bool:
        """Return whether the context leads to the cluster with that endpoint and authority.

        Compare host, port and path; or, through a tunnel or proxy, the certificate authority. A
        gateway that serves many clusters, each under a path, has one authority for all: there
        only the address counts.
        """
        here = _place(self.server)
        there = _place(endpoint)
        return here == there or bool(
            not here.path and not there.path and ca.strip() and _normal(self.ca) == _normal(ca)
        )


@dataclass(frozen=True)
class Kubeconfig:
    """All contexts of one or several files, and the current one's name."""

    contexts: Sequence[Context]
    current: str | None

    def find(self, name: str) -> Context:
        """Return the context of that name. Raise CliError when there is none."""
        if found := next((context for context in self.contexts if context.name == name), None):
            return found
        known = ", ".join(context.name for context in self.contexts[:20]) or "none"
        raise CliError(
            f"Your kubeconfig has no context {name}.",
            remedy=f"Contexts: {known}. See --context and --kubeconfig.",
        )

    def leading_to(self, endpoint: str, ca: bytes) -> Context | None:
        """Return the current context if it leads there, else the first that does, else None."""
        ordered = sorted(self.contexts, key=lambda context: context.name != self.current)
        return next((context for context in ordered if context.leads_to(endpoint, ca)), None)


def kubeconfig_files(given: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the kubeconfig's files as kubectl chooses them, in the form of KUBECONFIG."""
    if given is not None:
        return str(given)
    return environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")


def read_kubeconfig(files: str) -> Kubeconfig | None:
    """Read the kubeconfig; return None when no file exists.

    Raise CliError for a file that cannot be read.
    """
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KubeConfigMerger

    if not any(Path(name).expanduser().is_file() for name in files.split(os.pathsep) if name):
        return None
    try:
        merged = KubeConfigMerger(files).config
        clusters = {one.value["name"]: one for one in merged.value["clusters"]}
        contexts = [_context(one.value, clusters) for one in merged.value["contexts"]]
    except (ConfigException, *_UNREADABLE) as error:
        raise CliError(
            f"The kubeconfig {files} cannot be read ({type(error).__name__}).",
            remedy=f"Try: {view_kubeconfig(files)}",
        ) from None
    return Kubeconfig(contexts, merged.value.get("current-context") or None)


def _context(one: Mapping[str, Any], clusters: Mapping[str, Any]) -> Context:
    """Return a context. `clusters` are the client's nodes, which know their file."""
    node = clusters.get(one["context"]["cluster"])
    if node is None:
        return Context(one["name"], "")
    cluster = node.value["cluster"]
    return Context(
        one["name"], str(cluster.get("server", "")), _authority(cluster, Path(node.path).parent)
    )


def _authority(cluster: Mapping[str, Any], folder: Path) -> bytes:
    try:
        if data := cluster.get("certificate-authority-data"):
            return base64.b64decode(data)
        if name := cluster.get("certificate-authority"):
            return Path(folder, str(name)).read_bytes()
    except (OSError, binascii.Error, ValueError):
        return b""
    return b""


class _Place(NamedTuple):
    host: str
    port: int
    path: str = ""


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        return _Place((parts.hostname or "").lower(), parts.port or 443, parts.path.strip("/"))
    except ValueError:
        return _Place(url, 0)


def _normal(ca: bytes) -> str:
    """Return the certificates in one form, without the text around them."""
    text = ca.decode("latin-1")
    try:
        return "".join(certificates(text))
    except ValueError:
        return text.strip()
