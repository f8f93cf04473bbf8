"""One registry token for a run, asked for when it is first needed. It never outlives the invocation."""

from ecr_public_pusher.aws_api.clients import AwsClients
from ecr_public_pusher.blocking_calls import BlockingCalls
from ecr_public_pusher.concurrency import OncePerKey
from ecr_public_pusher.deadline import Deadline
from ecr_public_pusher.errors import PusherError
from ecr_public_pusher.registries.ecr_public import API_REGIONS, fetch_token
from ecr_public_pusher.results import RegistryToken
from ecr_public_pusher.timestamps import from_epoch

PUBLIC = "public.ecr.aws"


class TokenProvider:
    """`issued` and `failure` say what came of it, for the report; both are None while nobody has asked."""

    def __init__(self, clients: AwsClients, blocking: BlockingCalls, deadline: Deadline) -> None:
        self._clients, self._blocking, self._deadline = clients, blocking, deadline
        self._tokens: OncePerKey[str, RegistryToken] = OncePerKey()
        self.issued: RegistryToken | None = None
        self.failure: PusherError | None = None

    async def token(self) -> RegistryToken:
        """The token. Who comes later gets the same, or the same failure: TokenError, DeadlineReached."""
        try:
            self.issued = await self._tokens.get(PUBLIC, self._fetch)
        except PusherError as failure:
            self.failure = failure
            raise
        return self.issued

    async def _fetch(self) -> RegistryToken:
        return await self._deadline.wait_for(self._blocking.run(self._fetched), what="asking ECR Public for a token")

    def _fetched(self) -> RegistryToken:
        return fetch_token((self._clients.client("ecr-public", region) for region in API_REGIONS), from_epoch(self._deadline.clock.wall()))
