"""One measurement in a process of its own: `python -m tests.bench.measured WAY WORK RESULT`.

Imports come before the clock, and only those that the way itself needs, so that the peak of one is not the other's.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KUBECTL_COUNT = 20
_MIB = 1024 * 1024


def peak_mib() -> float:
    """This process's high-water mark. ru_maxrss would count the parent's from before the exec, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / _MIB


def timed(act: Callable[[], int], *, expected: int) -> dict[str, float]:
    """`act` says how many Secrets it applied: fewer than expected is no measurement."""
    wall, cpu = time.perf_counter(), time.process_time()
    applied = act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if applied != expected:
        raise SystemExit(f"applied {applied} of {expected}")
    return {"wall": wall, "cpu": cpu, "peak": peak_mib()}


def imported(_: dict[str, Any]) -> dict[str, float]:
    """What Lambda does before the first event."""
    wall, cpu = time.perf_counter(), time.process_time()
    import ecr_public_pusher.handler  # noqa: F401 - the import is what is measured

    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak_mib()}


def floor(work: dict[str, Any]) -> dict[str, float]:
    """The same bytes, by as many threads over as many kept-alive TLS connections, and nothing else."""
    import queue
    import ssl
    import threading

    import urllib3

    headers = {
        "Authorization": f"Bearer {work['sign_in']}",
        "Accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        "User-Agent": "ecr-public-pusher",
        "Content-Type": "application/apply-patch+yaml",
    }
    body = work["body"].encode()
    paths = [f"/api/v1/namespaces/{name}/secrets/{work['secret_name']}?fieldManager=ecr-public-pusher" for name in work["names"]]

    def act() -> int:
        host, port = work["endpoint"].removeprefix("https://").split(":")
        context = ssl.create_default_context(cadata=work["ca_pem"])
        pool = urllib3.HTTPSConnectionPool(host, int(port), maxsize=work["width"], ssl_context=context)
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for path in paths:
            waiting.put(path)
        good: list[str] = []

        def loop() -> None:
            while True:
                try:
                    path = waiting.get_nowait()
                except queue.Empty:
                    return
                answer = pool.urlopen("PATCH", path, body=body, headers=headers, retries=False)
                if answer.status not in (200, 201):
                    raise SystemExit(f"the server answered {answer.status}")
                good.append(path)

        threads = [threading.Thread(target=loop) for _ in range(min(work["width"], len(paths)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pool.close()
        return len(good)

    return timed(act, expected=len(paths))


def push(work: dict[str, Any]) -> dict[str, float]:
    """The function's push of one cluster: find it, sign in, list, apply."""
    from datetime import datetime

    from ecr_public_pusher.aws_api.clients import Aws
    from ecr_public_pusher.configuration import loader as config
    from ecr_public_pusher.configuration.namespace_selector import EVERYTHING
    from ecr_public_pusher.deadline import Lease
    from ecr_public_pusher.events.request import Request
    from ecr_public_pusher.jobs.cluster_runner import work_on
    from ecr_public_pusher.jobs.push import Delivery, Push
    from ecr_public_pusher.jobs.targets import make_plan
    from ecr_public_pusher.registries import ecr_public as registry

    document = config.Parameter(f"{work['root']}/clusters/{work['cluster']}", work["document"])
    plan = make_plan(Request(), config.load([document], root=work["root"], region=work["region"]))
    expires = datetime.fromisoformat(work["expires_at"])
    delivery = Delivery(registry.docker_config(work["authorization"]), expires, work["stack"])

    def act() -> int:
        aws = Aws(work["region"])
        lease = Lease.of_invocation(300)
        (result,) = work_on(plan, lambda planned: Push(planned, lambda: delivery, EVERYTHING, lease), aws=aws, lease=lease)
        return sum(outcome.outcome.applied for outcome in result.outcomes)

    return timed(act, expected=work["count"])


def invocation(work: dict[str, Any]) -> dict[str, float]:
    """A first invocation, whole: configuration, token, push, metrics, report."""
    from ecr_public_pusher.handler import handler

    class Context:
        aws_request_id = "00000000-0000-4000-8000-000000000000"
        function_name = "bench"
        invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:bench"

        def get_remaining_time_in_millis(self) -> int:
            return 300_000

    def act() -> int:
        totals = handler({"action": "push"}, Context())["totals"]
        return int(totals.get("created", 0) + totals.get("updated", 0))

    return timed(act, expected=work["count"])


def kubectl(work: dict[str, Any]) -> dict[str, float]:
    """The CronJob's loop: two kubectl processes per namespace, one after the other, for at most KUBECTL_COUNT; then scaled."""
    kubeconfig = Path(os.environ["HOME"]) / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(work["kubeconfig"])
    program = ["kubectl", f"--kubeconfig={kubeconfig}"]
    create = ["--docker-server=https://public.ecr.aws", "--docker-username=AWS", f"--docker-password={'p' * work['password_length']}"]
    names = work["names"][:KUBECTL_COUNT]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for name in names:
        for arguments in (
            ["delete", "secret", work["secret_name"], "-n", name, "--ignore-not-found"],
            ["create", "secret", "docker-registry", work["secret_name"], "-n", name, *create],
        ):
            subprocess.run([*program, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    factor = work["count"] / len(names)
    return {"wall": wall * factor, "cpu": cpu * factor, "peak": after.ru_maxrss * 1024 / _MIB}


WAYS = {way.__name__: way for way in (imported, floor, push, invocation, kubectl)}

if __name__ == "__main__":
    _, chosen, given, answer = sys.argv
    Path(answer).write_text(json.dumps(WAYS[chosen](json.loads(Path(given).read_text()))))
