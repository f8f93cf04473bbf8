"""An account that Terraform deploys to.

The local AWS, its CloudFormation, a bucket, and a folder with the module beside it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from infra.local.aws.local import LocalAws
from infra.local.aws.wire import AwsCall
from tests.stack.template import ROOT, TEMPLATE
from tests.support.cloudformation import Stack, Stacks
from tests.support.terraform import ALONE, Ran, Terraform, kept_provider

REGION = "us-east-1"
ADMIN = "arn:aws:iam::111122223333:role/admin"
_CHANGES = {
    "s3": ("PUT", "DELETE"),
    "cloudformation": ("CreateStack", "UpdateStack", "DeleteStack"),
    "ssm": ("PutParameter", "DeleteParameter"),
    "iam": ("Create", "Put", "Delete"),
    "eks": ("Create", "Update", "Delete"),
}


@dataclass
class Account:
    """`folder`: the person's, with a clone of the project's files in `ecr-public-pusher`."""

    aws: LocalAws
    stacks: Stacks
    folder: Path
    terraform: Terraform
    bucket: str
    steps: dict[str, "Step"] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def apply(self, name: str) -> "Step":
        """Apply, or do what `name` ends in (destroy).

        Keep the output and the calls under the name.
        """
        before = len(self.aws.calls)
        command = "destroy" if name == "destroy" else "apply"
        ran = self.terraform.run(command, "-auto-approve", "-input=false", "-no-color", check=False)
        calls = [_named(call) for call in self.aws.calls[before:] if _changes(call)]
        found = [one for one in self.stacks.stacks.values() if one.status != "DELETE_COMPLETE"]
        stack = found[0] if found else None
        objects = self.objects()
        code = stack is not None and stack.code[1] in objects
        given = self.stacks.requests[-1][1] if self.stacks.requests else {}
        parameters = dict(stack.parameters) if stack else {}
        self.steps[name] = Step(ran, calls, stack, parameters, given, objects, code)
        return self.steps[name]

    def objects(self) -> list[str]:
        """Return the keys of the bucket's objects."""
        return sorted(
            one["Key"]
            for one in self.client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        )

    def client(self, service: str) -> Any:
        """Return a client of the administrator's."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.aws.endpoint_url,
            aws_access_key_id=self.terraform.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.terraform.environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.terraform.environment["AWS_SESSION_TOKEN"],
        )


@dataclass(frozen=True)
class Step:
    """A single apply.

    `calls`: what it changed, in order; `given`: the last stack request's parameters.

    `parameters`: the stack's afterwards; `code_there`: whether the zip that the stack has still
    lies in the bucket.
    """

    ran: Ran
    calls: list[str]
    stack: Stack | None
    parameters: dict[str, str]
    given: dict[str, str]
    objects: list[str]
    code_there: bool


@contextmanager
def account(
    folder: Path, *, bucket: str = "artifacts", arn: str = ADMIN, one_provider: bool = True
) -> Iterator[Account]:
    """Open an account with a bucket and an administrator's role.

    `one_provider`: the configurations have no second `provider "aws"`.
    """
    clone = folder / "ecr-public-pusher"
    shutil.copytree(ROOT / "infra/terraform", clone / "infra/terraform")
    shutil.copy(ROOT / TEMPLATE, clone)
    with LocalAws() as aws:
        who = aws.credentials_for(arn, "terraform")
        environment = {
            **ALONE,
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": who.access_key_id,
            "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
            "AWS_SESSION_TOKEN": who.session_token or "",
        }
        with (
            kept_provider(folder, environment) if one_provider else nullcontext(environment) as kept
        ):
            one = Account(aws, Stacks.before(aws), folder, Terraform(folder, kept), bucket)
            one.client("s3").create_bucket(Bucket=bucket)
            yield one


def _changes(call: AwsCall) -> bool:
    return call.action.startswith(_CHANGES.get(call.service, ("-",)))


def _named(call: AwsCall) -> str:
    """Return `service action`, and of what: an object's file, a parameter's name."""
    if call.service == "s3":
        return f"s3 {call.action.split()[0]} {call.path.rpartition('/')[2]}"
    return " ".join(
        [
            call.service,
            call.action,
            *([call.parameters["Name"]] if "Name" in call.parameters else []),
        ]
    )
