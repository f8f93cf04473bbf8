"""A kubeconfig's contexts as clusters to import: which are EKS, and what the others allow."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from ecr_public_pusher.configuration.eks_host import eks_region
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint

from ..onboarding.kubeconfig import Context, Entry

AUTHENTICATORS = ("aws-iam-authenticator", "heptio-authenticator-aws")
GKE = "gke-gcloud-auth-plugin"
# What gcloud wrote before there was the plugin.
_GKE_AUTH_PROVIDER = "gcp"
# A DNS-based endpoint; others are addresses.
_GKE_DOMAIN = ".gke.goog"
# `aws eks update-kubeconfig` names context, cluster and user by the ARN.
_ARN = re.compile(r"arn:aws[a-z-]*:eks:([a-z0-9-]+):([0-9]{12}):cluster/([0-9A-Za-z][\w-]*)")
# eksctl's name of the cluster.
_EKSCTL = re.compile(r"^([0-9A-Za-z][A-Za-z0-9-]*)\.([a-z0-9-]+)\.eksctl\.io$")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):")
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_UNSAFE = {
    "insecure-skip-tls-verify": (
        "it does not verify the server's certificate (insecure-skip-tls-verify), so tokens would"
        " be sent to any server that responds"
    ),
    "proxy-url": "it goes through a proxy (proxy-url), and the function connects directly",
    "tls-server-name": "its certificate is of another name than the server's (tls-server-name)",
}
# Ways to sign in that cannot be stored as a kubeconfig for the function.
_NOT_STORABLE = ("exec", "auth-provider", "username", "password", "tokenFile")


@dataclass(frozen=True)
class EksName:
    """An EKS cluster as a context names it. A part that it does not tell is empty.

    `profile` is the AWS profile of its credential plugin.
    """

    name: str = ""
    region: str = ""
    account: str = ""
    profile: str = ""

    def or_else(self, other: "EksName") -> "EksName":
        """Return this name, completed by another."""
        return EksName(
            self.name or other.name,
            self.region or other.region,
            self.account or other.account,
            self.profile or other.profile,
        )


@dataclass(frozen=True)
class ImportedContext:
    """A context to import.

    `eks` is None if it is certainly not EKS; `certainly_eks` if nothing else is possible.
    `authenticator_id` is the clusterID of its aws-iam-authenticator. `gke`: it is certainly GKE.
    `problem` tells why it cannot be imported unless it is EKS, `not_storable` why its user cannot
    be stored as a kubeconfig.
    """

    place: Context
    eks: EksName | None = None
    certainly_eks: bool = False
    authenticator_id: str = ""
    gke: bool = False
    problem: str = ""
    not_storable: str = ""

    @property
    def name(self) -> str:
        return self.place.name


def imported(entry: Entry) -> ImportedContext:
    """Return the context to import; nothing of a user's credentials is kept."""
    context = entry.context
    plugin = _Plugin.of(entry.user)
    named = plugin.eks
    for text in (*entry.names, context.name):
        named = named.or_else(_named_by(text))
    of_host = eks_region(context.server) or ""
    certainly = bool(of_host or plugin.is_eks or any(map(_ARN.search, entry.names)))
    named = EksName(region=of_host).or_else(named) if of_host else named
    return ImportedContext(
        context,
        named if certainly or plugin.authenticator_id else None,
        certainly,
        plugin.authenticator_id,
        plugin.gke or _is_gke(entry),
        _problem(entry),
        _not_storable(entry.user),
    )


@dataclass(frozen=True)
class _Plugin:
    """A user's credential plugin."""

    eks: EksName = EksName()
    is_eks: bool = False
    authenticator_id: str = ""
    gke: bool = False

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> "_Plugin":
        plugin = user.get("exec")
        if not isinstance(plugin, Mapping):
            return cls()
        words = list(_words(plugin))
        environ = _environ(plugin)
        account = next((found[1] for word in words if (found := _ROLE.search(word))), "")
        name = EksName(
            region=_option(words, "--region")
            or next((environ[one] for one in _REGION_VARIABLES if environ.get(one)), ""),
            account=account,
            profile=_option(words, "--profile") or environ.get("AWS_PROFILE", ""),
        )
        if "eks" in words and "get-token" in words:
            # `--cluster-id` is of a local cluster on an Outpost, whose name it does not tell.
            cluster = _option(words, "--cluster-name")
            return cls(EksName(cluster).or_else(name), is_eks=True)
        if any(PurePath(word).name.removesuffix(".exe") in AUTHENTICATORS for word in words):
            cluster = _option(words, "--cluster-id", "-i")
            return cls(EksName(cluster).or_else(name), authenticator_id=cluster)
        return cls(gke=any(PurePath(word).name.removesuffix(".exe") == GKE for word in words))


def _words(plugin: Mapping[str, Any]) -> Iterator[str]:
    """Yield the command and its arguments; those within a shell's script too."""
    arguments = plugin.get("args")
    for word in (plugin.get("command"), *(arguments if isinstance(arguments, list) else ())):
        text = "" if word is None else str(word)
        try:
            yield from shlex.split(text) if " " in text else (text,)
        except ValueError:
            yield text


def _environ(plugin: Mapping[str, Any]) -> dict[str, str]:
    given = plugin.get("env")
    return {
        str(one["name"]): str(one["value"])
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, Mapping) and one.get("name") and one.get("value")
    }


def _option(words: Sequence[str], *names: str) -> str:
    """Return an option's value, as `--name value` or `--name=value`; empty if it is not given."""
    for number, word in enumerate(words):
        if word in names:
            return words[number + 1] if number + 1 < len(words) else ""
        if (parts := word.partition("="))[1] and parts[0] in names:
            return parts[2]
    return ""


def _named_by(text: str) -> EksName:
    if found := _ARN.search(text):
        return EksName(found[3], found[1], found[2])
    if found := _EKSCTL.match(text):
        return EksName(found[1], found[2])
    return EksName()


def _host(context: Context) -> str:
    try:
        return urlsplit(context.server).hostname or ""
    except ValueError:
        return ""


def _is_gke(entry: Entry) -> bool:
    provider = entry.user.get("auth-provider")
    by_gcloud = isinstance(provider, Mapping) and provider.get("name") == _GKE_AUTH_PROVIDER
    return by_gcloud or _host(entry.context).endswith(_GKE_DOMAIN)


def _problem(entry: Entry) -> str:
    if not entry.cluster:
        return "the kubeconfig has no cluster of the name that it refers to"
    if not entry.context.server:
        return "its cluster has no server"
    for name, reason in _UNSAFE.items():
        if entry.cluster.get(name) not in (None, "", False):
            return reason
    try:
        normal_endpoint(entry.context.server)
    except ValueError as error:
        return f"server: {error}"
    named = any(
        entry.cluster.get(name) for name in ("certificate-authority", "certificate-authority-data")
    )
    if named and not entry.context.ca:
        return "its certificate authority cannot be read"
    return ""


def _not_storable(user: Mapping[str, Any]) -> str:
    if name := next((one for one in _NOT_STORABLE if user.get(one)), None):
        return f"its user signs in by {name}"
    held = ("token", "client-certificate", "client-certificate-data")
    return "" if any(user.get(one) for one in held) else "its user has no credential"
