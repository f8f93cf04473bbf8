"""The documents' commands do what the documents say, pasted as they stand, and twice."""

import json

from tests.docs.conftest import Shell, block_of
from tests.docs.documents import ROOT, blocks
from tests.support.world import EXECUTION_ROLE, SECRET

CLUSTER = "my-cluster"
NOBODY = "arn:aws:iam::111122223333:role/somebody-else"


def add_cluster(shell: Shell, *, admitted: bool = False) -> None:
    """Add a cluster on which the function has no rights yet, or all of them."""
    principal, rbac = (EXECUTION_ROLE, "cluster.yaml") if admitted else (NOBODY, None)
    shell.world.add_cluster(
        CLUSTER, namespaces=("team-a",), region="eu-west-1", principal=principal, rbac=rbac
    )
    shell.knows(CLUSTER)


def without_pods(text: str) -> str:
    """Return the text without the example's Pod, which the local clusters do not know.

    tests/stack/test_examples.py reads it.
    """
    return "".join(
        line for line in text.splitlines(keepends=True) if "infra/examples/pod.yaml" not in line
    )


def test_the_quick_start_works_pasted_unchanged_and_again(shell: Shell) -> None:
    add_cluster(shell)
    pasted = [block.text for block in blocks({"sh"}) if block.document == ROOT / "README.md"]
    yours, *steps = pasted[
        next(number for number, text in enumerate(pasted) if text.startswith("STACK_REGION=")) :
    ]
    for _ in range(2):
        shown = [shell.type(yours + without_pods(step)) for step in steps]
        assert shell.world.secret(CLUSTER, "default", SECRET) is not None
        assert "expires-at" in shown[-1]


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


def test_the_secret_is_there_to_be_looked_at(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default]}")
    shell.world.invoke()
    look = block_of("docs/clusters.md", starts="kubectl --context my-cluster get secret").text
    assert "expires-at" in shell.run_text(without_pods(look))


def test_a_cluster_is_removed_with_its_secrets(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default, team-a]}")
    shell.world.invoke()
    for command in ("clusters add my-cluster --allow-removal", "clusters delete my-cluster"):
        shell.type(block_of("docs/clusters.md", holds=command).text)
    assert [
        shell.world.secret(CLUSTER, namespace, SECRET) for namespace in ("default", "team-a")
    ] == [None, None]
    assert "unconfigured" in shell.world.invoke()


def test_one_command_undoes_what_one_command_did(shell: Shell) -> None:
    add_cluster(shell)
    shell.type(block_of("docs/clusters.md", starts="ecr-public-pusher clusters add").text)
    assert shell.world.secret(CLUSTER, "default", SECRET) is not None
    shell.type(block_of("docs/clusters.md", starts="ecr-public-pusher clusters offboard").text)
    assert shell.world.secret(CLUSTER, "default", SECRET) is None
    assert shell.world.clusters[CLUSTER].access_entries.of(EXECUTION_ROLE) is None


def test_what_one_command_does_may_be_done_again(shell: Shell) -> None:
    add_cluster(shell)
    for _ in range(2):
        shown = shell.type(
            block_of("docs/clusters.md", starts="ecr-public-pusher clusters add").text
        )
    assert "Nothing to change" in shown


def test_everything_is_removed(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.apply(CLUSTER, "prune.yaml")
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default, team-a]}")
    shell.world.invoke()
    shell.type(block_of("docs/operations.md", starts="ecr-public-pusher remove '*'").text)
    assert [
        shell.world.secret(CLUSTER, namespace, SECRET) for namespace in ("default", "team-a")
    ] == [None, None]


def test_documents_are_kept_in_git(shell: Shell) -> None:
    validate, diff, apply = block_of(
        "docs/operations.md", starts="ecr-public-pusher validate"
    ).text.splitlines()
    assert "valid" in shell.run_text(validate)
    shell.type(f"{apply} --no-wait")  # the clusters of the examples do not exist
    shell.run_text(diff)  # exit code 0: no difference is left


def test_without_the_function_secrets_are_deleted_by_their_label(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default, team-a]}")
    shell.world.invoke()
    for _ in range(2):
        shell.run(
            block_of("docs/clusters.md", starts="kubectl --context my-cluster delete secret -A")
        )
    assert [
        shell.world.secret(CLUSTER, namespace, SECRET) for namespace in ("default", "team-a")
    ] == [None, None]


def test_a_push_is_sent_without_the_command_line(shell: Shell) -> None:
    add_cluster(shell, admitted=True)
    shell.world.document(CLUSTER, "{region: eu-west-1, namespaces: [default]}")
    printed = shell.run(block_of("docs/events.md", starts="FUNCTION="))
    report, _ = json.JSONDecoder().raw_decode(printed)
    assert report["totals"]["created"] == 1


def test_dead_letters_are_moved_to_the_retry_queue(shell: Shell) -> None:
    shell.deployment.dead_letters.put({"action": "push", "clusters": ["prod"]})
    shell.run(
        block_of("docs/runbook.md", starts="REGION=us-east-1 STACK=ecr-public-pusher\noutput()")
    )
    assert [message.body for message in shell.deployment.retry_queue.waiting] == [
        {"action": "push", "clusters": ["prod"]}
    ]


def test_an_unknown_parameter_is_found_and_deleted(shell: Shell) -> None:
    shell.world.aws.put_parameter("/ecr-public-pusher/cluster/my-cluster", "namespaces: [default]")
    assert "/ecr-public-pusher/cluster/my-cluster" in shell.run(
        block_of("docs/runbook.md", holds="aws ssm delete-parameter")
    )
    assert "unknownParameters" not in shell.world.invoke()
