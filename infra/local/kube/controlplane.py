"""A real control plane: etcd and kube-apiserver on loopback, with EKS's sign-in as a webhook.

Their binaries are in the folder that KUBEBUILDER_ASSETS names. The embedded server is compared with
them. There are no controllers, as when the contract was recorded.
"""

import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import urllib3

from ..identity import AccessEntry, CredentialLookup
from ..processes import bound, free_ports, stop
from . import certificates
from .auth.authn import Authenticator
from .auth.authz import MASTERS, UserInfo
from .auth.jwts import TokenVerifier, TrustedIssuer, configuration
from .auth.webhook import Webhook
from .auth.x509 import ClientAuthority
from .certificates import Certificate
from .cluster import Administered, Cluster, ClusterError, Intercept, SeenRequest
from .embedded import EmbeddedCluster
from .flags import AUTHENTICATION, etcd_flags, server_flags, write_files
from .http.client import AdminClient
from .kinds import Object
from .storage.bootstrap import NAMESPACE_NAMES

ASSETS = "KUBEBUILDER_ASSETS"
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1
LOG_LINES = 20
PORT_TRIES = 5
RELOADS = re.compile(
    r'^apiserver_authentication_config_controller_automatic_reloads_total\{.*status="(\w+)".*\}'
    r" (\S+)$",
    re.MULTILINE,
)
METHODS = {
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}


class PortTaken(ClusterError):
    """A port that another process took between its choice and its use."""


