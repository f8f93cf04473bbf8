"""The background work of a kept stack; make's own option --keep is refused."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.sqs.models import sqs_backends

from infra.local.aws import FunctionAnswer, LocalAws
from infra.local.aws.queues import LocalQueue
from infra.local.run.background import HIDDEN_SECONDS, PUSH_SECONDS, SWEEP_SECONDS, Background

ROOT = Path(__file__).parents[2]


class Kept:
    """A stack's queues, and a function that fails the clusters in `failing`."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.events: list[Any] = []
        self.failing: set[str] = set()
        self.queue: LocalQueue = aws.put_queue("retry", delay_seconds=0)
        self.dead: LocalQueue = aws.put_queue("dead", delay_seconds=0)
        self.background = Background(self.queue, self.dead, self.answer, now=0.0)

    def answer(self, event: Any) -> FunctionAnswer:
        self.events.append(event)
        failed = [
            {"itemIdentifier": record["messageId"]}
            for record in event.get("Records", ())
            if json.loads(record["body"])["cluster"] in self.failing
        ]
        return FunctionAnswer({"batchItemFailures": failed})

    @property
    def messages(self) -> list[Any]:
        return sqs_backends[self.aws.account_id]["us-east-1"].get_queue("retry")._messages


@pytest.fixture
def kept() -> Iterator[Kept]:
    with LocalAws() as aws:
        yield Kept(aws)


def test_the_schedules_come_when_they_are_due(kept: Kept) -> None:
    for now in (1, SWEEP_SECONDS - 1, SWEEP_SECONDS, SWEEP_SECONDS + 1, 2 * SWEEP_SECONDS):
        kept.background.step(now)
    assert kept.events == [{"action": "sweep"}] * 2
    kept.background.step(PUSH_SECONDS)
    assert kept.events[2:] == [{"action": "push"}, {"action": "sweep"}]


def test_a_message_is_tried_again_once_it_is_visible_and_goes_when_it_succeeds(kept: Kept) -> None:
    kept.failing = {"prod"}
    for cluster in ("prod", "edge"):
        kept.queue.put({"cluster": cluster})
    for now in (1, 2):
        kept.background.step(now)
    (batch,) = kept.events
    assert len(batch["Records"]) == 2
    (message,) = kept.messages
    assert json.loads(message.body) == {"cluster": "prod"}
    assert message.visible_at / 1000 - float(message.sent_timestamp) / 1000 >= HIDDEN_SECONDS - 1
    kept.failing = set()
    message.change_visibility(-1)
    kept.background.step(3)
    assert kept.messages == []


def test_a_delayed_message_waits(kept: Kept) -> None:
    kept.queue.put({"cluster": "prod"})
    kept.messages[0].delay(900)
    kept.background.step(1)
    assert kept.events == []


def test_a_message_that_was_tried_too_often_is_a_dead_letter(kept: Kept) -> None:
    kept.failing = {"prod"}
    kept.queue.put({"cluster": "prod"})
    for now in range(kept.queue.max_receives):
        for message in kept.messages:
            message.change_visibility(-1)
        kept.background.step(now)
    assert kept.messages == []
    assert [message.body for message in kept.dead.waiting] == [{"cluster": "prod"}]


@pytest.mark.parametrize("option", ["--keep", "-k"])
def test_makes_own_option_is_refused(option: str) -> None:
    done = subprocess.run(
        ["make", "-n", "run", option], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "make run ARGS=--keep" in done.stderr


@pytest.mark.parametrize("words", [("run", "ARGS=--keep"), ("-k", "lint"), ("--silent", "run")])
def test_other_uses_of_make_are_not(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
