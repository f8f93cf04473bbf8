"""A TLS server before many clusters, each behind a path, as Rancher's and Loft's are.

Also a name that resolves to it.
"""

import contextlib
from collections.abc import Iterator, Mapping

import urllib3

from infra.local.kube import Cluster
from infra.local.kube.certificates import issue
from infra.local.kube.cluster import Response
from infra.local.kube.http.client import TIMEOUT, context
from infra.local.kube.http.server import HttpRequest, HttpsServer

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class PathProxy:
    """`clusters`: by path.

    What is asked of any other path is 404. `asked`: method and target of everything, in order.
    """

    def __init__(self, host: str, clusters: Mapping[str, Cluster]) -> None:
        self.host = host
        self.asked = list[str]()
        self._clusters = clusters
        pools = (
            (path, urllib3.PoolManager(ssl_context=context(one.ca_pem), retries=False))
            for path, one in clusters.items()
        )
        self._pools = dict(pools)
        certificate = issue("proxy", hosts=(host, "127.0.0.1"))
        self.ca_pem = certificate.ca_pem
        self._server = HttpsServer(self._answer, certificate)
        self.port = int(self._server.endpoint.rpartition(":")[2])
        self._server.start()

    def url(self, path: str = "", *, host: str | None = None) -> str:
        """Return the address of what is behind a path. `host`: another spelling of its name."""
        return f"https://{host or self.host}:{self.port}{path}"

    def close(self) -> None:
        self._server.close()
        for pool in self._pools.values():
            pool.clear()

    def _answer(self, request: HttpRequest) -> Response:
        self.asked.append(f"{request.method} {request.target}")
        path = next(
            (path for path in self._clusters if request.target.startswith(f"{path}/")), None
        )
        if path is None:
            return Response(404, b"no such page")
        headers = {
            name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP
        }
        answer = self._pools[path].request(
            request.method,
            self._clusters[path].endpoint + request.target.removeprefix(path),
            body=request.body,
            headers=headers,
            redirect=False,
            timeout=TIMEOUT,
        )
        return Response(
            answer.status, answer.data, {"Content-Type": answer.headers.get("Content-Type", "")}
        )


@contextlib.contextmanager
def proxied(host: str, clusters: Mapping[str, Cluster]) -> Iterator[PathProxy]:
    proxy = PathProxy(host, clusters)
    try:
        yield proxy
    finally:
        proxy.close()
