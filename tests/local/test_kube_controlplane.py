"""The control plane on stand-in binaries: flags, readiness, audit log, shutdown.

The contract test runs the real ones.
"""

import json
import os
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from joserfc.jwk import KeySet

from infra.local.kube import ClusterError, ControlPlane, UserInfo
from infra.local.kube.auth.jwts import TrustedIssuer

SERVER = """#!{python}
import http.server, json, socket, ssl, sys, time
flags = dict(flag[2:].partition("=")[::2] for flag in sys.argv[1:])
json.dump(flags, open("flags.json", "w"))
AT_START = open(flags["authentication-config"]).read()
NAMES = ["default", "kube-system", "kube-public", "kube-node-lease"]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        items = [{{"metadata": {{"name": name}}}} for name in NAMES]
        body = json.dumps({{"items": items}}).encode()
        if self.path == "/metrics":
            text = open(flags["authentication-config"]).read()
            count = 0 if text == AT_START else 1
            status = "failure" if "refused.example" in text else "success"
            name = "apiserver_authentication_config_controller_automatic_reloads_total"
            labels = f'apiserver_id_hash="sha256:a",status="{{status}}"'
            body = f"# TYPE x\\n{{name}}{{{{{{labels}}}}}} {{count}}\\n".encode()
        event = {{
            "verb": "list",
            "requestURI": self.path,
            "user": {{"username": "local-admin"}},
            "responseStatus": {{"code": 200}},
        }}
        with open(flags["audit-log-path"], "a") as log:
            log.write(json.dumps(event) + "\\n")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
etcd = flags["etcd-servers"].rpartition("/")[2].split(":")
while socket.socket().connect_ex((etcd[0], int(etcd[1]))):  # like the real one, it needs etcd
    time.sleep(0.02)
address = (flags["bind-address"], int(flags["secure-port"]))
server = http.server.ThreadingHTTPServer(address, Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(flags["tls-cert-file"], flags["tls-private-key-file"])
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
ETCD = """#!{python}
import http.server, json, sys, urllib.parse
flags = dict(flag[2:].partition("=")[::2] for flag in sys.argv[1:])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open("etcd.calls", "a") as log:
            log.write(json.dumps([self.path, asked]) + "\\n")
        body = json.dumps({{"header": {{"revision": "7"}}}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
port = urllib.parse.urlsplit(flags["listen-client-urls"]).port
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    for name, text in (("kube-apiserver", SERVER), ("etcd", ETCD)):
        binary = tmp_path / name
        binary.write_text(text.format(python=sys.executable))
        binary.chmod(0o755)
    return tmp_path


def test_it_starts_answers_and_leaves_nothing_behind(assets: Path) -> None:
    tokens = {"t": UserInfo("u", "2", ("a", "b")), "bare": UserInfo("v", "3")}
    with ControlPlane(
        "prod", credentials=lambda _: None, static_tokens=tokens, assets=assets
    ) as cluster:
        folder = cluster._folder
        flags = json.loads((folder / "flags.json").read_text())
        rows = (folder / "tokens.csv").read_text().splitlines()
        webhook = json.loads((folder / "webhook.json").read_text())
        assert cluster.requests[-1].path == "/api/v1/namespaces"
        pids = [process.pid for process in cluster._processes]
    assert flags["authorization-mode"] == "RBAC"
    assert flags["disable-admission-plugins"] == "ServiceAccount"
    assert rows[:2] == ['t,u,2,"a,b"', "bare,v,3"]
    assert webhook["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def issuer(url: str) -> TrustedIssuer:
    keys = KeySet([])
    return TrustedIssuer(
        url,
        keys,
        "ecr-public-pusher:edge",
        "arn:aws:iam::111122223333:role/r",
        "111122223333",
        discovery_url="https://d",
        ca_pem="CA",
    )


def test_an_issuer_is_written_into_the_authentication_configuration(assets: Path) -> None:
    with ControlPlane(
        "edge",
        credentials=lambda _: None,
        assets=assets,
        issuers=[issuer("https://trusted.example")],
    ) as cluster:
        written = json.loads((cluster._folder / "authentication.json").read_text())
    assert written["kind"] == "AuthenticationConfiguration"
    assert written["jwt"][0]["issuer"] == {
        "url": "https://trusted.example",
        "audiences": ["ecr-public-pusher:edge"],
        "discoveryURL": "https://d",
        "certificateAuthority": "CA",
    }


def test_a_configuration_that_the_server_refuses_is_an_error(assets: Path) -> None:
    with (
        ControlPlane("edge", credentials=lambda _: None, assets=assets) as cluster,
        pytest.raises(ClusterError, match="rejected the AuthenticationConfiguration"),
    ):
        cluster.trust(issuer("https://refused.example"))


class Impatient(ControlPlane):
    compaction_seconds = 0.0


def test_etcd_is_compacted_as_kube_apiserver_does_it(assets: Path) -> None:
    with Impatient("prod", credentials=lambda _: None, assets=assets) as cluster:
        cluster.compact()
        lines = (cluster._folder / "etcd.calls").read_text().splitlines()
    key = b64encode(b"compact_rev_key").decode()
    assert [json.loads(line) for line in lines] == [
        ["/v3/kv/range", {"key": key}],
        ["/v3/kv/put", {"key": key, "value": b64encode(b"7").decode()}],
        ["/v3/kv/compaction", {"revision": 7, "physical": True}],
    ]
