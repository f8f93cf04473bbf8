"""API servers in one nginx that are no bottleneck.

TLS, keep-alive, and answers that are always the same, at once or late.

They believe everything and keep nothing. The log says how many requests came, of how many bytes,
over how many connections.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.kube.certificates import issue
from tests.bench.nginx import configuration, write_pages
from tests.bench.work import Scenario

MISSING = "nginx with its echo module is not here: apt-get install nginx-light"
_LOG = "requests.log"
_LOG_DELAY = 0.3  # seconds until a request is in the log
_START_SECONDS = 5.0
_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")


@dataclass(frozen=True)
class Seen:
    """Counts since the last `forget`.

    Requests of one method and their bytes (request line, headers, body), and TLS connections in
    all.
    """

    requests: int
    bytes: int
    connections: int


class Sink:
    """An address for each cluster, all in one nginx with one worker."""

    def __init__(self, folder: Path, endpoints: list[str], ca_pem: str) -> None:
        self._log = folder / _LOG
        self.endpoints = endpoints
        self.ca_pem = ca_pem

    def seen(self, method: str = "PATCH") -> Seen:
        time.sleep(_LOG_DELAY)
        lines = [line.split() for line in self._log.read_text().splitlines()]
        lengths = [int(length) for verb, length, _ in lines if verb == method]
        return Seen(len(lengths), sum(lengths), len({connection for _, _, connection in lines}))

    def forget(self) -> None:
        time.sleep(_LOG_DELAY)
        os.truncate(self._log, 0)


def binary() -> str | None:
    """Return the path of nginx if it is installed with the module that delays responses."""
    return (
        (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin"))
        if _MODULE.exists()
        else None
    )


@contextlib.contextmanager
def running(folder: Path, scenario: Scenario, *, hung: int = 0) -> Iterator[Sink]:
    """Run nginx on loopback ports, with all its files in `folder`. `binary()` must be there.

    `hung`: this many of the clusters, the first ones, answer no PATCH.
    """
    program = binary()
    assert program is not None
    certificate = issue("sink")
    (folder / "cert.pem").write_text(certificate.certificate_pem)
    (folder / "key.pem").write_text(certificate.key_pem)
    ports = _free_ports(scenario.clusters)
    write_pages(folder / "pages", scenario.namespaces, ports)
    text = configuration(
        folder, ports, delay_ms=scenario.delay_ms, module=_MODULE, log=_LOG, hung=ports[:hung]
    )
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(
        [
            program,
            "-p",
            str(folder),
            "-e",
            str(folder / "error.log"),
            "-c",
            str(folder / "nginx.conf"),
        ]
    )
    try:
        _wait_for(process, ports, folder)
        yield Sink(folder, [f"https://127.0.0.1:{port}" for port in ports], certificate.ca_pem)
    finally:
        process.terminate()
        process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(process: subprocess.Popen[bytes], ports: list[int], folder: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    for port in ports:
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), timeout=1),
            ):
                break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    f"nginx did not start: {(folder / 'error.log').read_text()[-500:]}"
                )
            time.sleep(0.05)
