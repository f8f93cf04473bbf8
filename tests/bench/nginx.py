"""nginx's configuration as an API server: what it answers to each request, and how late."""

import json
import os
import pwd
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.work import IDENTITY, UID, VERSION, cluster, namespace

PAGE = 500  # as the function asks for

_METADATA = {
    "name": "$name",
    "namespace": "$ns",
    "uid": UID,
    "resourceVersion": VERSION,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"app.kubernetes.io/managed-by": "ecr-public-pusher"},
    "managedFields": [
        {
            "manager": IDENTITY.field_manager,
            "operation": "Apply",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {"f:.dockerconfigjson": {}},
                "f:stringData": {"f:.dockerconfigjson": {}},
                "f:metadata": {
                    "f:annotations": {
                        f"f:ecr-public-pusher/{name}": {}
                        for name in ("expires-at", "owner", "pushed-at")
                    },
                    "f:labels": {"f:app.kubernetes.io/managed-by": {}},
                },
                "f:type": {},
            },
        }
    ],
}
_APPLIED = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": _METADATA}
_CREATED = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {"name": "ecr-public-token", "namespace": "$ns"},
}
_DELETED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
# The part of discovery that kubectl needs before it deletes and creates a Secret.
_DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "secrets",
                "singularName": "secret",
                "namespaced": True,
                "kind": "Secret",
                "verbs": ["create", "delete", "get", "patch"],
            }
        ],
    },
}
_PROXY = (
    "proxy_pass_request_headers off; proxy_pass_request_body off; proxy_set_header X-Port"
    ' $server_port; proxy_set_header Content-Length ""; proxy_set_header Connection "";'
    " proxy_http_version 1.1;"
)
_SECRETS = '"^/api/v1/namespaces/(?<ns>[a-z0-9-]+)/secrets$"'
_SECRET = '"^/api/v1/namespaces/(?<ns>[a-z0-9-]+)/secrets/(?<name>[a-z0-9.-]+)$"'


def write_pages(folder: Path, count: int, ports: Sequence[int]) -> None:
    """Write the lists, in the pages that a real server would cut them into.

    One of namespaces, and for each port one of its cluster's Secrets.
    """
    folder.mkdir()
    names = [namespace(number) for number in range(count)]
    _write(folder, "page", [_namespace(name) for name in names])
    for number, port in enumerate(ports):
        (folder / str(port)).mkdir()
        pushed_at = datetime.now(UTC) - timedelta(hours=1)
        secrets = [_secret(name, cluster(number), pushed_at) for name in names]
        _write(folder / str(port), "secrets", secrets)


def _write(folder: Path, stem: str, items: list[dict[str, Any]]) -> None:
    pages = [items[start : start + PAGE] for start in range(0, len(items), PAGE)]
    for number, page in enumerate(pages):
        onward = (
            {"continue": str(number + 1), "remainingItemCount": len(items) - (number + 1) * PAGE}
            if number + 1 < len(pages)
            else {}
        )
        body = {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "1000", **onward},
            "items": page,
        }
        (folder / f"{stem}-{number}.json").write_text(json.dumps(body))


def _namespace(name: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "labels": {"kubernetes.io/metadata.name": name},
        }
    }


def _secret(name: str, document: str, pushed_at: datetime) -> dict[str, Any]:
    """Return a Secret as a push writes it: with one stamp for all of a cluster's."""
    expires_at = pushed_at + timedelta(hours=12)
    stamps = {
        "ecr-public-pusher/expires-at": f"{expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "ecr-public-pusher/pushed-at": f"{pushed_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "ecr-public-pusher/owner": IDENTITY.owner(document),
    }
    return {
        "metadata": (
            _METADATA | {"name": "ecr-public-token", "namespace": name, "annotations": stamps}
        )
    }


def configuration(
    folder: Path,
    ports: list[int],
    *,
    delay_ms: int,
    module: Path,
    log: str,
    hung: Sequence[int] = (),
) -> str:
    """Return the configuration of one server at all ports.

    It reads each request whole and passes it to another server, which responds after the delay. At
    the `hung` ports no PATCH is ever answered.
    """
    # Started by root, nginx would give its worker to another user, who may not read the folder.
    user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
    listen = _listen(port for port in ports if port not in hung)
    hangs = _hangs(folder, hung, log) if hung else ""
    return f"""
load_module {module};
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    log_format sink '$request_method $request_length $connection';
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
    upstream answers {{ server unix:{folder}/answers.sock; keepalive 512; }}
    map $arg_continue $page {{ "" 0; default $arg_continue; }}
    server {{
{listen}
        access_log {folder}/{log} sink buffer=64k flush=100ms;
        location / {{
            # A proxy reads the body whole before it answers, as an API server does; an answer of
            # its own would come before the body is there.
            proxy_pass http://answers;
            {_PROXY}
        }}
    }}
{hangs}
    server {{
        listen unix:{folder}/answers.sock;
        access_log off;
        root {folder}/pages;
{_answers(delay_ms)}
    }}
}}
"""


def _listen(ports: Iterable[int]) -> str:
    return "\n".join(f"        listen 127.0.0.1:{port} ssl;" for port in ports)


def _hangs(folder: Path, ports: Sequence[int], log: str) -> str:
    """Return a server that never responds to a PATCH, as behind a webhook that hangs."""
    return f"""
    server {{
{_listen(ports)}
        access_log {folder}/{log} sink buffer=64k flush=100ms;
        location / {{
            proxy_pass http://answers;
            {_PROXY}
            proxy_read_timeout 3600s;
            if ($request_method = PATCH) {{ rewrite ^ /never last; }}
        }}
        location = /never {{
            proxy_pass http://answers;
            {_PROXY}
            proxy_read_timeout 3600s;
        }}
    }}"""


def _answers(delay_ms: int) -> str:
    discovery = [(f"= {path}", json.dumps(body)) for path, body in _DISCOVERY.items()]
    never = "        location = /never { echo_sleep 3600; echo; }"
    if not delay_ms:
        said = "\n".join(
            f"        location {path} {{ return 200 '{body}'; }}" for path, body in discovery
        )
        return f"""{said}
{never}
        location = /api/v1/namespaces {{ try_files /page-$page.json =404; }}
        location = /api/v1/secrets {{ try_files /$http_x_port/secrets-$page.json =404; }}
        location ~ {_SECRETS} {{ return 201 '{json.dumps(_CREATED)}'; }}
        location ~ {_SECRET} {{
            if ($request_method = DELETE) {{ return 200 '{json.dumps(_DELETED)}'; }}
            return 200 '{json.dumps(_APPLIED)}';
        }}"""
    sleep = f"echo_sleep {delay_ms / 1000};"
    said = "\n".join(
        f"        location {path} {{ {sleep} echo '{body}'; }}" for path, body in discovery
    )
    return f"""{said}
{never}
        location = /api/v1/namespaces {{ {sleep} echo_exec @list; }}
        location @list {{ try_files /page-$page.json =404; }}
        location = /api/v1/secrets {{ {sleep} echo_exec @secrets; }}
        location @secrets {{ try_files /$http_x_port/secrets-$page.json =404; }}
        location ~ {_SECRETS} {{ echo_status 201; {sleep} echo '{json.dumps(_CREATED)}'; }}
        location ~ {_SECRET} {{ {sleep} echo '{json.dumps(_APPLIED)}'; }}"""
