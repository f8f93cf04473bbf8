"""The registry tokens of a run, each requested once, when it is first needed.

None of them outlives the invocation.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ecr_public_pusher.aws_api.assumed_role import Callers
from ecr_public_pusher.concurrency import OncePerKey
from ecr_public_pusher.configuration.cluster_config import ClusterConfig, PrivateRegistry
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import PusherError, RoleError, TokenError
from ecr_public_pusher.registries.ecr_private import fetch_private_token
from ecr_public_pusher.registries.ecr_public import API_REGIONS, fetch_token
from ecr_public_pusher.registries.registry import (
    PUBLIC,
    PUBLIC_HOSTS,
    is_private_host,
    private_hosts,
)
from ecr_public_pusher.results import IssuedToken, RegistryToken
from ecr_public_pusher.role_use import PULL
from ecr_public_pusher.timestamps import from_epoch

# A token serves every private registry of its region that the role may read.
type _TokenKey = tuple[str, str | None, str] | None


@dataclass(frozen=True)
class RegistryCredential:
    """A token, and the hosts that it signs in to, the usual name first."""

    hosts: tuple[str, ...]
    token: RegistryToken


class TokenProvider:
    """The source of registry tokens for one run.

    `issued` and `public_failure` hold the results, for the report.
    `execution_role`: the ARN of the function's own role, where it is known.
    """

    def __init__(
        self, callers: Callers, deadline: Deadline, *, execution_role: str | None = None
    ) -> None:
        self._callers = callers
        self._deadline = deadline
        self._execution_role = execution_role
        self._tokens: OncePerKey[_TokenKey, RegistryToken] = OncePerKey()
        self._issued: dict[str, IssuedToken] = {}
        self.public_failure: PusherError | None = None

    @property
    def issued(self) -> tuple[IssuedToken, ...]:
        """The tokens that were issued: ECR Public's first, then by registry."""
        return tuple(
            sorted(self._issued.values(), key=lambda issued: (issued.private, issued.registry))
        )

    @property
    def has_public(self) -> bool:
        """Return whether ECR Public exists in the function's partition: only in `aws`."""
        clients = self._callers.clients
        return clients.partition(clients.region)[0] in ("", "aws")

    async def public(self) -> RegistryCredential:
        """Return ECR Public's credential; later callers get the same, or the same failure.

        Raise TokenError, DeadlineReached.
        """
        try:
            token = await self._tokens.get(None, self._fetch_public)
        except PusherError as failure:
            self.public_failure = failure
            raise
        return self._noted(RegistryCredential(PUBLIC_HOSTS, token), private=False)

    async def private(self, registry: PrivateRegistry) -> RegistryCredential:
        """Return a private registry's credential. Raise TokenError, RoleError, DeadlineReached."""
        partition, suffix = self._callers.clients.partition(registry.region)
        self._check(registry, partition)
        hosts = private_hosts(registry.account, registry.region, partition=partition, suffix=suffix)
        key = (registry.role_arn, registry.external_id, registry.region)
        is_registry = partial(
            is_private_host, region=registry.region, partition=partition, suffix=suffix
        )
        token = await self._tokens.get(key, lambda: self._fetch_private(registry, is_registry))
        return self._noted(RegistryCredential(hosts, token), private=True)

    def _check(self, registry: PrivateRegistry, partition: str) -> None:
        """Raise TokenError or RoleError for mistakes that can be found without a call."""
        if not partition:
            raise TokenError(
                f"there is no region {registry.region}", remedy="Check `region` of the registry."
            )
        if (of_role := registry.role_arn.split(":")[1]) != partition:
            raise TokenError(
                f"{registry.role_arn} is in the partition {of_role}, and the registry's region"
                f" {registry.region} in {partition}",
                remedy=(
                    "Check `region` and `roleArn` of the registry: a role can only pull from"
                    " registries in its own partition."
                ),
            )
        if self._execution_role and _same_role(registry.role_arn, self._execution_role):
            raise RoleError(
                f"the roleArn of the registry {registry.account} in {registry.region} is the"
                " function's own role, whose permissions the token would have",
                remedy=(
                    "Give the registry a role of its own: infra/pull-role.yaml creates one, and"
                    f" {PULL.parameter} names it."
                ),
            )

    async def of(self, config: ClusterConfig) -> list[RegistryCredential]:
        """Return all credentials of a document's Secret, requested concurrently.

        Raise the failure of the first that cannot be had.
        """
        if not config.public_registry:
            return await self.private_of(config)
        public, private = await asyncio.gather(self.public(), self.private_of(config))
        return [public, *private]

    async def private_of(self, config: ClusterConfig) -> list[RegistryCredential]:
        """Return the private registries' credentials of a document's Secret."""
        return list(
            await asyncio.gather(
                *(self.private(registry) for registry in config.private_registries)
            )
        )

    async def each_private(
        self, config: ClusterConfig
    ) -> list[RegistryCredential | TokenError | RoleError]:
        """Return the private registries' credentials, or in place of each missing one its failure.

        Raise DeadlineReached.
        """

        async def tried(registry: PrivateRegistry) -> RegistryCredential | TokenError | RoleError:
            try:
                return await self.private(registry)
            except (TokenError, RoleError) as error:
                return error

        return list(
            await asyncio.gather(*(tried(registry) for registry in config.private_registries))
        )

    def _noted(self, credential: RegistryCredential, *, private: bool) -> RegistryCredential:
        name = credential.hosts[0] if private else PUBLIC
        issued = IssuedToken(name, credential.token.expires_at, private=private)
        # Of the tokens of two roles, the report shows the first to expire.
        self._issued[name] = min(
            issued, self._issued.get(name, issued), key=lambda one: one.expires_at
        )
        return credential

    async def _fetch_public(self) -> RegistryToken:
        clients = self._callers.clients
        if not self.has_public:
            raise TokenError(
                "Amazon ECR Public exists in the partition aws only, and the function is in"
                f" {clients.region}",
                remedy=(
                    "List the registries that the Secret signs in to in `registries`, without"
                    " `public`."
                ),
            )
        asking = self._callers.blocking.run(
            lambda: fetch_token(
                (clients.client("ecr-public", region) for region in API_REGIONS),
                from_epoch(self._deadline.clock.wall()),
            )
        )
        return await self._deadline.wait_for(asking, what="asking ECR Public for a token")

    async def _fetch_private(
        self, registry: PrivateRegistry, is_registry: Callable[[str], bool]
    ) -> RegistryToken:
        assuming = self._callers.caller(registry.role_arn, registry.external_id, use=PULL)
        caller = await self._deadline.wait_for(assuming, what=f"assuming {registry.role_arn}")
        client = self._callers.clients.client("ecr", registry.region)
        asking = self._callers.blocking.run(
            lambda: fetch_private_token(
                client,
                registry.role_arn,
                from_epoch(self._deadline.clock.wall()),
                signature=caller.signature,
                is_registry=is_registry,
            ),
            service="ecr",
        )
        return await self._deadline.wait_for(
            asking, what=f"asking ECR in {registry.region} for a token"
        )


def _same_role(one: str, other: str) -> bool:
    """Return whether both ARNs have the same account and role name.

    Within an account a role's name is unique, whatever path is written before it.
    """
    return (one.split(":")[4], one.rpartition("/")[2]) == (
        other.split(":")[4],
        other.rpartition("/")[2],
    )
