"""The Secret's body."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.jobs.secret_manifest import SecretManifest
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.timestamps import rfc3339


def test_the_whole_body() -> None:
    cluster = ClusterConfig(
        "prod",
        "main",
        "us-east-1",
        Selection(("a",)),
        secret_name="pull",
        labels={"team": "web"},
        annotations={"example.com/why": "x"},
    )
    manifest = SecretManifest.of(
        cluster,
        b'{"auths":{}}',
        owner=Stack("111122223333", "us-east-1", "stack").owner("prod"),
        expires_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        pushed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    body = json.loads(manifest.unbound)
    assert body == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "pull",
            "labels": {"team": "web", "app.kubernetes.io/managed-by": "ecr-public-pusher"},
            "annotations": {
                "example.com/why": "x",
                "ecr-public-pusher/expires-at": "2026-01-01T12:00:00Z",
                "ecr-public-pusher/pushed-at": "2026-01-01T00:00:00.000000Z",
                "ecr-public-pusher/owner": "111122223333/us-east-1/stack/prod",
            },
        },
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(b'{"auths":{}}').decode()},
        "stringData": {".dockerconfigjson": '{"auths":{}}'},
    }
    bound = json.loads(manifest.bound(uid="a-uid", version="12"))
    assert bound["metadata"] == {**body["metadata"], "uid": "a-uid", "resourceVersion": "12"}
    assert {**bound, "metadata": body["metadata"]} == body


def test_times_are_written_in_utc() -> None:
    assert (
        rfc3339(datetime(2026, 1, 1, 1, 30, 0, 999, tzinfo=timezone(timedelta(hours=1))))
        == "2026-01-01T00:30:00Z"
    )
