"""The three AWS answers of a push, from a plain HTTP server: moto's would cost more than what is measured."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.bench.work import CLUSTER, DOCUMENT, ROOT, Target, authorization


class FakeAws:
    """`url` for AWS_ENDPOINT_URL; `target` is the cluster that EKS describes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.target: Target | None = None

    def answer(self, method: str, path: str, operation: str) -> Any:
        if operation.endswith(".GetParametersByPath"):
            return {"Parameters": [{"Name": f"{ROOT}/clusters/{CLUSTER}", "Type": "String", "Value": DOCUMENT, "Version": 1}]}
        if operation.endswith(".GetAuthorizationToken"):
            return {"authorizationData": {"authorizationToken": authorization(), "expiresAt": time.time() + 12 * 3600}}
        assert (method, path) == ("GET", f"/clusters/{CLUSTER}")
        assert self.target is not None
        authority = base64.b64encode(self.target.ca_pem.encode()).decode()
        return {"cluster": {"name": CLUSTER, "endpoint": self.target.endpoint, "certificateAuthority": {"data": authority}, "status": "ACTIVE"}}


@contextlib.contextmanager
def serving() -> Iterator[FakeAws]:
    """A FakeAws on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(fake.answer(self.command, self.path, self.headers.get("X-Amz-Target", ""))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake = FakeAws(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield fake
        server.shutdown()
