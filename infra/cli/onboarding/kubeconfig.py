"""A person's kubeconfig, and which of its contexts leads to a given cluster."""

import base64
import binascii
import os
import threading
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
UNREADABLE = (
    *(yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError),
    RecursionError,
)
_WRITING = threading.Lock()


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


@dataclass(frozen=True)
class Entry:
    """A context with its cluster and user as the kubeconfig holds them, empty where it holds none.

    `names` are those of its cluster and its user.
    """

    context: Context
    names: tuple[str, str]
    cluster: Mapping[str, Any] = field(repr=False)
    user: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Entries:
    """All contexts of one or several files, and the current one's name."""

    all: Sequence[Entry]
    current: str | None

    @property
    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig([entry.context for entry in self.all], self.current)


def read_kubeconfig(files: str) -> Kubeconfig | None:
    """Read the kubeconfig; return None when no file exists.

    Raise CliError for a file that cannot be read.
    """
    found = read_entries(files)
    return found.kubeconfig if found else None


def read_entries(files: str) -> Entries | None:
    """Read the kubeconfig, as `read_kubeconfig` does, with clusters and users as they are."""
    from kubernetes.config.config_exception import ConfigException

    if not any(Path(name).expanduser().is_file() for name in files.split(os.pathsep) if name):
        return None
    try:
        merged = merge(files)
        clusters, users = _clusters_and_users(merged)
        entries = [_entry(one.value, clusters, users) for one in merged.value["contexts"]]
    except (ConfigException, *UNREADABLE) as error:
        raise CliError(
            f"The kubeconfig {files} cannot be read ({type(error).__name__}).",
            remedy=f"Try: {view_kubeconfig(files)}",
        ) from None
    return Entries(entries, merged.value.get("current-context") or None)


def merge(files: str) -> Any:
    """Return the files as one kubeconfig, in the official client's own form.

    Raise ConfigException, or one of UNREADABLE, for a file that cannot be read.
    """
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KubeConfigMerger

    merged = KubeConfigMerger(files).config
    if merged is None:
        raise ConfigException(f"{files} does not exist")
    return merged


def write_data_files(merged: Any, context: str) -> None:
    """Have the official client write the certificates and the key that stand in a kubeconfig.

    It keeps such a file for all that have the same content, and gives its name away before it has
    written it: two threads at that, and one finds it empty.
    """
    from kubernetes.config.kube_config import FileOrData

    clusters, users = _clusters_and_users(merged)
    for one in merged.value["contexts"]:
        if one.value["name"] != context:
            continue
        entry = _entry(one.value, clusters, users)
        with _WRITING:
            for part, name in (
                (entry.cluster, "certificate-authority"),
                (entry.user, "client-certificate"),
                (entry.user, "client-key"),
            ):
                if f"{name}-data" in part:
                    FileOrData(part, name).as_file()


def _clusters_and_users(merged: Any) -> list[dict[str, Any]]:
    """Return both by their names, in the client's nodes, which know their file."""
    return [
        {one.value["name"]: one for one in merged.value.get(kind) or ()}
        for kind in ("clusters", "users")
    ]


def _entry(one: Mapping[str, Any], clusters: Mapping[str, Any], users: Mapping[str, Any]) -> Entry:
    names = (str(one["context"]["cluster"]), str(one["context"].get("user", "")))
    node, user = clusters.get(names[0]), users.get(names[1])
    cluster = node.value["cluster"] if node is not None else {}
    context = Context(one["name"], "")
    if node is not None:
        authority = _authority(cluster, Path(node.path).parent)
        context = Context(one["name"], str(cluster.get("server") or ""), authority)
    found = user.value.get("user") if user is not None else None
    return Entry(context, names, cluster, found if isinstance(found, Mapping) else {})


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
