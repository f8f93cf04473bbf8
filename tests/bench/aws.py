"""The AWS answers of a push, from a plain HTTP server: moto's would cost more than what is measured."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.bench.work import DOCUMENT, ROOT, authorization, cluster

PAGE = 10  # Parameter Store, GetParametersByPath


class FakeAws:
    """`url` for AWS_ENDPOINT_URL; `endpoints` are those of the clusters that EKS describes, all with one authority."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.endpoints: list[str] = []
        self.ca_pem = ""

    def answer(self, path: str, operation: str, body: dict[str, Any]) -> Any:
        if operation.endswith(".GetParametersByPath"):
            start = int(body.get("NextToken", 0))
            names = [cluster(number) for number in range(len(self.endpoints))][start : start + PAGE]
            page = [{"Name": f"{ROOT}/clusters/{name}", "Type": "String", "Value": DOCUMENT, "Version": 1} for name in names]
            return {"Parameters": page} | ({"NextToken": str(start + PAGE)} if start + PAGE < len(self.endpoints) else {})
        if operation.endswith(".GetAuthorizationToken"):
            return {"authorizationData": {"authorizationToken": authorization(), "expiresAt": time.time() + 12 * 3600}}
        name = path.removeprefix("/clusters/")
        authority = base64.b64encode(self.ca_pem.encode()).decode()
        endpoint = self.endpoints[int(name.removeprefix("cluster-"))]
        return {"cluster": {"name": name, "endpoint": endpoint, "certificateAuthority": {"data": authority}, "status": "ACTIVE"}}


@contextlib.contextmanager
def serving() -> Iterator[FakeAws]:
    """A FakeAws on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for each answer: head and body apart would wait for a delayed acknowledgement, 40 ms

        def _respond(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = fake.answer(self.path, self.headers.get("X-Amz-Target", ""), json.loads(asked) if asked else {})
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake = FakeAws(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield fake
        server.shutdown()
