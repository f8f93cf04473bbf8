"""A client that serves all regions.

Its calls go, and are signed, where a client of that region's own would send them.
"""

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import Session

from ecr_public_pusher.aws_api.clients import AwsClients

CALLS: dict[str, Callable[[Any], object]] = {
    "ecr": lambda client: client.get_authorization_token(),
    "eks": lambda client: client.describe_cluster(name="prod"),
    "secretsmanager": lambda client: client.get_secret_value(SecretId="edge"),
}
SESSION = Session()
REGIONS = sorted(
    region
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("eks", partition_name=partition)
)


class Unsent:
    """A session whose requests are kept instead of being sent."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[AWSPreparedRequest] = []
        self.session = Session()
        self.session.set_credentials("AKIAEXAMPLE", "secret")
        self.session.register("before-send", self._keep)

    def _keep(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(request)
        answer = AWSResponse(request.url, self.status, {}, None)
        answer._content = b"{}"
        return answer

    @property
    def last(self) -> tuple[str, str]:
        """Return the host of the last request, and the region that it was signed for."""
        request = self.requests[-1]
        scope = request.headers["Authorization"]
        scope = scope.decode() if isinstance(scope, bytes) else scope
        return urlsplit(request.url).netloc, scope.split("/")[2]


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> Unsent:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return Unsent()


@pytest.mark.parametrize("service", CALLS)
def test_a_call_goes_where_a_client_of_that_region_would_send_it(
    unsent: Unsent, service: str
) -> None:
    clients = AwsClients("eu-central-1", session=unsent.session)
    call = CALLS[service]
    ours = {}
    theirs = {}
    for region in REGIONS:
        call(clients.client(service, region))
        ours[region] = unsent.last
        call(unsent.session.create_client(service, region_name=region))
        theirs[region] = unsent.last
    assert ours == theirs
    assert len(ours) > 40


def test_calls_of_the_functions_own_region_stay_there(unsent: Unsent) -> None:
    clients = AwsClients("eu-central-1", session=unsent.session)
    for region in ("us-east-1", None):
        clients.client("eks", region).list_clusters()
    assert unsent.last == ("eks.eu-central-1.amazonaws.com", "eu-central-1")


def test_regions_do_not_pile_up_in_a_warm_sandbox(unsent: Unsent) -> None:
    clients = AwsClients("us-east-1", session=unsent.session)

    def made() -> int:
        gc.collect()
        return sum(isinstance(one, BaseClient) for one in gc.get_objects())

    before = made()
    for service, call in CALLS.items():
        for region in REGIONS:
            call(clients.client(service, region))
    assert made() - before == len(CALLS)


def test_each_names_its_region(unsent: Unsent) -> None:
    clients = AwsClients("us-east-1", session=unsent.session)
    assert [clients.client("eks", region).meta.region_name for region in ("eu-west-1", None)] == [
        "eu-west-1",
        "us-east-1",
    ]


def test_a_region_that_fails_takes_no_tries_from_the_others(unsent: Unsent) -> None:
    clients = AwsClients("us-east-1", session=unsent.session)
    unsent.status = 500

    def ask(region: str) -> None:
        with pytest.raises(ClientError):
            clients.client("eks", region).list_clusters()

    ask("eu-west-1")
    with ThreadPoolExecutor(
        60
    ) as threads:  # in botocore's standard mode, 50 calls use up the tries of a client
        list(threads.map(ask, ["eu-west-1"] * 60))
    unsent.requests.clear()
    ask("eu-central-1")
    assert len(unsent.requests) == 3
