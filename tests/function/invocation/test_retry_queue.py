"""The retry queue and FanOut.

Whatever failed is queued once, comes back automatically, and is handled by the same function;
FanOut distributes a push over the queue.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from ecr_public_pusher.errors import PushFailed
from ecr_public_pusher.events import queue_message as messages
from ecr_public_pusher.invocation import retry_queue
from ecr_public_pusher.sources.parameter_store import Pace
from infra.local.aws import Answer
from infra.local.aws.queues import WaitingMessage
from infra.local.kube import EmbeddedCluster
from tests.support.secrets import without_looking
from tests.support.world import World

DENIED = Answer(400, b'{"__type": "AccessDeniedException", "message": "no"}')


@pytest.fixture
def queued(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which the function has its queue."""
    monkeypatch.setenv("RETRY_QUEUE_URL", world.queue.url)
    return world


@pytest.fixture
def fanned(queued: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world in which the function has its queue and FanOut."""
    monkeypatch.setenv("FAN_OUT", "true")
    return queued


def good(world: World, *names: str) -> None:
    for name in names:
        world.add_cluster(name, namespaces=("a",), document="namespaces: [a]", embedded=True)


def bad(world: World, *names: str) -> None:
    """Add clusters with a namespace that the function may not write to."""
    for name in names:
        world.add_cluster(
            name, namespaces=("a",), document="namespaces: [a]", rbac=None, embedded=True
        )


def grant(world: World, name: str) -> None:
    world.apply(name, "cluster.yaml")


def push(*clusters: str) -> dict[str, Any]:
    return {"action": "push", "clusters": list(clusters)}


def runs(printed: str) -> Iterator[dict[str, Any]]:
    """Return the run's own metrics from the function's output, one dictionary for each run."""
    for line in printed.splitlines():
        logged = json.loads(line) if line.startswith("{") else {}
        if "_aws" in logged and "cluster" not in logged:
            yield {
                metric["Name"]: logged[metric["Name"]][0]
                for metric in logged["_aws"]["CloudWatchMetrics"][0]["Metrics"]
            }


def test_each_failed_cluster_waits_once_and_the_push_is_not_raised(queued: World) -> None:
    good(queued, "fine")
    bad(queued, "shut", "shut-too")
    queued.document("broken", "namespaces: {}")
    report = queued.call({})
    assert report["ok"] is False
    assert report["queued"] == ["broken", "shut", "shut-too"]
    assert queued.queue.waiting == [WaitingMessage(push(name), 900) for name in report["queued"]]


def test_a_push_without_failures_does_not_ask_sqs_at_all(queued: World) -> None:
    good(queued, "fine")
    assert queued.call({})["ok"]
    assert queued.aws.called("sqs") == []


def put_broken(world: World, count: int) -> None:
    """Write documents that need no cluster, since they are invalid."""
    for number in range(count):
        world.document(f"broken-{number:02}", "namespaces: {}")


def test_many_failures_go_in_batches_of_ten(queued: World) -> None:
    put_broken(queued, 23)
    assert len(queued.call({})["queued"]) == len(queued.queue.waiting) == 23
    assert len(queued.aws.called("sqs", "SendMessageBatch")) == 3


def test_without_a_queue_a_failed_cluster_is_raised(world: World) -> None:
    bad(world, "shut")
    with pytest.raises(PushFailed, match="1 of 1 clusters failed: shut"):
        world.call({})


def test_a_queue_that_takes_nothing_is_raised_and_reported(
    queued: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bad(queued, "shut")
    queued.aws.script("sqs", "SendMessageBatch", DENIED)
    with pytest.raises(
        PushFailed, match="QueueError: the retry queue accepted no message for shut"
    ):
        queued.call({})
    logged = next(runs(capsys.readouterr().out))
    assert (logged["FullPushCompleted"], logged["ClustersFailed"]) == (1, 1)


def test_a_single_message_that_sqs_refuses_is_reported_too(queued: World) -> None:
    bad(queued, "shut")
    answer = {
        "Successful": [],
        "Failed": [{"Id": "0", "SenderFault": True, "Code": "InternalError"}],
    }
    queued.aws.script(
        "sqs",
        "SendMessageBatch",
        Answer(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.0"}),
    )
    report = queued.invoke()
    assert report["error"]["message"] == "the retry queue refused the message for shut"
    assert "queued" not in report


def test_of_a_batch_that_sqs_takes_in_part_what_it_refused_is_reported(queued: World) -> None:
    bad(queued, "shut", "shut-too")
    answer = {
        "Successful": [{"Id": "0", "MessageId": "1", "MD5OfMessageBody": "0" * 32}],
        "Failed": [{"Id": "1", "SenderFault": True, "Code": "InternalError"}],
    }
    queued.aws.script(
        "sqs",
        "SendMessageBatch",
        Answer(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.0"}),
    )
    report = queued.invoke()
    assert report["error"]["message"] == "the retry queue refused the message for shut-too"
    assert "queued" not in report


def test_a_plan_queues_nothing(queued: World) -> None:
    bad(queued, "shut")
    assert queued.invoke({"action": "plan"})["ok"] is False
    assert queued.queue.waiting == []


def test_a_narrowed_push_is_tried_again_as_narrow(queued: World) -> None:
    bad(queued, "shut")
    queued.invoke({"clusters": ["shut"], "namespaces": ["a"]})
    assert [message.body for message in queued.queue.waiting] == [
        {**push("shut"), "namespaces": ["a"]}
    ]


def test_a_run_that_failed_as_a_whole_queues_nothing_itself(queued: World) -> None:
    good(queued, "fine")
    queued.aws.script("ecr-public", "GetAuthorizationToken", DENIED)
    with pytest.raises(PushFailed, match="TokenError"):
        queued.call({})
    assert queued.queue.waiting == []


def test_a_retry_that_works_leaves_the_queue_empty(queued: World) -> None:
    bad(queued, "shut")
    queued.call({})
    grant(queued, "shut")
    assert queued.poll() == []
    assert queued.queue.waiting == []
    assert queued.token("shut", "a") == queued.aws.ecr_public.issued[-1]


def test_a_retry_that_fails_comes_back_until_it_lands_with_the_dead(queued: World) -> None:
    bad(queued, "shut")
    queued.call({})
    for _ in range(queued.queue.max_receives - 1):
        assert len(queued.poll()) == 1
    assert queued.queue.dead == []
    queued.poll()
    assert (queued.queue.waiting, queued.queue.dead) == ([], [push("shut")])


def test_a_batch_is_one_run_with_one_token_and_only_what_failed_is_kept(queued: World) -> None:
    good(queued, "one", "two")
    bad(queued, "shut")
    for name in ("one", "shut", "two"):
        queued.queue.put(push(name))
    assert len(queued.poll()) == 1
    assert [message.body for message in queued.queue.waiting] == [push("shut")]
    assert len(queued.aws.ecr_public.issued) == 1
    assert queued.aws.called("sqs", "SendMessageBatch") == []


def test_a_whole_batch_that_fails_is_answered_and_not_raised(queued: World) -> None:
    good(queued, "one", "two")
    for name in ("one", "two"):
        queued.queue.put(push(name))
    queued.aws.script("ssm", "GetParametersByPath", DENIED)
    assert len(queued.poll()) == 2


def test_of_several_messages_for_one_cluster_only_the_oldest_stays(queued: World) -> None:
    bad(queued, "shut")
    queued.queue.put(push("shut"))
    queued.poll()
    queued.call({})
    queued.call({})
    assert len(queued.queue.waiting) == 3
    oldest = queued.queue.batch()["Records"][0]["messageId"]
    assert queued.poll() == [oldest]
    assert len(queued.queue.waiting) == 1


def test_a_cluster_that_is_gone_or_disabled_by_now_is_dropped(queued: World) -> None:
    queued.document("off", "enabled: false\nnamespaces: [a]")
    for name in ("off", "gone"):
        queued.queue.put(push(name))
    assert queued.poll() == []


def test_a_message_outlives_the_whole_configuration(queued: World) -> None:
    queued.queue.put(push("gone"))
    assert queued.poll() == []


def test_a_namespace_that_is_no_longer_selected_is_dropped(queued: World) -> None:
    good(queued, "fine")
    queued.queue.put({**push("fine"), "namespaces": ["former"]})
    assert queued.poll() == []


@pytest.mark.parametrize(
    ("message", "action"), [({"action": "explode"}, "explode"), ("no JSON", "push")]
)
def test_a_message_that_is_not_understood_is_reported_and_kept(
    queued: World,
    message: Any,
    action: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good(queued, "fine")
    queued.queue.put(push("fine"))
    queued.queue.put(message)
    assert len(queued.poll()) == 1
    reports = [record.__dict__["report"] for record in caplog.records if record.message == "report"]
    assert [
        (report["action"], report["ok"], report.get("error", {}).get("type")) for report in reports
    ] == [(action, False, "RequestError"), ("push", True, None)]
    # Its metrics are those of a push: the failed run counts.
    assert '"ClustersFailed"' in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("payload", [{}, {"action": "push"}, {"action": "push", "raise": True}])
def test_a_run_that_failed_as_a_whole_comes_back_as_the_same_push(
    queued: World, payload: Any
) -> None:
    good(queued, "one", "two")
    queued.queue.put(
        {
            "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": payload,
            "timestamp": "2026-01-01T08:00:00Z",
        }
    )
    assert queued.poll() == []
    assert queued.token("one", "a") == queued.token("two", "a") == queued.aws.ecr_public.issued[-1]


def test_a_sweep_that_failed_is_repeated_once_and_never_piles_up(queued: World) -> None:
    queued.add_cluster(
        "prod", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
    )
    failed = {
        "requestContext": {},
        "requestPayload": {"action": "sweep", "windowMinutes": 20},
        "timestamp": datetime.now(UTC).isoformat(),
    }
    queued.queue.put(failed)
    queued.aws.script("ssm", "GetParametersByPath", DENIED, times=1)
    assert queued.poll() == []
    queued.queue.put(failed)
    assert queued.poll() == []
    assert queued.token("prod", "team-a") == queued.aws.ecr_public.issued[-1]


def test_a_sweep_that_failed_looks_back_from_when_it_was_asked_for(queued: World) -> None:
    """Without the right to look, a sweep serves only the namespaces of its window."""
    queued.add_cluster(
        "prod", namespaces=("team-a",), document="namespaces: ['team-*']", embedded=True
    )
    without_looking(queued, "prod")
    queued.set_created("prod", "team-a", minutes_ago=40)
    for minutes_ago, served in ((0, False), (30, True)):
        asked_at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        queued.queue.put(
            {
                "requestContext": {},
                "requestPayload": {"action": "sweep", "windowMinutes": 20},
                "timestamp": asked_at.isoformat(),
            }
        )
        assert queued.poll() == []
        assert (queued.secret("prod", "team-a") is not None) == served


def test_it_counts_as_a_full_push_then(queued: World, capsys: pytest.CaptureFixture[str]) -> None:
    good(queued, "one")
    queued.queue.put({"requestContext": {}, "requestPayload": {}})
    capsys.readouterr()
    queued.poll()
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 1


def test_its_failed_clusters_get_messages_of_their_own_and_it_is_done(queued: World) -> None:
    good(queued, "fine")
    bad(queued, "shut")
    queued.queue.put({"requestContext": {}, "requestPayload": {}})
    assert queued.poll() == []
    assert [message.body for message in queued.queue.waiting] == [push("shut")]


def test_a_cluster_that_has_a_message_in_the_batch_gets_no_second_one(queued: World) -> None:
    bad(queued, "shut")
    queued.queue.put(push("shut"))
    queued.queue.put({"requestContext": {}, "requestPayload": {}})
    assert len(queued.poll()) == 1
    assert [message.body for message in queued.queue.waiting] == [push("shut")]


def test_it_stays_while_its_failed_clusters_cannot_be_queued(queued: World) -> None:
    bad(queued, "shut")
    queued.queue.put({"requestContext": {}, "requestPayload": {}})
    queued.aws.script("sqs", "SendMessageBatch", DENIED)
    assert len(queued.poll()) == 1


def test_a_retry_never_quiets_the_dead_mans_switch(
    queued: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good(queued, "one")
    queued.queue.put(push("one"))
    capsys.readouterr()
    queued.poll()
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 0


def test_no_message_holds_anything_secret(queued: World) -> None:
    bad(queued, "shut")
    queued.call({})
    (message,) = queued.queue.waiting
    assert set(message.body) == {"action", "clusters"}


def test_a_changed_parameter_that_is_no_document_is_reported_and_tried_no_further(
    queued: World, capsys: pytest.CaptureFixture[str]
) -> None:
    detail = {"operation": "Create", "name": "/ecr-public-pusher/cluster/prod", "type": "String"}
    capsys.readouterr()
    report = queued.call(
        {"source": "aws.ssm", "detail-type": "Parameter Store Change", "detail": detail}
    )
    assert (report["ok"], report["unknownParameters"]) == (
        False,
        ["/ecr-public-pusher/cluster/prod"],
    )
    assert next(runs(capsys.readouterr().out))["UnknownParameters"] == 1


def test_fan_out_gives_each_of_a_few_clusters_a_message_without_delay(fanned: World) -> None:
    good(fanned, "one", "two")
    fanned.document("broken", "namespaces: {}")
    fanned.document("off", "enabled: false\nnamespaces: [a]")
    report = fanned.call({})
    assert (report["ok"], report["dispatched"], report["clusters"]) == (True, 3, [])
    assert [message.body["clusters"] for message in fanned.queue.waiting] == [
        ["broken"],
        ["one"],
        ["two"],
    ]
    assert [message.delay for message in fanned.queue.waiting] == [0, 0, 0]
    assert fanned.aws.called("ecr-public") == []
    assert fanned.asked("one") == []


def test_fan_out_sends_no_more_messages_than_the_workers_take_at_once(
    fanned: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neighbours, which often share a region, are in different messages."""
    monkeypatch.setenv("WORKERS", "2x3")
    put_broken(fanned, 14)
    assert fanned.call({})["dispatched"] == 6
    assert [message.body["clusters"] for message in fanned.queue.waiting] == [
        [f"broken-{number:02}" for number in range(first, 14, 6)] for first in range(6)
    ]


def test_by_default_fan_out_fills_five_workers_with_ten_messages(fanned: World) -> None:
    put_broken(fanned, 52)
    assert fanned.call({})["dispatched"] == 50


def test_fan_out_sends_long_ids_within_the_size_that_sqs_accepts(
    fanned: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "1x3")
    for number in range(360):
        fanned.document(f"{number:03}-{'x' * 900}", "namespaces: {}")
    assert fanned.call({})["dispatched"] == 3
    bodies = [message.body for message in fanned.queue.waiting]
    assert sum(len(body["clusters"]) for body in bodies) == 360
    assert len(fanned.aws.called("sqs", "SendMessageBatch")) == 2


@pytest.mark.parametrize(
    ("clusters", "most", "messages", "largest"),
    [(1, 50, 1, 1), (49, 50, 49, 1), (51, 50, 50, 2), (10_000, 50, 50, 200), (10_001, 50, 51, 197)],
)
def test_every_cluster_is_in_one_message_and_no_message_is_too_large(
    clusters: int, most: int, messages: int, largest: int
) -> None:
    ids = [str(number) for number in range(clusters)]
    dealt = retry_queue.deal(ids, most=most)
    assert sorted(cluster for part in dealt for cluster in part) == sorted(ids)
    sizes = sorted(len(part) for part in dealt)
    assert (len(dealt), sizes[-1]) == (messages, largest)
    assert sizes[-1] - sizes[0] <= 1


def test_workers_push_what_was_split(fanned: World) -> None:
    good(fanned, "one", "two")
    fanned.call({})
    assert fanned.poll() == []
    assert fanned.token("one", "a") == fanned.token("two", "a") == fanned.aws.ecr_public.issued[-1]


def test_a_worker_counts_as_a_full_push_and_the_dispatcher_does_not(
    fanned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good(fanned, "one")
    bad(fanned, "shut")
    capsys.readouterr()
    fanned.call({})
    assert "FullPushCompleted" not in next(runs(capsys.readouterr().out))
    fanned.poll()
    logged = next(runs(capsys.readouterr().out))
    assert (logged["FullPushCompleted"], logged["ClustersFailed"]) == (1, 1)


@pytest.mark.parametrize("workers", ["1x1", "1x10"])
def test_a_cluster_that_fails_in_a_worker_gets_a_message_of_its_own(
    fanned: World, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """Also where the worker's message names no other cluster."""
    monkeypatch.setenv("WORKERS", workers)
    good(fanned, "fine")
    bad(fanned, "shut", "shut-too")
    fanned.call({})
    assert fanned.poll() == []
    assert fanned.queue.waiting == [
        WaitingMessage(push(name), 900) for name in ("shut", "shut-too")
    ]


def test_its_retry_never_counts_as_a_full_push(
    fanned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bad(fanned, "shut")
    fanned.call({})
    fanned.poll()
    grant(fanned, "shut")
    capsys.readouterr()
    assert fanned.poll() == []
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 0


def test_a_workers_message_returns_whole_while_the_configuration_cannot_be_read(
    fanned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good(fanned, "one", "two")
    fanned.call({})
    sent = fanned.queue.waiting
    fanned.aws.script("ssm", "GetParametersByPath", DENIED, times=1)
    capsys.readouterr()
    assert len(fanned.poll()) == 2
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 0
    assert fanned.queue.waiting == sent
    assert fanned.poll() == []
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 1


def test_what_a_worker_has_no_time_for_gets_a_message_of_its_own(
    fanned: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKERS", "1x1")
    good(fanned, "hangs", "well")
    cluster = fanned.clusters["hangs"]
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: time.sleep(6)  # longer than the invocation has
    fanned.call({})
    capsys.readouterr()
    assert fanned.poll(seconds=4) == []
    assert fanned.queue.waiting == [WaitingMessage(push("hangs"), 900)]
    assert fanned.secret("well", "a") is not None
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 0


def test_only_runs_from_the_queue_share_the_request_rate_of_parameter_store(
    fanned: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty of them may read at once, so each pauses for a second between two requests."""
    monkeypatch.setenv("WORKERS", "40x10")
    for number in range(10):
        fanned.document(f"secret-{number}", "namespaces: {}", secure=number == 0)
    sent: list[float] = []
    for operation in ("GetParametersByPath", "GetParameters"):
        fanned.aws.script("ssm", operation, lambda _: sent.append(time.monotonic()))
    fanned.document("last", "namespaces: {}")

    def pauses() -> list[float]:
        return [after - before for before, after in pairwise(sent)]

    fanned.call({})
    assert sum(pauses()) < 2
    sent.clear()
    fanned.poll()
    assert len(pauses()) == 2
    assert all(pause > 1 for pause in pauses())


@pytest.mark.parametrize(
    ("readers", "seconds"), [(1, []), (2, [0.05]), (5, [0.125]), (40, [1.0]), (1_000, [1.0])]
)
def test_readers_together_stay_within_forty_requests_a_second(
    readers: int, seconds: list[float]
) -> None:
    slept: list[float] = []
    Pace(readers, slept.append).keep()
    assert slept == seconds


def test_a_message_of_an_old_full_push_no_longer_counts(
    fanned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    good(fanned, "one")
    fanned.queue.put(
        json.loads(messages.body("one", dispatched_at=datetime.now(UTC) - timedelta(hours=2)))
    )
    capsys.readouterr()
    fanned.poll()
    assert next(runs(capsys.readouterr().out))["FullPushCompleted"] == 0


def test_with_fan_out_a_narrowed_push_is_done_at_once(fanned: World) -> None:
    good(fanned, "one")
    assert fanned.call(push("one"))["totals"]["created"] == 1
    assert fanned.queue.waiting == []


def test_with_fan_out_a_queue_that_takes_nothing_fails_the_run(fanned: World) -> None:
    good(fanned, "one")
    fanned.aws.script("sqs", "SendMessageBatch", DENIED)
    with pytest.raises(PushFailed, match="QueueError"):
        fanned.call({})


def test_with_fan_out_an_unconfigured_deployment_stays_quiet(
    fanned: World, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report = fanned.call({})
    assert (report["ok"], report["unconfigured"]) == (True, True)
    assert next(runs(capsys.readouterr().out))["Unconfigured"] == 1


def test_fan_out_without_a_queue_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAN_OUT", "true")
    with pytest.raises(Exception, match="FAN_OUT is set without RETRY_QUEUE_URL"):
        world.call({})


def failure_record(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {"condition": "RetriesExhausted"},
        "requestPayload": payload,
    }


@pytest.mark.parametrize(
    "message",
    [
        failure_record({"action": "remove", "clusters": ["prod"]}),
        {"action": "remove", "clusters": ["prod"]},
    ],
)
def test_a_removal_is_never_done_from_the_queue_but_parked(
    queued: World,
    message: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dead = queued.aws.put_queue("dead")
    monkeypatch.setenv("DLQ_URL", dead.url)
    good(queued, "prod")
    queued.apply("prod", "prune.yaml")
    queued.invoke()
    queued.queue.put(message)
    capsys.readouterr()
    assert queued.poll() == []
    assert queued.secret("prod", "a") is not None
    assert [waiting.body for waiting in dead.waiting] == [message]
    assert queued.queue.waiting == []
    report = vars(caplog.records[-1])["report"]
    assert report["action"] == "remove"
    assert "never from a queue or a failure record" in report["error"]["message"]
    assert '"_aws"' not in capsys.readouterr().out


def test_a_removal_that_cannot_be_parked_comes_back(
    queued: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = queued.aws.put_queue("dead")
    monkeypatch.setenv("DLQ_URL", dead.url)
    good(queued, "prod")
    queued.aws.script("sqs", "SendMessageBatch", DENIED)
    queued.queue.put({"action": "remove", "clusters": ["prod"]})
    assert len(queued.poll()) == 1
    assert dead.waiting == []


def test_a_failure_record_prunes_no_more_than_a_push(queued: World) -> None:
    queued.add_cluster(
        "prod",
        namespaces=tuple(f"t{number}" for number in range(9)),
        document="{namespaces: ['t*'], prune: true}",
        embedded=True,
    )
    queued.apply("prod", "prune.yaml")
    queued.invoke()
    queued.document("prod", "{namespaces: [t0], prune: true}")
    queued.queue.put(failure_record({"action": "push", "clusters": ["prod"], "prune": "all"}))
    queued.poll()
    assert queued.secret("prod", "t8") is not None


def test_at_its_last_receive_a_clusters_message_is_dropped(
    queued: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next full push handles the cluster again.

    Three dead letters a day would be an alarm that never ends.
    """
    monkeypatch.setenv("RETRY_RECEIVES", "3")
    bad(queued, "shut")
    queued.queue.put(push("shut"))
    assert [len(queued.poll()) for _ in range(3)] == [1, 1, 0]
    assert (queued.queue.waiting, queued.queue.dead) == ([], [])


def test_a_message_that_is_dropped_is_not_reported_as_queued(
    queued: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RETRY_RECEIVES", "2")
    bad(queued, "shut", "shut-too")
    queued.queue.put(push("shut"))
    queued.poll()
    queued.queue.put(push("shut-too"))
    caplog.clear()
    queued.poll()
    reports = [record.__dict__["report"] for record in caplog.records]
    named = [cluster["id"] for report in reports for cluster in report["clusters"]]
    assert sorted(named) == ["shut", "shut-too"]
    assert [cluster for report in reports for cluster in report.get("queued", ())] == ["shut-too"]


def test_a_run_that_nothing_else_tries_again_becomes_a_dead_letter(
    queued: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRY_RECEIVES", "3")
    queued.queue.max_receives = 3
    queued.defaults("namespaces: [")
    queued.queue.put(failure_record({}))
    assert [len(queued.poll()) for _ in range(3)] == [1, 1, 1]
    assert queued.queue.dead == [failure_record({})]


def test_a_message_that_hangs_does_not_use_up_the_time_of_another(queued: World) -> None:
    """The messages belong to different requests, so they are two concurrent runs."""
    for name in ("hangs", "well"):
        queued.add_cluster(
            name, namespaces=("a", "b"), document="namespaces: [a, b]", embedded=True
        )
    cluster = queued.clusters["hangs"]
    assert isinstance(cluster, EmbeddedCluster)
    cluster.intercept = lambda request: time.sleep(6)  # longer than the invocation has
    queued.queue.put({"action": "push", "clusters": ["hangs"], "namespaces": ["a"]})
    queued.queue.put({"action": "push", "clusters": ["well"], "namespaces": ["b"]})
    assert len(queued.poll(seconds=4)) == 1
    assert queued.secret("well", "b") is not None
