"""A single measurement, in its own process: `python -m tests.bench.measured WAY WORK RESULT`.

Imports come before the clock, and only those that the way itself needs, so that the peak of one is
not the other's.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

# These two work namespace after namespace, so a few say what many cost.
KUBECTL_COUNT = 10
GET_PUT_COUNT = 100
WARM_ROUNDS = 2
_MIB = 1024 * 1024
_ACCEPT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def peak_mib() -> float:
    """Return this process's peak memory in MiB.

    ru_maxrss would count the parent's from before the exec, too.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / _MIB


def timed(act: Callable[[], int], *, expected: int) -> dict[str, float]:
    """Return the seconds of wall and processor time that `act` takes, and the peak memory.

    It returns how many Secrets it applied; fewer than expected is no measurement.
    """
    wall = time.perf_counter()
    cpu = time.process_time()
    applied = act()
    wall = time.perf_counter() - wall
    cpu = time.process_time() - cpu
    if applied != expected:
        raise SystemExit(f"applied {applied} of {expected}")
    return {"wall": wall, "cpu": cpu, "peak": peak_mib()}


def imported(_: dict[str, Any]) -> dict[str, float]:
    """Measure the imports that Lambda does before the first event."""
    wall = time.perf_counter()
    cpu = time.process_time()
    import ecr_public_pusher.handler  # noqa: F401 - the import is what is measured

    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak": peak_mib(),
    }


def function(work: dict[str, Any]) -> dict[str, float]:
    """Measure whole pushes.

    The first one gets AWS's clients and EKS's answers; the median of the warm ones is the figure.
    """
    return _invocations(work, "push", ("created", "updated", "adopted"))


def sweep(work: dict[str, Any]) -> dict[str, float]:
    """Measure whole sweeps of clusters where nothing needs to be done."""
    return _invocations(work, "sweep", ("current",))


def _invocations(work: dict[str, Any], action: str, outcomes: tuple[str, ...]) -> dict[str, float]:
    from ecr_public_pusher.handler import handler

    class Context:
        aws_request_id = "00000000-0000-4000-8000-000000000000"
        function_name = "bench"
        invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:bench"

        def get_remaining_time_in_millis(self) -> int:
            return 800_000

    def act() -> int:
        totals = handler({"action": action}, Context())["totals"]
        return sum(int(totals.get(outcome, 0)) for outcome in outcomes)

    expected = len(work["endpoints"]) * len(work["names"])
    first = timed(act, expected=expected)
    warm = [timed(act, expected=expected) for _ in range(WARM_ROUNDS)]
    figures = {what: median(one[what] for one in warm) for what in ("wall", "cpu")}
    return figures | {
        "peak": warm[-1]["peak"],
        "cold_wall": first["wall"],
        "cold_cpu": first["cpu"],
    }


def hung(work: dict[str, Any]) -> dict[str, float]:
    """Measure one invocation beside clusters whose writes hang.

    Its time, the most descriptors it had open, how many clusters have all their Secrets, and the
    seconds that the slowest of them took.
    """
    from ecr_public_pusher.handler import handler

    ended = time.monotonic() + work["seconds"]

    class Context:
        aws_request_id = "00000000-0000-4000-8000-000000000000"
        function_name = "bench"
        invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:bench"

        def get_remaining_time_in_millis(self) -> int:
            return int((ended - time.monotonic()) * 1000)

    most = 0
    done = threading.Event()

    def count() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, len(os.listdir("/proc/self/fd")))

    counting = threading.Thread(target=count)
    counting.start()
    wall = time.perf_counter()
    cpu = time.process_time()
    try:
        report = handler({"action": "push", "raise": False}, Context())
    finally:
        done.set()
        counting.join()
    figures = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    fresh = [
        entry for entry in report["clusters"] if entry["counts"] == {"updated": len(work["names"])}
    ]
    slowest = max((entry["seconds"] for entry in fresh), default=0.0)
    return figures | {
        "peak": peak_mib(),
        "descriptors": most,
        "fresh": len(fresh),
        "slowest": slowest,
    }


def aiohttp(work: dict[str, Any]) -> dict[str, float]:
    """Send the same bytes from one bare event loop.

    It uses as many connections to each cluster as the function makes.
    """
    import asyncio
    import ssl

    import aiohttp
    from yarl import URL

    body = work["body"].encode()
    paths = _paths(work)

    async def cluster(endpoint: str, good: list[str]) -> None:
        context = ssl.create_default_context(cadata=work["ca_pem"])
        waiting = iter(paths)
        connector = aiohttp.TCPConnector(ssl=context, limit=work["connections"])
        jar = aiohttp.DummyCookieJar()
        skipped = ("Accept-Encoding",)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=jar, auto_decompress=False, skip_auto_headers=skipped
        ) as session:

            async def worker() -> None:
                for path in waiting:
                    async with session.patch(
                        URL(endpoint + path, encoded=True),
                        data=body,
                        headers=_headers(work),
                        allow_redirects=False,
                    ) as answer:
                        await answer.read()
                        if answer.status == 200:
                            good.append(path)

            await asyncio.gather(*(worker() for _ in range(work["connections"])))

    async def clusters() -> int:
        good: list[str] = []
        await asyncio.gather(*(cluster(endpoint, good) for endpoint in work["endpoints"]))
        return len(good)

    return timed(lambda: asyncio.run(clusters()), expected=len(work["endpoints"]) * len(paths))


