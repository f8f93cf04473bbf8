"""The setup of every test.

Cases are named alike in every process, and the environment does not depend on the caller's.
"""

import gc
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.support import library_caches

# Bytecode is written, whatever the caller's environment says. Without it each worker rewrites all
# tests, and each process that a test starts compiles the project: 3 s and 1 s of CPU time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
library_caches.install()

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?(?:-----END [A-Z0-9 ]+-----|$)", re.DOTALL)
_DER = re.compile(r"MII[A-Za-z0-9+/]{20,}")
LONGEST_ID = 120
ROOT = Path(__file__).parents[1]
# Modules that take longest begin first, so that no worker is left with one at the end.
LONGEST_MODULES = (
    "tests/local/test_run.py",
    "tests/stack/test_terraform_apply.py",
    "tests/local/scenarios/reach/test_story.py",
    "tests/function/sources/test_discovery.py",
    "tests/stack/test_terraform_example.py",
    "tests/docs/test_run.py",
    "tests/function/jobs/test_isolation.py",
    "tests/function/jobs/test_check.py",
    "tests/function/sign_in/test_web_identity.py",
    "tests/cli/commands/test_cluster_add.py",
    "tests/cli/commands/test_cluster_import.py",
    "tests/cli/test_terminal.py",
    "tests/function/kubernetes_api/test_client.py",
    "tests/function/jobs/test_seconds_left.py",
    "tests/soak/test_soak.py",
    "tests/bench/test_bench.py",
    "tests/stack/test_alarm_replay.py",
)
# Half of a test's time is spent waiting; each worker takes half a gigabyte.
WORKERS_PER_CPU = 2
MOST_WORKERS = 8
# Objects made and not released between two collections: some 50 MB.
RARELY = 100_000


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a case's name.

    Certificates and keys, which each process makes anew, are named only by their kind.
    """
    if not isinstance(val, str):
        return None
    name = _DER.sub("<DER>", _PEM.sub(lambda found: f"<{found[1]}>", val))
    name = name.encode("unicode_escape").decode("ascii")
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 3]}..."


def pytest_configure() -> None:
    """Have the processes that tests start find the project."""
    os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'lambda_src'}"


@pytest.fixture(autouse=True)
def interruptible() -> None:
    """Have the test, and the processes that it starts, take SIGINT, as in a person's shell.

    A shell that starts the tests in the background (`make test &`) has it ignored, and so has every
    process below it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` starts."""
    return min((os.process_cpu_count() or 1) * WORKERS_PER_CPU, MOST_WORKERS)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules without a test marked `alone` where only those run.

    To import all modules takes longer than these tests.
    """
    if config.option.markexpr != "alone" or not collection_path.is_file():
        return None
    return b"mark.alone" not in collection_path.read_bytes() or None


def pytest_collection_finish() -> None:
    """Have the garbage collector run seldom, and look through no module or test again.

    The function's own threshold, which came with its import, is for one that runs every few hours.
    """
    gc.freeze()
    gc.set_threshold(RARELY)


def pytest_sessionfinish() -> None:
    """Collect what is left, whose errors pytest reports, once and not the five times it does."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules that take longest first; the order stays the same otherwise."""
    ranks = {ROOT / name: rank for rank, name in enumerate(LONGEST_MODULES)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
