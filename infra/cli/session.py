"""AWS for one command: a boto3 session, a client for each service, and the stack on first use."""

import functools
import os
from functools import cached_property
from typing import Any

from ecr_public_pusher.ownership import USER_AGENT

from .deployed_stack import DeployedStack, find_stack
from .errors import CliError, ExitCode, no_region
from .follow_up import NOTHING_GIVEN, FollowUp

CONNECT_SECONDS = 10
READ_SECONDS = 60
ATTEMPTS = 4  # botocore's standard mode: throttling, 5xx and lost connections, with jitter


class Session:
    """The AWS access of one command.

    `stack_name` None means the region's only stack. `patient` False means short timeouts and no
    retries. `follow_up` makes the commands of remedies.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        stack_name: str | None = None,
        patient: bool = True,
        follow_up: FollowUp = NOTHING_GIVEN,
    ) -> None:
        self.follow_up = follow_up
        self._stack_name = stack_name
        self._patient = patient
        self._boto = _boto_session(profile, region)
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """Return the region. Raise CliError when none is set."""
        if self._boto.region_name is None:
            raise no_region(self.follow_up.profile)
        return str(self._boto.region_name)

    @cached_property
    def account(self) -> str:
        """Return the account of the credentials."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @cached_property
    def stack(self) -> DeployedStack:
        """Return the stack. Raise CliError when there is none, or several and no name."""
        return find_stack(self, self._stack_name)

    def client(self, service: str, *, region: str | None = None) -> Any:
        """Return a client with timeouts and a few retries, made once for each region.

        `region` defaults to the stack's.
        """
        where = region or self.region
        if (key := f"{service} {where}") not in self._clients:
            self._clients[key] = self.make_client(
                service,
                region=where,
                connect_timeout=CONNECT_SECONDS if self._patient else 1,
                read_timeout=READ_SECONDS if self._patient else 2,
                retries={
                    "mode": "standard",
                    "total_max_attempts": ATTEMPTS if self._patient else 1,
                },
            )
        return self._clients[key]

    def make_client(self, service: str, *, region: str | None = None, **settings: Any) -> Any:
        """Return a new client with these settings of botocore's Config."""
        from botocore.config import Config

        return self._boto.client(
            service,
            region_name=region or self.region,
            config=Config(user_agent_extra=f"{USER_AGENT} cli", **settings),
        )


@functools.cache
def _models(data_path: str | None) -> Any:
    """Return the loader of AWS's service models, which reads them once in a process."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _boto_session(profile: str | None, region: str | None) -> Any:
    import boto3  # takes 0.2 s, which --help and usage errors need not wait for
    from botocore.exceptions import ConfigParseError, ProfileNotFound
    from botocore.session import Session as BotocoreSession

    try:
        # As in AWS CLI v2; boto3 reads only AWS_DEFAULT_REGION.
        session = BotocoreSession(profile=profile)
        session.register_component("data_loader", _models(session.get_config_variable("data_path")))
        return boto3.Session(
            botocore_session=session, region_name=region or os.environ.get("AWS_REGION") or None
        )
    except ProfileNotFound as error:
        known = ", ".join(sorted(BotocoreSession().available_profiles)) or "none"
        raise CliError(
            f"{error}.",
            remedy=(
                f"Profiles of your AWS configuration: {known}. Give one with --profile or"
                " AWS_PROFILE."
            ),
        ) from None
    except ConfigParseError as error:
        raise CliError(
            f"Your AWS configuration cannot be read: {error}", exit_code=ExitCode.USAGE
        ) from None
