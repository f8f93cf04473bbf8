"""The expectations of `reach`: each notices a change that did not happen."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType

from ecr_public_pusher.kubernetes_api.tls import verifying_context
from infra.local.runtime import Invocation
from infra.local.scenarios.reach import ReachStack, reach
from infra.local.stack import CONFIG_PATH
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[4]


class InProcess:
    """The function, called in this process."""

    def __init__(self, stack: ReachStack) -> None:
        self._world = World(stack.aws, dict(os.environ), stack.queue)

    def invoke(self, event: Any) -> Invocation:
        began = time.monotonic()
        return Invocation(self._world.call(event), None, (), time.monotonic() - began)


def ignore(part: RenderableType) -> None:
    """Print nothing."""


def played(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], ReachStack] = ReachStack
) -> list[str]:
    with make(ROOT) as stack:
        settings = {
            **stack.aws_settings(),
            **stack.function_settings(),
            "CONFIG_PATH": CONFIG_PATH,
            "STACK_NAME": "ecr-public-pusher",
            "ALLOWED_ENDPOINTS": stack.parameters["AllowedEndpoints"],
            "ALLOWED_ACCOUNTS": stack.parameters["AllowedAccounts"],
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        verifying_context.cache_clear()  # public authorities are read from SSL_CERT_FILE
        try:
            return reach(stack, InProcess(stack), ignore)
        finally:
            verifying_context.cache_clear()


def test_the_story_is_as_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played(monkeypatch) == []


class SwitchOnAlready(ReachStack):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.aws.web_identity.enabled = True

    def turn_web_identity_on(self) -> None:
        """Leave it on."""


class NothingPasted(ReachStack):
    def paste(self, printed: str) -> None:
        """Leave the API server as it is."""


class NoProvider(ReachStack):
    def run_gcloud(self, printed: str) -> None:
        """Create no provider."""


class StrangerAllowed(ReachStack):
    def write_document_of_a_stranger(self) -> None:
        """Write no document."""


class PullRoleKept(ReachStack):
    def forbid_pull_role(self) -> None:
        """Leave the role's trust as it is."""


class NothingPutRight(ReachStack):
    def put_right(self) -> None:
        """Leave the role and the document as they are."""


@pytest.mark.parametrize(
    ("make", "step"),
    [
        (SwitchOnAlready, "step 1"),
        (NothingPasted, "step 3"),
        (NoProvider, "step 3"),
        (StrangerAllowed, "step 5"),
        (PullRoleKept, "step 6"),
        (NothingPutRight, "step 7"),
    ],
)
def test_a_change_that_did_not_happen_is_noticed(
    monkeypatch: pytest.MonkeyPatch, make: type[ReachStack], step: str
) -> None:
    wrong = played(monkeypatch, make)
    assert wrong
    assert wrong[0].startswith(step)
