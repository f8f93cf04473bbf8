"""The status of a deployment, from Parameter Store, the log, the queues and the alarms."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ecr_public_pusher.configuration.names import matches
from ecr_public_pusher.timestamps import rfc3339
from ecr_public_pusher.version import VERSION

from .documents.document import DocumentName
from .documents.store import list_parameters
from .errors import CliError
from .follow_up import NOTHING_GIVEN, FollowUp
from .health import ClusterHealth, Health, State, assess, take_checks
from .queues import QueueState, queue_state
from .run_log import CHECKS, LOST, PUSHES, SWEEPS, read_log
from .session import Session

# Only this much of the log is searched for the last sweep, since sweeps are many and large.
SWEEP_WINDOW = timedelta(minutes=30)
FINE = (State.OK, State.SKIPPED, State.REMOVED)
DELETED_ALARM = "documents-deleted"  # the template's name for it, after the stack's
ALARMS_AT_ONCE = 100  # CloudWatch, DescribeAlarms


@dataclass(frozen=True)
class Alarm:
    """An alarm in state ALARM."""

    name: str
    since: datetime
    description: str


@dataclass(frozen=True)
class Status:
    """The status at `now`, by the log since `since`.

    `narrowed` means that only some clusters were asked for; only these decide `ok`.
    """

    now: datetime
    since: datetime
    stack: Mapping[str, Any]
    health: Health
    unknown: tuple[str, ...]
    retry_queue: QueueState
    dead_letters: QueueState
    alarms: tuple[Alarm, ...]
    lost_runs: tuple[tuple[datetime, str], ...] = ()
    notes: tuple[str, ...] = ()
    unconfigured: bool = False
    narrowed: bool = False
    clusters: tuple[ClusterHealth, ...] = field(default=())
    follow_up: FollowUp = NOTHING_GIVEN

    @property
    def ok(self) -> bool:
        clusters_fine = all(cluster.state(self.now) in FINE for cluster in self.clusters)
        if self.narrowed:
            return clusters_fine
        rest = (
            self.health.deleted,
            self.health.run_error,
            self.unknown,
            self.dead_letters.total,
            [alarm for alarm in self.alarms if not self.is_settled(alarm)],
            self.unconfigured,
        )
        return clusters_fine and not any(rest)

    def is_settled(self, alarm: Alarm) -> bool:
        """Return whether an alarm is only about deleted documents of which nothing is left.

        Such an alarm ends without any action, hours later. The log must go back to before it began.
        """
        return (
            alarm.name == f"{self.stack['name']}-{DELETED_ALARM}"
            and alarm.since > self.since
            and bool(self.health.settled)
            and not self.health.deleted
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `status`."""
        error = self.health.run_error
        return {
            "ok": self.ok,
            "at": rfc3339(self.now),
            "since": rfc3339(self.since),
            "stack": dict(self.stack),
            "unconfigured": self.unconfigured,
            "clusters": [
                _cluster_json(cluster, self.now, self.follow_up) for cluster in self.clusters
            ],
            "lastPushError": {"at": rfc3339(error[0]), **error[1]} if error else None,
            "retryQueue": self.retry_queue.as_json(),
            "deadLetters": self.dead_letters.as_json(),
            "alarms": [
                {
                    "name": alarm.name,
                    "since": rfc3339(alarm.since),
                    "description": alarm.description,
                    "settled": self.is_settled(alarm),
                }
                for alarm in self.alarms
            ],
            "unknownParameters": list(self.unknown),
            "deletedDocuments": [
                {"id": name, "at": rfc3339(at)} for name, at in sorted(self.health.deleted.items())
            ],
            "lostRuns": [{"at": rfc3339(at), "status": how} for at, how in self.lost_runs],
            "notes": list(self.notes),
        }


def _cluster_json(cluster: ClusterHealth, now: datetime, follow_up: FollowUp) -> dict[str, Any]:
    entry = cluster.failed.entry if cluster.failed else {}
    end = cluster.expires_at
    pushed = cluster.last_good_push
    partial = cluster.partial_push
    credential = cluster.credential_expires_at
    return {
        "id": cluster.id,
        "state": cluster.state(now).value,
        "lastGoodPush": rfc3339(pushed) if pushed else None,
        "lastPartialPush": rfc3339(partial) if partial else None,
        "tokenExpiresAt": rfc3339(end) if end else None,
        "tokenHoursLeft": round(max(0.0, (end - now).total_seconds() / 3600), 1) if end else None,
        "credentialExpiresAt": rfc3339(credential) if credential else None,
        "failedAt": rfc3339(cluster.failed.at) if cluster.failed else None,
        "failedAction": cluster.failed.action if cluster.failed else None,
        "queued": bool(cluster.failed and cluster.failed.queued),
        "skipped": cluster.skipped,
        "error": entry.get("error"),
        "counts": entry.get("counts", {}),
        "problems": entry.get("problems", []),
        "problemsLeft": entry.get("problemsLeft", 0),
        "emptyGlobs": list(cluster.empty_globs),
        "inferred": cluster.inferred,
        "left": left_secrets(cluster, now, follow_up),
    }


