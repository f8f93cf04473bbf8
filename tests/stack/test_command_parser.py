"""tests/support/commands: what passes for a command, and what does not."""

import shutil
import subprocess

import pytest

from tests.support.commands import (
    Command,
    ShellSyntaxError,
    in_backticks,
    in_fences,
    parse,
    problems,
)
from tests.support.commands.aws_cli import lacks_region
from tests.support.commands.kubectl_cli import names_context

PUT = "aws ssm put-parameter --name /x/clusters/a --type String --value file://a.yaml"


def one(text: str) -> Command:
    (command,) = parse(text)
    return command


# --- shell


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("aws sts get-caller-identity && kubectl get ns | grep x", ["aws", "kubectl", "grep"]),
        ("ROLE=$(aws sts get-caller-identity --query Arn)\necho $ROLE", ["aws", "echo"]),
        ('echo "a $(kubectl version)"', ["echo", "kubectl"]),
        ("for ns in a b; do kubectl get ns $ns; done", ["kubectl"]),
        ("A=b make run", ["make"]),
        ("cat <<EOF | kubectl apply -f -\nkind: aws s3\nEOF\n", ["cat", "kubectl"]),
    ],
)
def test_every_command_of_a_text_is_found(text: str, programs: list[str]) -> None:
    assert [command.program for command in parse(text)] == programs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x 'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("x one \\\n  two", ["one", "two"]),
        ("""x 'Schedule="rate(4 hours)"'""", ['Schedule="rate(4 hours)"']),
        ('x "say \\"no\\" to  $all  of it"', ['say "no" to  $all  of it']),
        ("x --key='a b'", ["--key=a b"]),
    ],
)
def test_words_are_as_the_program_gets_them(text: str, words: list[str]) -> None:
    assert [word.text for word in one(text).words] == words


def test_a_word_that_is_expanded_or_to_be_replaced_may_be_anything() -> None:
    assert [word.open for word in one("x $A ROLE_ARN ADDRESS/32 a -A").words] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["aws 'unclosed", "kubectl get (x"])
def test_a_syntax_error_is_refused(text: str) -> None:
    with pytest.raises(ShellSyntaxError):
        parse(text)


# --- programs


@pytest.mark.parametrize(
    "text",
    [
        f"{PUT} --overwrite --region eu-west-1",
        (
            "aws --region eu-west-1 --output text eks describe-cluster --name a --query"
            " cluster.endpoint"
        ),
        "aws eks wait cluster-active --name a",
        "aws eks update-kubeconfig --name a --alias b",
        (
            "aws lambda invoke --function-name f --payload '{}' --cli-binary-format"
            " raw-in-base64-out --cli-read-timeout 0 out.json"
        ),
        "aws sqs receive-message --queue-url $URL --max-number-of-messages 10",
        (
            "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 443"
            " --source-group sg-2"
        ),
        "aws ssm get-parameters-by-path --path /x --recursive --max-items 5",
        "aws logs tail /aws/lambda/x --since 1h --follow",
        "aws eks create-access-entry --cluster-name a --principal-arn ROLE --kubernetes-groups a b",
        "kubectl --context a apply -f x.yaml",
        (
            "kubectl -n a create secret docker-registry b --docker-server=x --docker-username=x"
            " --docker-password=x --dry-run=server"
        ),
        "kubectl delete secret -A -l app.kubernetes.io/managed-by=ecr-public-pusher",
        "sam deploy --guided --parameter-overrides A=b C=d",
        "sam remote invoke PusherFunction --event '{}' --stack-name x",
    ],
)
def test_commands_that_the_tools_take_pass(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("aws ssn put-parameter", "no service ssn"),
        ("aws ssm put-parameters --name x", "ssm has no command put-parameters"),
        ("aws eks wait cluster-there --name a", "eks has no waiter cluster-there"),
        ("aws ssm put-parameter --name /x --overwrit --value x", "no option --overwrit"),
        ("aws ssm put-parameter --value x", "lacks --name"),
        (f"{PUT} --tier Free", "--tier takes one of Standard"),
        (f"{PUT} again", "takes 0 words that belong to no option, not 1: again"),
        (
            "aws sqs receive-message --queue-url u --max-number-of-messages ten",
            "takes a whole number",
        ),
        ("aws sqs start-message-move-task --source-url u", "no option --source-url"),
        ("aws eks update-kubeconfig --alias x", "lacks --name"),
        ("kubectl aply -f x", "kubectl aply is not a command known here"),
        ("kubectl apply x.yaml", "names no file"),
        ("kubectl get secret --al", "no option --al"),
        ("kubectl create role x --verbs=get", "no option --verbs"),
        ("kubectl create secret docker-registry x --dry-run server", "names more than one object"),
        ("sam deploi", "sam has no command deploi"),
        ("sam deploy --parameters A=b", "no option --parameters"),
        ("eksctl create accessentry --principal x", "no option --principal"),
        ("eksctl create cluster", "is not a command known here"),
        ("helm upgrade --install one chart --context x", "no option --context"),
        ("helm uninstall one", "is not a command known here"),
        ("terraform aply", "is not a command known here"),
        ("kubctl get ns", "not a program known"),
    ],
)
def test_commands_that_the_tools_refuse_do_not(text: str, problem: str) -> None:
    found = problems(text)
    assert any(problem in said for said in found), found


def test_a_judge_of_another_program_can_be_added() -> None:
    assert problems("ours x", more={"ours": lambda command: [f"not {command.words[0].text}"]}) == [
        "ours x: not x"
    ]


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        (PUT, True),
        (f"{PUT} --region a", False),
        ("aws --region=a eks list-clusters", False),
        ("aws iam list-roles", False),
    ],
)
def test_a_command_without_its_region_is_known(text: str, lacks: bool) -> None:
    assert lacks_region(one(text)) is lacks


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kubectl get ns", False),
        ("kubectl --context a get ns", True),
        ("kubectl config get-contexts", True),
    ],
)
def test_a_command_that_names_no_cluster_is_known(text: str, named: bool) -> None:
    assert names_context(one(text)) is named


def test_the_kubectl_that_is_there_knows_the_flags_of_the_table() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this machine")
    shown = subprocess.run(
        ["kubectl", "create", "clusterrole", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(f"--{flag}=" in shown for flag in ("verb", "resource", "resource-name"))


# --- prose


def test_commands_stand_in_backticks_and_names_of_programs_do_not_count() -> None:
    assert in_backticks(
        "Run `aws sts get-caller-identity`, which `sam` or `secretName` is not; `kubectl get ns`"
        " too."
    ) == [
        "aws sts get-caller-identity",
        "kubectl get ns",
    ]


def test_fenced_blocks_of_a_shell_are_found_with_their_line() -> None:
    markdown = (
        "# A\n\n```sh\nmake run\n```\n\n```json\n{}\n```\n\n```console\n$ make test\nall"
        " good\n```\n"
    )
    assert [(snippet.text, snippet.line) for snippet in in_fences(markdown)] == [
        ("make run\n", 4),
        ("make test", 12),
    ]
