"""The stack with the built function in it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..aws import DEFAULT_ACCOUNT
from ..aws.sam import build, emulator, sam_command
from ..aws.template import FunctionSpec, read_function
from ..runtime import BuiltFunction
from ..stack import REGION, STACK_NAME, LocalStack
from ..terminal import progress


@contextlib.contextmanager
def started(
    root: Path, make: Callable[[Path], LocalStack], *, verbose: bool
) -> Iterator[tuple[LocalStack, BuiltFunction, FunctionSpec]]:
    """Build the function, make the stack, and start the function in it; stop both at the end.

    Raise SamError, ClusterError or RuntimeFailed.
    """
    sam = sam_command(root, os.environ)
    rie = emulator(sam)
    progress(
        "building the function with sam build (about 15 seconds; skipped while nothing changes)"
    )
    began = time.monotonic()
    built = build(root, sam, echo=verbose)
    progress(
        "the last build is up to date"
        if built.reused
        else f"built in {time.monotonic() - began:.0f} s"
    )
    progress("starting AWS and Kubernetes")
    with make(root) as stack:
        spec = read_function(
            built.template,
            stack_name=STACK_NAME,
            region=REGION,
            account_id=DEFAULT_ACCOUNT,
            parameters={**built.parameters, **stack.parameters},
            resources={"RetryQueue": stack.queue.url, "DeadLetterQueue": stack.dead_letters.url},
        )
        progress("starting the function under the Lambda Runtime Interface Emulator")
        deployed = stack.deploy()

        def log(line: str) -> None:
            stack.aws.deployments.log(deployed, line)

        credential = stack.execution_credential()
        with BuiltFunction(
            spec,
            rie,
            credential=credential,
            region=REGION,
            aws_endpoint_url=stack.aws.endpoint_url,
            more=stack.function_settings(),
            log=log,
        ) as function:
            deployed.function = function.answer
            yield stack, function, spec
