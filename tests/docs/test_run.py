"""The documents' commands do what the documents say, pasted as they stand, and twice."""

import json

from tests.docs.conftest import Shell, block_of
from tests.support.world import EXECUTION_ROLE, SECRET

CLUSTER = "my-cluster"
NOBODY = "arn:aws:iam::111122223333:role/somebody-else"


def add_cluster(shell: Shell, *, admitted: bool = False) -> None:
    """One that knows nothing of the function yet, or all of it."""
    principal, rbac = (EXECUTION_ROLE, "cluster.yaml") if admitted else (NOBODY, None)
    shell.world.add_cluster(CLUSTER, namespaces=("team-a",), region="eu-west-1", principal=principal, rbac=rbac)
    shell.knows(CLUSTER)


def test_a_document_may_be_written_again(shell: Shell) -> None:
    add_cluster(shell)
    for _ in range(2):
        shell.run(block_of("docs/configuration.md", starts="aws ssm put-parameter"))
    (cluster,) = shell.world.invoke({"action": "plan"})["clusters"]
    assert cluster["id"] == CLUSTER


def test_access_entry_rights_and_document_are_all_that_a_push_needs(shell: Shell) -> None:
    add_cluster(shell)
    shell.run(block_of("docs/configuration.md", starts="aws ssm put-parameter"))
    assert shell.world.invoke()["clusters"][0]["error"]["type"] == "SignInError"
    shell.run(block_of("docs/clusters.md", starts="ROLE="))
    for _ in range(2):
        shell.run(block_of("docs/clusters.md", starts="aws eks update-kubeconfig"))
    assert shell.world.invoke()["totals"]["created"] == 2


def test_the_secret_is_there_to_be_looked_at_and_used(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default]}")
    shell.world.invoke()
    look, _, use = block_of("docs/clusters.md", starts="kubectl --context my-cluster get secret").text.partition("\n")
    assert "expires-at" in shell.run_text(look)
    assert use.startswith("kubectl --context my-cluster apply -f infra/examples/pod.yaml")


def test_without_the_function_secrets_are_deleted_by_their_label(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default, team-a]}")
    shell.world.invoke()
    for _ in range(2):
        shell.run(block_of("docs/clusters.md", starts="kubectl --context my-cluster delete secret -A"))
    assert [shell.world.secret(CLUSTER, namespace, SECRET) for namespace in ("default", "team-a")] == [None, None]


def test_a_push_is_sent_without_the_command_line(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default]}")
    printed = shell.run(block_of("docs/operations.md", starts="FUNCTION="))
    report, _ = json.JSONDecoder().raw_decode(printed)
    assert report["totals"]["created"] == 1


def test_dead_letters_are_moved_to_the_retry_queue(shell: Shell) -> None:
    shell.deployment.dead_letters.put({"action": "push", "clusters": ["prod"]})
    shell.run(block_of("docs/runbook.md", starts="REGION=us-east-1 STACK=ecr-public-pusher\noutput()"))
    assert [message.body for message in shell.deployment.retry_queue.waiting] == [{"action": "push", "clusters": ["prod"]}]


def test_an_unknown_parameter_is_found_and_deleted(shell: Shell) -> None:
    shell.world.aws.put_parameter("/ecr-public-pusher/cluster/my-cluster", "namespaces: [default]")
    assert "/ecr-public-pusher/cluster/my-cluster" in shell.run(block_of("docs/runbook.md", holds="aws ssm delete-parameter"))
    assert "unknownParameters" not in shell.world.invoke()
