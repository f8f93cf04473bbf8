"""The values of the template that AWS would act on, and the stacks that are simulated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from tests.stack.template import deployed

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TOKEN_LIFE = 12 * HOUR
# A sweep renews what has less than this left: 30 % of the life, as SweepSchedule promises.
LEAST_LIFE = 0.3 * TOKEN_LIFE

PROFILES: dict[str, dict[str, str | int]] = {
    "default": {},
    "no-sweep": {"SweepSchedule": "none"},
    "rare-sweep": {"SweepSchedule": "rate(90 minutes)"},
    "fan-out": {"FanOut": "true", "SweepSchedule": "rate(15 minutes)"},
    "often": {
        "Schedule": "rate(4 hours)",
        "AlarmAfterHours": 5,
        "Timeout": 900,
        "SweepSchedule": "rate(1 hour)",
    },
}
_RATE = re.compile(r"rate\((\d+) (minute|hour)s?\)")


@dataclass(frozen=True)
class Delivery:
    """A sender's retries when Lambda does not accept an event; times in seconds."""

    every: float
    event: str
    attempts: int
    age: float


@dataclass(frozen=True)
class Settings:
    """A stack's values; times in seconds. `sweep` is None without a sweep."""

    parameters: Mapping[str, str | int]
    environment: Mapping[str, str]
    push: Delivery
    sweep: Delivery | None
    change: Delivery
    attempts: int
    age: float
    delay: float
    visibility: float
    receives: int
    alarm_after: float
    timeout: float

    @classmethod
    @cache
    def of(cls, profile: str) -> Self:
        """Return the values of the template with a profile's parameters."""
        parameters = PROFILES[profile]
        stack = {
            name: body["Properties"]
            for name, body in deployed(**parameters).items()
            if "Properties" in body
        }
        function = stack["PusherFunction"]
        invoked = next(
            body
            for body in stack.values()
            if "MaximumRetryAttempts" in body and "DestinationConfig" in body
        )
        queue = stack["RetryQueue"]
        sweep = stack.get("NamespaceSweepSchedule")
        (change,) = stack["ParameterChangeRule"]["Targets"]
        return cls(
            parameters=parameters,
            environment={
                name: str(value)
                for name, value in function["Environment"]["Variables"].items()
                if name in ("RETRY_RECEIVES", "FAN_OUT")
            },
            push=_schedule(stack["PushSchedule"]),
            sweep=None if sweep is None else _schedule(sweep),
            change=_retries(0, "", change["RetryPolicy"]),
            attempts=int(invoked["MaximumRetryAttempts"]),
            age=float(invoked["MaximumEventAgeInSeconds"]),
            delay=float(queue["DelaySeconds"]),
            visibility=float(queue["VisibilityTimeout"]),
            receives=int(queue["RedrivePolicy"]["maxReceiveCount"]),
            alarm_after=int(stack["NoFullPushAlarm"]["EvaluationPeriods"]) * HOUR,
            timeout=float(function["Timeout"]),
        )


def _schedule(properties: Mapping[str, Any]) -> Delivery:
    found = _RATE.fullmatch(properties["ScheduleExpression"])
    assert found, properties["ScheduleExpression"]
    every = int(found[1]) * (MINUTE if found[2] == "minute" else HOUR)
    target = properties["Target"]
    return _retries(every, target["Input"], target["RetryPolicy"])


def _retries(every: float, event: str, policy: Mapping[str, Any]) -> Delivery:
    return Delivery(
        every,
        event,
        int(policy["MaximumRetryAttempts"]),
        float(policy["MaximumEventAgeInSeconds"]),
    )