class ControlPlane(Administered):
    """A real control plane.

    `requests` comes from its audit log: no bodies, and of the headers the user agent only.
    """

    intercept: Intercept | None = None
    """Always None: a real API server cannot be intercepted."""

    compaction_seconds = 16.0
    """Seconds until kube-apiserver's cache, which polls every 15, follows a compaction of etcd."""

    def __init__(
        self,
        name: str,
        *,
        credentials: CredentialLookup,
        access_entries: Iterable[AccessEntry] = (),
        region: str = "us-east-1",
        ca: certificates.Style = "modern",
        static_tokens: Mapping[str, UserInfo] | None = None,
        port: int = 0,
        assets: Path | None = None,
        issuers: Sequence[TrustedIssuer] = (),
        google: TokenVerifier | None = None,
    ) -> None:
        binaries = _binaries(assets or Path(os.environ.get(ASSETS, "")))
        self.name = name
        self.region = region
        self._admin_token = secrets.token_urlsafe(24)
        tokens = {
            **(static_tokens or {}),
            self._admin_token: UserInfo("local-admin", "local-admin", (MASTERS,)),
        }
        authenticator = Authenticator(
            name,
            credentials=credentials,
            access_entries=access_entries,
            region=region,
            static_tokens={},
            google=google,
        )
        self.sign_in_failures = authenticator.failures
        self.access_entries = authenticator.access_entries
        self._clients = ClientAuthority(name)
        certificate = certificates.issue(name, ca)
        self.ca_pem = certificate.ca_pem
        for tries_left in reversed(range(PORT_TRIES)):
            try:
                self._start(binaries, authenticator, certificate, tokens, port)
                break
            except PortTaken:
                if port or not tries_left:
                    raise
        try:
            if issuers:
                self.trust(*issuers)
        except BaseException:
            self.close()
            raise

    def _start(
        self,
        binaries: Mapping[str, Path],
        authenticator: Authenticator,
        certificate: Certificate,
        tokens: Mapping[str, UserInfo],
        port: int,
    ) -> None:
        """Start both processes. Raise PortTaken when another process took a free port first."""
        self._processes: list[subprocess.Popen[bytes]] = []
        with contextlib.ExitStack() as opened:
            self._folder = Path(tempfile.mkdtemp(prefix="local-kube-"))
            opened.callback(shutil.rmtree, self._folder, ignore_errors=True)
            webhook = Webhook(authenticator)
            opened.callback(webhook.close)
            free, etcd, peer = free_ports(3)
            port = port or free
            self._etcd_url = f"http://127.0.0.1:{etcd}"
            self.endpoint = f"https://127.0.0.1:{port}"
            write_files(self._folder, certificate, webhook, tokens, self._clients.ca_pem)
            self._run(
                opened, "etcd", [str(binaries["etcd"]), *etcd_flags(self._folder, etcd, peer)]
            )
            self._run(
                opened,
                "kube-apiserver",
                [str(binaries["kube-apiserver"]), *server_flags(self._folder, port, etcd)],
            )
            self._client = AdminClient(self.endpoint, self.ca_pem, self._admin_token)
            opened.callback(self._client.close)
            self._wait()
            self._opened = opened.pop_all()

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests answered so far, read from the audit log at each access."""
        log = self._folder / "audit.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [_seen(json.loads(line)) for line in lines if line.endswith("}")]

    def trust(self, *issuers: TrustedIssuer) -> None:
        """Trust these issuers and no others; return once the API server has read their keys.

        Raise ClusterError when it refuses the configuration.
        """
        before = self._reloads()
        fresh = self._folder / f"{AUTHENTICATION}.new"
        fresh.write_text(json.dumps(configuration(*issuers)))
        fresh.replace(self._folder / AUTHENTICATION)
        deadline = time.monotonic() + READY_SECONDS
        while (after := self._reloads()) == before and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if after["success"] == before["success"]:
            said = [
                line
                for line in (
                    (self._folder / "kube-apiserver.log").read_text(errors="replace").splitlines()
                )
                if "uthentication" in line
            ]
            raise ClusterError(
                "kube-apiserver rejected the AuthenticationConfiguration:\n"
                + "\n".join(said[-LOG_LINES:])
            )

    def _reloads(self) -> dict[str, float]:
        """Return how often the AuthenticationConfiguration was reloaded, by result."""
        said = self.admin("GET", "/metrics")[1].get("message", "")
        return {"success": 0.0, "failure": 0.0} | {
            found[1]: float(found[2]) for found in RELOADS.finditer(said)
        }

    def compact(self) -> None:
        """Compact etcd as kube-apiserver does regularly, and wait until its cache follows."""
        version = int(self._etcd("range", key=_text("compact_rev_key"))["header"]["revision"])
        self._etcd("put", key=_text("compact_rev_key"), value=_text(str(version)))
        self._etcd("compaction", revision=version, physical=True)
        time.sleep(self.compaction_seconds)

    def _etcd(self, call: str, **fields: Any) -> Object:
        """Call etcd's API in its JSON form; texts are base64."""
        url = f"{self._etcd_url}/v3/kv/{call}"
        answer: Object = urllib3.request("POST", url, json=fields).json()
        return answer

    def close(self) -> None:
        """Stop the API server, then etcd; kill them after a while; remove the folder."""
        self._opened.close()

    def _run(
        self, opened: contextlib.ExitStack, name: str, command: list[str]
    ) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                bound(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )
        self._processes.append(process)
        opened.callback(stop, process, STOP_SECONDS)
        return process

    def _ready(self) -> bool:
        """Return whether the server is ready and its initial namespaces exist."""
        if self.admin("GET", "/readyz")[0] != 200:
            return False
        found = self.admin("GET", "/api/v1/namespaces")[1].get("items") or []
        return set(NAMESPACE_NAMES) <= {item["metadata"]["name"] for item in found}

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and all(
            process.poll() is None for process in self._processes
        ):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if self._ready():
                    return
            time.sleep(POLL_SECONDS)
        logs = {
            name: (self._folder / f"{name}.log").read_text(errors="replace")
            for name in ("etcd", "kube-apiserver")
        }
        said = "\n".join(line for text in logs.values() for line in text.splitlines()[-LOG_LINES:])
        kind = PortTaken if "address already in use" in said else ClusterError
        raise kind(f"kube-apiserver did not become ready; the last lines of both logs:\n{said}")


def start_cluster(name: str, *, credentials: CredentialLookup, **options: Any) -> Cluster:
    """Start a ControlPlane when KUBEBUILDER_ASSETS is set, else an EmbeddedCluster.

    `options` are those of its class.
    """
    if os.environ.get(ASSETS):
        options.pop("default_service_accounts", None)
        return ControlPlane(name, credentials=credentials, **options)
    return EmbeddedCluster(name, credentials=credentials, **options)


def _binaries(folder: Path) -> dict[str, Path]:
    found = {name: folder / name for name in ("etcd", "kube-apiserver")}
    missing = [name for name, path in found.items() if not os.access(path, os.X_OK)]
    if missing:
        raise ClusterError(
            f"{ASSETS} must name a folder with etcd and kube-apiserver; there is no executable"
            f" {' and no '.join(missing)} in it"
        )
    return {name: path.resolve() for name, path in found.items()}


def _seen(event: Object) -> SeenRequest:
    method = METHODS.get(event["verb"], "GET")
    status = event.get("responseStatus", {}).get("code", 0)
    headers = {"user-agent": event.get("userAgent", "")}
    return SeenRequest(
        method, event["requestURI"], event.get("user", {}).get("username", ""), status, headers, b""
    )


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
