"""The AWS answers of a push, from a plain HTTP server.

moto's server would cost more than what is measured.
"""

import base64
import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.bench.work import (
    DISCOVERY,
    REGION,
    ROOT,
    TAGS,
    Feature,
    authorization,
    cluster,
    document,
)

PAGE = 10  # Parameter Store, GetParametersByPath
CLUSTERS_A_PAGE = 100  # EKS, ListClusters
LIFE_SECONDS = 12 * 3600
# An unsigned JSON Web Token: nobody here verifies one.
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256"}', b'{"iss":"https://i","sub":"s"}', b"s" * 256)
)
_STS = (
    '<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<{action}Result>{result}</{action}Result></{action}Response>"
)
_EXPIRY = "2999-01-01T00:00:00Z"


class FakeAws:
    """AWS for one push. `url` is for AWS_ENDPOINT_URL.

    `endpoints` are those of the clusters that EKS describes, all with one authority.

    `feature`: what the documents ask for. `calls`: those of the invocation that began last, by what
    was called.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.endpoints: list[str] = []
        self.ca_pem = ""
        self.feature = Feature.NONE
        self.calls: Counter[str] = Counter()

    def answer(self, path: str, operation: str, body: dict[str, Any]) -> Any:
        if operation.endswith(".GetParametersByPath") and "NextToken" not in body:
            self.calls.clear()
        service, _, action = operation.rpartition(".")
        self.calls[
            action
            or body.get("Action")
            or ("DescribeCluster" if path.startswith("/clusters/") else "ListClusters")
        ] += 1
        if action == "GetParametersByPath":
            return self._parameters(int(body.get("NextToken", 0)))
        if action == "GetAuthorizationToken":
            data = {"authorizationToken": authorization(), "expiresAt": time.time() + LIFE_SECONDS}
            private = service.startswith("AmazonEC2ContainerRegistry")
            return {
                "authorizationData": (
                    [
                        {
                            **data,
                            "proxyEndpoint": f"https://111122223333.dkr.ecr.{REGION}.amazonaws.com",
                        }
                    ]
                    if private
                    else data
                )
            }
        if "Action" in body:
            return _STS.format(action=body["Action"], result=_sts_result(body["Action"]))
        if path.startswith("/clusters/"):
            return self._described(path.removeprefix("/clusters/"))
        return self._listed(int(dict(parse_qsl(path.partition("?")[2])).get("nextToken", 0)))

    def _parameters(self, start: int) -> dict[str, Any]:
        if self.feature is Feature.DISCOVERY:
            return {"Parameters": [_parameter("discover/fleet", DISCOVERY)]}
        names = [cluster(number) for number in range(len(self.endpoints))]
        documents = {
            name: document(self.feature, endpoint, self.ca_pem)
            for name, endpoint in zip(names, self.endpoints, strict=True)
        }
        page = [
            _parameter(f"clusters/{name}", documents[name]) for name in names[start : start + PAGE]
        ]
        return {"Parameters": page} | (
            {"NextToken": str(start + PAGE)} if start + PAGE < len(names) else {}
        )

    def _listed(self, start: int) -> dict[str, Any]:
        names = [cluster(number) for number in range(len(self.endpoints))]
        return {"clusters": names[start : start + CLUSTERS_A_PAGE]} | (
            {"nextToken": str(start + CLUSTERS_A_PAGE)}
            if start + CLUSTERS_A_PAGE < len(names)
            else {}
        )

    def _described(self, name: str) -> dict[str, Any]:
        authority = base64.b64encode(self.ca_pem.encode()).decode()
        endpoint = self.endpoints[int(name.removeprefix("cluster-"))]
        return {
            "cluster": {
                "name": name,
                "endpoint": endpoint,
                "certificateAuthority": {"data": authority},
                "status": "ACTIVE",
                "tags": TAGS,
            }
        }


def _parameter(name: str, value: str) -> dict[str, Any]:
    return {"Name": f"{ROOT}/{name}", "Type": "String", "Value": value, "Version": 1}


def _sts_result(action: str) -> str:
    if action == "GetWebIdentityToken":
        return f"<WebIdentityToken>{JWT}</WebIdentityToken><Expiration>{_EXPIRY}</Expiration>"
    keys = (
        "<AccessKeyId>ASIABENCH</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        "<SessionToken>session</SessionToken>"
    )
    return f"<Credentials>{keys}<Expiration>{_EXPIRY}</Expiration></Credentials>"


@contextlib.contextmanager
def serving() -> Iterator[FakeAws]:
    """Yield a FakeAws on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # one packet for each answer: head and body apart would wait for a delayed acknowledgement,
        # 40 ms
        wbufsize = -1

        def _respond(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = "form" in self.headers.get("Content-Type", "")
            answer = fake.answer(
                self.path,
                self.headers.get("X-Amz-Target", ""),
                dict(parse_qsl(asked)) if form else json.loads(asked or "{}"),
            )
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/xml" if form else "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake = FakeAws(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield fake
        server.shutdown()