def left_secrets(
    cluster: ClusterHealth, now: datetime, follow_up: FollowUp
) -> dict[str, str] | None:
    """Return the message and remedy about Secrets that a skipped document has left; None if none.

    Nothing renews them.
    """
    check = cluster.check
    pushed = cluster.secrets_at
    ends = cluster.expires_at
    if check is not None and check.left is not None:
        return {"message": str(check.left["message"]), "remedy": _remove(cluster, follow_up)}
    if not cluster.may_have_secrets or pushed is None:
        return None
    blocks = "block pulls now" if ends is None or ends <= now else "block pulls when they expire"
    return {
        "message": (
            f"the last push was at {rfc3339(pushed)}, and no removal is in the log since: its"
            f" Secrets are there, nothing renews them, and their tokens {blocks}"
        ),
        "remedy": _remove(cluster, follow_up),
    }


def _remove(cluster: ClusterHealth, follow_up: FollowUp) -> str:
    return f"Enable the document, or: {follow_up.command('remove', cluster.id)}"


def gather(session: Session, *, ids: Collection[str], now: datetime, window: timedelta) -> Status:
    """Read the status from AWS.

    `ids` are names and globs; empty means all. Raise CliError for one that matches nothing.
    """
    stack = session.stack
    since = now - window
    documents, unknown = read_documents(session)
    health = assess(
        documents,
        read_log(session, PUSHES, since=since),
        read_log(session, SWEEPS, since=max(since, now - SWEEP_WINDOW)),
    )
    if any(cluster.skipped is not None for cluster in health.clusters.values()):
        take_checks(health, read_log(session, CHECKS, since=since))
    shown = sorted(health.clusters.values(), key=lambda cluster: cluster.id)
    return Status(
        now,
        since,
        {
            "name": stack.name,
            "account": stack.account,
            "region": stack.region,
            "version": stack.version,
            "status": stack.status,
        },
        health,
        unknown,
        queue_state(session, stack.retry_queue_url),
        queue_state(session, stack.dead_letter_queue_url),
        alarms_up(session),
        tuple(
            (line.at, str(line.said["record"]["status"]))
            for line in read_log(session, LOST, since=since)
        ),
        _notes(session, health),
        unconfigured=not documents and not unknown,
        narrowed=bool(ids),
        clusters=tuple(_wanted(shown, ids)),
        follow_up=session.follow_up,
    )


def read_documents(session: Session) -> tuple[dict[str, datetime], tuple[str, ...]]:
    """Return when each document was last written, and the names of unknown parameters.

    Documents are keyed as `health.assess` takes them; the defaults are not among them. Nothing is
    decrypted.
    """
    root = session.stack.config_path
    documents: dict[str, datetime] = {}
    unknown = []
    for parameter in list_parameters(session.client("ssm"), root):
        name = DocumentName.of_parameter(parameter["Name"], root=root)
        if name is None:
            unknown.append(parameter["Name"])
        elif name.clusters is not None:
            documents[name.clusters] = parameter["LastModifiedDate"]
    return documents, tuple(sorted(unknown))


def alarms_up(session: Session) -> tuple[Alarm, ...]:
    """Return the stack's alarms in state ALARM.

    Found by the stack's resources, since another stack's name may begin with this one's.
    """
    pages = (
        session.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=session.stack.name)
    )
    resources = [one for page in pages for one in page["StackResourceSummaries"]]
    names = [
        one["PhysicalResourceId"]
        for one in resources
        if one["ResourceType"] == "AWS::CloudWatch::Alarm" and one.get("PhysicalResourceId")
    ]
    found = (
        session.client("cloudwatch").describe_alarms(AlarmNames=names[:ALARMS_AT_ONCE])[
            "MetricAlarms"
        ]
        if names
        else []
    )
    up = [alarm for alarm in found if alarm["StateValue"] == "ALARM"]
    return tuple(
        Alarm(
            alarm["AlarmName"],
            alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"],
            alarm.get("AlarmDescription", ""),
        )
        for alarm in sorted(up, key=lambda alarm: alarm["AlarmName"])
    )


def _wanted(clusters: list[ClusterHealth], ids: Collection[str]) -> list[ClusterHealth]:
    for pattern in ids:
        if not any(matches(pattern, cluster.id) for cluster in clusters):
            known = ", ".join(cluster.id for cluster in clusters[:20]) or "none"
            raise CliError(
                f"No cluster matches {pattern}.",
                remedy=f"There are: {known}{', ...' if len(clusters) > 20 else ''}",
            )
    return [
        cluster
        for cluster in clusters
        if not ids or any(matches(pattern, cluster.id) for pattern in ids)
    ]


def _notes(session: Session, health: Health) -> tuple[str, ...]:
    notes = []
    stack = session.stack
    if stack.version not in (None, VERSION):
        notes.append(
            f"The stack is release {stack.version}, this program {VERSION}: redeploy the stack,"
            " or reinstall the program."
        )
    if "FAILED" in stack.status:
        notes.append(f"The stack is {stack.status}: see its events in CloudFormation.")
    if (level := stack.parameters.get("LogLevel", "INFO")) != "INFO":
        notes.append(
            f"LogLevel is {level}: only runs that are not ok are logged, so good pushes are"
            " missing here."
        )
    if health.capped_at is not None:
        notes.append(
            f"The report of {rfc3339(health.capped_at)} was full: clusters that it does not name"
            " are assumed ok."
        )
    return tuple(notes)
