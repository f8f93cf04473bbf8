"""`--keep`: everything stays up, with a file to source and commands that work as printed."""

import contextlib
import json
import shlex
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..runtime import BuiltFunction
from ..stack import CONFIG_PATH, STACK_NAME, LocalStack
from ..terminal import progress
from .background import SAID, Background

# Settings of the person's own that would override the exported ones.
_OWN_SETTINGS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
COMMAND = "ecr-public-pusher"
LOOK_SECONDS = 1.0
COLUMNS = 100


def keep(root: Path, stack: LocalStack, function: BuiltFunction) -> None:
    """Print how to look around, and wait for Ctrl-C.

    The files hold credentials (worthless elsewhere), so only their owner can read them; they are
    removed at the end.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ecr-public-pusher-") as name,
        contextlib.suppress(KeyboardInterrupt),
    ):
        settings = _write(Path(name), root, stack)
        print("\n".join(_lines(settings, stack, function)), flush=True)
        background = Background(
            stack.queue, stack.dead_letters, function.answer, now=time.monotonic()
        )
        while True:
            time.sleep(LOOK_SECONDS)
            background.step(time.monotonic())
    progress("stopping")


def _write(folder: Path, root: Path, stack: LocalStack) -> Path:
    """Write the kubeconfig, the command line, and the file to source; return the latter.

    That file sets the environment of a shell: the kubeconfig, PATH, and the settings of this AWS.
    """
    kubeconfig = folder / "kubeconfig"
    command = folder / "bin" / COMMAND
    settings = folder / "env"
    _write_private(kubeconfig, json.dumps(stack.kubeconfig(), indent=2))
    command.parent.mkdir()
    python = root / ".venv" / "bin" / "python"
    path = f"{root}:{root / 'lambda_src'}"
    _write_private(
        command,
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(path)} exec {shlex.quote(str(python))} -m infra.cli"
        ' "$@"\n',
        mode=0o700,
    )
    exported = {
        "KUBECONFIG": str(kubeconfig),
        **stack.aws_settings(),
        "ECR_PUBLIC_PUSHER_STACK": STACK_NAME,
    }
    _write_private(
        settings,
        f"unset {' '.join(_OWN_SETTINGS)}\n{_exports(exported)}export"
        f' PATH={shlex.quote(str(command.parent))}:"$PATH"\n',
    )
    return settings


def _lines(settings: Path, stack: LocalStack, function: BuiltFunction) -> Iterator[str]:
    contexts = list(stack.clusters)
    yield "\nEverything stays up until Ctrl-C. In another shell:\n"
    yield f"  . {shlex.quote(str(settings))}\n"
    yield f"  {COMMAND} status"
    yield f"  {COMMAND} check"
    for context in contexts:
        yield (
            f"  kubectl --context {context} get secrets -A -l"
            " app.kubernetes.io/managed-by=ecr-public-pusher"
        )
    yield f"  aws ssm get-parameters-by-path --path {CONFIG_PATH} --recursive"
    yield f"  curl -d '{{\"raise\": false}}' {function.url}"
    yield f"\n{textwrap.fill(SAID, COLUMNS)}"
    yield (
        f"\n  KUBECONFIG={settings.with_name('kubeconfig')}\n "
        f" AWS_ENDPOINT_URL={stack.aws.endpoint_url}\n"
    )


def _write_private(file: Path, text: str, *, mode: int = 0o600) -> None:
    file.touch(mode=mode)
    file.write_text(text)


def _exports(settings: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