def urllib3(work: dict[str, Any]) -> dict[str, float]:
    """Send the same bytes from eight threads, each with one kept-alive connection at a time."""
    import ssl
    from concurrent.futures import ThreadPoolExecutor
    from itertools import product

    import urllib3

    body = work["body"].encode()
    paths = _paths(work)

    def act() -> int:
        pools = {}
        for endpoint in work["endpoints"]:
            host, port = endpoint.removeprefix("https://").split(":")
            context = ssl.create_default_context(cadata=work["ca_pem"])
            pools[endpoint] = urllib3.HTTPSConnectionPool(
                host, int(port), maxsize=8, ssl_context=context
            )

        def apply(one: tuple[str, str]) -> bool:
            endpoint, path = one
            answer = pools[endpoint].urlopen(
                "PATCH", path, body=body, headers=_headers(work), retries=False, redirect=False
            )
            return bool(answer.status == 200)

        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(apply, product(work["endpoints"], paths)))

    return timed(act, expected=len(work["endpoints"]) * len(paths))


def get_put(work: dict[str, Any]) -> dict[str, float]:
    """Work as nabsul/k8s-ecr-login-renew does, and scale the result.

    A GET, then a PUT, one namespace after the other, with a new client for each.
    """
    import ssl

    import urllib3

    (endpoint,) = work["endpoints"]
    host, port = endpoint.removeprefix("https://").split(":")
    names = work["names"][:GET_PUT_COUNT]

    def act() -> int:
        good = 0
        for name in names:
            context = ssl.create_default_context(cadata=work["ca_pem"])
            pool = urllib3.HTTPSConnectionPool(host, int(port), ssl_context=context)
            path = f"/api/v1/namespaces/{name}/secrets/{work['secret_name']}"
            pool.urlopen("GET", path, headers=_headers(work), retries=False)
            good += (
                pool.urlopen(
                    "PUT", path, body=work["body"].encode(), headers=_headers(work), retries=False
                ).status
                == 200
            )
            pool.close()
        return good

    return _scaled(timed(act, expected=len(names)), len(work["names"]) / len(names))


def kubectl(work: dict[str, Any]) -> dict[str, float]:
    """Run the CronJob's loop, and scale the result.

    It runs two kubectl processes per namespace, one after the other.
    """
    import base64

    (endpoint,) = work["endpoints"]
    authority = base64.b64encode(work["ca_pem"].encode()).decode()
    kubeconfig = Path(os.environ["HOME"]) / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    contents = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sink",
        "clusters": [
            {
                "name": "sink",
                "cluster": {"server": endpoint, "certificate-authority-data": authority},
            }
        ],
        "users": [{"name": "anyone", "user": {"token": "none-is-checked"}}],
        "contexts": [{"name": "sink", "context": {"cluster": "sink", "user": "anyone"}}],
    }
    kubeconfig.write_text(json.dumps(contents))
    program = ["kubectl", f"--kubeconfig={kubeconfig}"]
    create = [
        "--docker-server=https://public.ecr.aws",
        "--docker-username=AWS",
        f"--docker-password={'p' * work['password_length']}",
    ]
    names = work["names"][:KUBECTL_COUNT]
    began = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for name in names:
        for arguments in (
            ["delete", "secret", work["secret_name"], "-n", name, "--ignore-not-found"],
            ["create", "secret", "docker-registry", work["secret_name"], "-n", name, *create],
        ):
            subprocess.run([*program, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _scaled(
        {"wall": wall, "cpu": cpu, "peak": after.ru_maxrss * 1024 / _MIB},
        len(work["names"]) / len(names),
    )


def _scaled(figures: dict[str, float], factor: float) -> dict[str, float]:
    return figures | {"wall": figures["wall"] * factor, "cpu": figures["cpu"] * factor}


def _headers(work: dict[str, Any]) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {work['bearer']}",
        "Accept": _ACCEPT,
        "User-Agent": work["user_agent"],
        "Content-Type": "application/apply-patch+yaml",
    }


def _paths(work: dict[str, Any]) -> list[str]:
    return [
        f"/api/v1/namespaces/{name}/secrets/{work['secret_name']}?{work['query']}"
        for name in work["names"]
    ]


WAYS = {
    way.__name__: way
    for way in (imported, function, sweep, hung, aiohttp, urllib3, get_put, kubectl)
}

if __name__ == "__main__":
    _, chosen, given, answer = sys.argv
    Path(answer).write_text(json.dumps(WAYS[chosen](json.loads(Path(given).read_text()))))
