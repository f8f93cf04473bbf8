"""nginx as an API server that is no bottleneck: TLS, keep-alive, and an answer that is always the same.

It believes everything and keeps nothing. Its log says how many requests came, and how many bytes they were.
"""

import base64
import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.kube.certificates import Certificate, issue
from tests.bench.work import Target, namespace

MISSING = "nginx is not here, so the server that is no bottleneck is left out: apt-get install nginx-light"
PAGE = 500  # as the function asks for
_LOG = "requests.log"
_LOG_DELAY = 0.3  # seconds until a request is in the log
_START_SECONDS = 5.0


@dataclass(frozen=True)
class Seen:
    """Requests of one method, and their bytes (request line, headers, body)."""

    requests: int
    bytes: int


class Sink:
    """One server per number of namespaces, all in one nginx with one worker."""

    def __init__(self, folder: Path, targets: list[Target]) -> None:
        self._log = folder / _LOG
        self.targets = targets

    def seen(self, method: str) -> Seen:
        """What came since the last `forget`."""
        time.sleep(_LOG_DELAY)
        lengths = [int(length) for verb, length in (line.split() for line in self._log.read_text().splitlines()) if verb == method]
        return Seen(len(lengths), sum(lengths))

    def forget(self) -> None:
        time.sleep(_LOG_DELAY)
        os.truncate(self._log, 0)


def binary() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


@contextlib.contextmanager
def running(folder: Path, counts: list[int]) -> Iterator[Sink]:
    """nginx on loopback ports, its files all in `folder`. `binary()` must be there."""
    program = binary()
    assert program is not None
    certificate = issue("sink")
    (folder / "cert.pem").write_text(certificate.certificate_pem)
    (folder / "key.pem").write_text(certificate.key_pem)
    targets = [_target(count, port, certificate) for count, port in zip(counts, _free_ports(len(counts)), strict=True)]
    for target in targets:
        _write_pages(folder / str(target.count), target.count)
    configuration = folder / "nginx.conf"
    configuration.write_text(_configuration(folder, targets))
    process = subprocess.Popen([program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)])
    try:
        _wait_for(process, targets, folder)
        yield Sink(folder, targets)
    finally:
        process.terminate()
        process.wait()


def _target(count: int, port: int, certificate: Certificate) -> Target:
    endpoint = f"https://127.0.0.1:{port}"
    authority = base64.b64encode(certificate.ca_pem.encode()).decode()
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sink",
        "clusters": [{"name": "sink", "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
        "users": [{"name": "anyone", "user": {"token": "none-is-checked"}}],
        "contexts": [{"name": "sink", "context": {"cluster": "sink", "user": "anyone"}}],
    }
    return Target(endpoint, certificate.ca_pem, count, json.dumps(kubeconfig))


def _write_pages(folder: Path, count: int) -> None:
    """The namespace list, in the pages that a real server would cut it into."""
    folder.mkdir()
    names = [namespace(number) for number in range(count)]
    pages = [names[start : start + PAGE] for start in range(0, count, PAGE)]
    for number, page in enumerate(pages):
        onward = {"continue": str(number + 1), "remainingItemCount": count - (number + 1) * PAGE} if number + 1 < len(pages) else {}
        body = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "1000", **onward},
            "items": [
                {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": {"kubernetes.io/metadata.name": name}}}
                for name in page
            ],
        }
        (folder / f"page-{number}.json").write_text(json.dumps(body))


_METADATA = {
    "name": "$name",
    "namespace": "$ns",
    "uid": "0b6b1c1e-8d7c-4d3e-9a55-0f8f3a6a2f11",
    "resourceVersion": "123456",
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"app.kubernetes.io/managed-by": "ecr-public-pusher"},
    "managedFields": [
        {
            "manager": "ecr-public-pusher",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:.dockerconfigjson": {}}, "f:type": {}},
        }
    ],
}
_APPLIED = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _METADATA}
_CREATED = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "ecr-public-token", "namespace": "$ns"}}
_DELETED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
_GONE = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404}
# As much of the discovery as kubectl wants before it deletes and creates a Secret.
_DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["create", "delete", "get", "patch"]}
        ],
    },
}


def _configuration(folder: Path, targets: list[Target]) -> str:
    # Started by root, nginx would give its worker to another user, who may not read the folder.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    servers = "\n".join(_server(folder, target) for target in targets)
    return f"""
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    log_format sink '$request_method $request_length';
    access_log {folder}/{_LOG} sink buffer=64k flush=100ms;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    client_body_buffer_size 64k;
    keepalive_requests 1000000;
    tcp_nodelay on;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    upstream answers {{ server unix:{folder}/answers.sock; keepalive 64; }}
    map $arg_continue $page {{ "" /page-0.json; default /page-$arg_continue.json; }}
{servers}
    server {{
        listen unix:{folder}/answers.sock;
        access_log off;
        location ~ "^/api/v1/namespaces/(?<ns>[a-z0-9-]+)/secrets/(?<name>[a-z0-9.-]+)$" {{ return 200 '{json.dumps(_APPLIED)}'; }}
    }}
}}
"""


def _server(folder: Path, target: Target) -> str:
    discovery = "\n".join(f"        location = {path} {{ return 200 '{json.dumps(body)}'; }}" for path, body in _DISCOVERY.items())
    return f"""
    server {{
        listen {target.endpoint.removeprefix("https://")} ssl;
        root {folder}/{target.count};
{discovery}
        location = /api/v1/namespaces {{ try_files $page =404; }}
        location ~ "^/api/v1/namespaces/(?<ns>[a-z0-9-]+)/secrets$" {{ return 201 '{json.dumps(_CREATED)}'; }}
        location ~ "^/api/v1/namespaces/(?<ns>[a-z0-9-]+)/secrets/(?<name>[a-z0-9.-]+)$" {{
            if ($request_method = DELETE) {{ return 200 '{json.dumps(_DELETED)}'; }}
            if ($request_method != PATCH) {{ return 404 '{json.dumps(_GONE)}'; }}
            # `return` would answer before the body is there; a proxy reads it whole first, as an API server does.
            proxy_pass http://answers;
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
            proxy_http_version 1.1;
        }}
        location / {{ return 404 '{json.dumps(_GONE)}'; }}
    }}"""


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(process: subprocess.Popen[bytes], targets: list[Target], folder: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    for target in targets:
        host, port = target.endpoint.removeprefix("https://").split(":")
        while True:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()[-500:]}")
            time.sleep(0.05)
