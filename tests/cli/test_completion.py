"""The shell's completion, called as a shell calls it."""

from tests.support.operator import Operator


def completed(operator: Operator, line: str, **environ: str) -> list[str]:
    asked = {
        "_ECR_PUBLIC_PUSHER_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    process = operator.start(**asked, **environ)
    said, complaint = process.communicate(timeout=60)
    assert complaint == ""
    return said.split()


def test_ids_come_from_parameter_store(operator: Operator) -> None:
    for name in ("prod", "prod-eu", "edge"):
        operator.world.document(name, "namespaces: [a]")
    assert completed(operator, "ecr-public-pusher push pro") == ["prod", "prod-eu"]


def test_a_discoverys_id_is_the_glob_of_what_it_finds(operator: Operator) -> None:
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    assert completed(operator, "ecr-public-pusher status ") == ["fleet/*"]


def test_without_aws_there_is_nothing_and_no_complaint(operator: Operator) -> None:
    operator.world.document("prod", "namespaces: [a]")
    assert (
        completed(operator, "ecr-public-pusher status ", AWS_ENDPOINT_URL="http://127.0.0.1:9")
        == []
    )


def test_commands_are_completed(operator: Operator) -> None:
    assert "status" in " ".join(completed(operator, "ecr-public-pusher sta"))


def test_documents_are_completed_by_their_names_and_the_stack_before_the_group_counts(
    operator: Operator,
) -> None:
    operator.world.document("prod", "namespaces: [a]")
    operator.world.discovery("fleet", "regions: [eu-west-1]\ntags: {a: b}")
    assert completed(operator, "ecr-public-pusher clusters edit ") == ["discover/fleet", "prod"]
    assert completed(operator, "ecr-public-pusher --stack another clusters edit ") == []
    operator.world.defaults("prune: true")
    edited = completed(operator, "ecr-public-pusher clusters edit ")
    assert edited == ["defaults", "discover/fleet", "prod"]
    assert completed(operator, "ecr-public-pusher clusters enable ") == ["prod"]
