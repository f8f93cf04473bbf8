"""The choice of the deployment: by name, the only one, or an error that lists them."""

import pytest

from infra.local.aws import Answer, AwsRequest
from tests.support.operator import Operator, deploy


def test_the_only_stack_is_taken(operator: Operator) -> None:
    assert operator.run("push").exit_code == 0


def test_of_two_stacks_none_is_taken_and_both_are_named(operator: Operator) -> None:
    deploy(operator.world, "other")
    result = operator.run("push")
    assert (result.exit_code, operator.invocations()) == (2, 0)
    assert (
        "2 deployments of ecr-public-pusher in account 111122223333, region us-east-1"
        in result.stderr
    )
    assert "--stack or ECR_PUBLIC_PUSHER_STACK: other, stack-of-a-test" in result.stderr


def test_a_deleted_stack_counts_neither_by_name_nor_among_others(operator: Operator) -> None:
    gone = deploy(operator.world, "gone")
    gone.status = "DELETE_COMPLETE"
    assert operator.run("push").exit_code == 0
    result = operator.run("push", "--stack", "gone")
    assert result.exit_code == 2
    assert "There is no stack gone" in result.stderr


def functions(operator: Operator) -> list[str]:
    return [call.parameters["name"] for call in operator.world.aws.called("lambda", "Invoke")]


def test_the_stack_is_chosen_by_option_before_or_after_the_command(operator: Operator) -> None:
    other = deploy(operator.world, "other")
    operator.run("--stack", "other", "push")
    operator.run("push", "-s", "other")
    assert functions(operator) == [other.function_name] * 2


def test_the_stack_is_chosen_by_the_environment(operator: Operator) -> None:
    other = deploy(operator.world, "other")
    operator.run("push", ECR_PUBLIC_PUSHER_STACK="other")
    assert functions(operator) == [other.function_name]


def test_the_option_counts_more_than_the_environment_wherever_it_stands(operator: Operator) -> None:
    other = deploy(operator.world, "other")
    operator.run("--stack", "other", "push", ECR_PUBLIC_PUSHER_STACK=operator.stack.name)
    operator.run("push", "--stack", "other", ECR_PUBLIC_PUSHER_STACK=operator.stack.name)
    assert functions(operator) == [other.function_name] * 2


def test_an_option_after_the_command_wins(operator: Operator) -> None:
    assert operator.run("--stack", "nowhere", "push", "--stack", operator.stack.name).exit_code == 0


def test_no_stack_says_where_was_looked_and_how_to_deploy(operator: Operator) -> None:
    operator.world.aws.deployments.delete(operator.stack.name)
    result = operator.run("push")
    assert result.exit_code == 2
    assert (
        "no deployment of ecr-public-pusher in account 111122223333, region us-east-1"
        in result.stderr
    )
    assert "sam deploy --region us-east-1" in result.stderr


def test_a_region_without_a_deployment_is_named(operator: Operator) -> None:
    assert "region eu-west-1" in operator.run("push", "--region", "eu-west-1").stderr


def test_a_stack_that_is_not_there_is_reported_with_those_that_are(operator: Operator) -> None:
    result = operator.run("push", "-s", "pusher")
    assert result.exit_code == 2
    assert "no stack pusher" in result.stderr
    assert "stack-of-a-test" in result.stderr


def test_a_stack_of_somebody_else_is_reported_to_be_no_deployment(operator: Operator) -> None:
    deploy(operator.world, "foreign", ours=False)
    result = operator.run("push", "-s", "foreign")
    assert result.exit_code == 2
    assert (
        "is not a deployment of ecr-public-pusher: it has no output FunctionName" in result.stderr
    )
    assert operator.run("push").exit_code == 0


@pytest.mark.parametrize(
    ("environ", "exit_code", "said"),
    [
        ({"AWS_REGION": ""}, 2, "No AWS region is set"),
        ({"AWS_PROFILE": "nobody"}, 2, "The config profile (nobody) could not be found"),
        (
            {
                "AWS_ACCESS_KEY_ID": "",
                "AWS_SECRET_ACCESS_KEY": "",
                "AWS_SESSION_TOKEN": "",
                "HOME": "/nowhere",
            },
            3,
            "No AWS credentials were found",
        ),
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, 3, "AWS does not accept your credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 3, "AWS cannot be reached"),
    ],
)
def test_aws_settings_that_do_not_work_are_reported_with_a_remedy(
    operator: Operator, environ: dict[str, str], exit_code: int, said: str
) -> None:
    result = operator.run("push", **environ)
    assert result.exit_code == exit_code
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) >= 2


def test_credentials_that_expired_are_reported_with_the_profile_to_sign_in_to(
    operator: Operator,
) -> None:
    def refuse(request: AwsRequest) -> Answer:
        return Answer.refusal(
            request,
            "ExpiredToken",
            "The security token included in the request is expired",
            status=403,
        )

    operator.world.aws.script("cloudformation", "DescribeStacks", refuse)
    result = operator.run("push")
    assert result.exit_code == 3
    assert "Your AWS credentials have expired." in result.stderr
    assert "aws sso login" in result.stderr
