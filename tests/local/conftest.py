"""An AWS and a cluster of one test each."""

from collections.abc import Iterator

import pytest

from infra.local.aws import LocalAws
from infra.local.kube import EmbeddedCluster


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    with EmbeddedCluster("prod", credentials=lambda _: None) as started:
        yield started
