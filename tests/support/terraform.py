"""Terraform as a person runs it, where it and the AWS provider are on this machine.

Nothing is downloaded.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = shutil.which("terraform")
PLUGIN_FOLDER = "TERRAFORM_PLUGIN_DIR"
# Where Terraform looks for providers by itself (CLI configuration, "Implied Local Mirror
# Directories"), and where administrators install software.
_USUAL = (
    Path.home() / ".terraform.d/plugins",
    Path.home() / ".local/share/terraform/plugins",
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
    *sorted(Path("/opt").glob("*")),
)
_PROVIDER = "registry.terraform.io/hashicorp/aws"
SECONDS = 600
# No personal settings, and no check for updates. To collect garbage takes a third of the time of
# these short programs.
ALONE = {
    "GOGC": "off",
    "GOMEMLIMIT": "1GiB",
    "CHECKPOINT_DISABLE": "1",
    "TF_CLI_CONFIG_FILE": os.devnull,
    "TF_IN_AUTOMATION": "1",
    "PATH": os.environ.get("PATH", os.defpath),
}


def plugins() -> Path | None:
    """Return the folder of providers that holds AWS's, in Terraform's own layout."""
    named = os.environ.get(PLUGIN_FOLDER)
    folders = (Path(named),) if named else _USUAL
    return next((folder for folder in folders if (folder / _PROVIDER).is_dir()), None)


PLUGINS = plugins()
needs_terraform = pytest.mark.skipif(PROGRAM is None, reason="there is no terraform on the path")
needs_provider = pytest.mark.skipif(
    PROGRAM is None or PLUGINS is None,
    reason=f"there is no terraform, or no AWS provider on disk ({PLUGIN_FOLDER} names its folder)",
)


@contextmanager
def kept_provider(folder: Path, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Keep the provider running in a folder, and yield the environment for Terraform to find it.

    Each command starts a provider otherwise, which takes longer than the command. It is for
    configurations with one `provider "aws"` only: the process holds one at a time.
    """
    assert PLUGINS
    (program,) = (PLUGINS / _PROVIDER).rglob("terraform-provider-aws_*")
    with (
        tempfile.NamedTemporaryFile() as output,
        subprocess.Popen(
            [program, "-debug"], cwd=folder, env=dict(environment), stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield {**environment, "TF_REATTACH_PROVIDERS": _address(Path(output.name))}
        finally:
            process.kill()


def _address(output: Path) -> str:
    """Return what the provider prints for Terraform once it listens."""
    last = time.monotonic() + SECONDS
    while time.monotonic() < last:
        if found := re.search("TF_REATTACH_PROVIDERS='(.+)'\n", output.read_text()):
            return found[1]
        time.sleep(0.05)
    raise TimeoutError(output.read_text())


@dataclass(frozen=True)
class Ran:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terraform:
    """Terraform in a folder, with an environment of its own."""

    folder: Path
    environment: Mapping[str, str]

    def init(self) -> None:
        """Take the provider from disk."""
        self.run("init", "-input=false", "-no-color", "-backend=false", f"-plugin-dir={PLUGINS}")

    def run(self, *arguments: str, check: bool = True, standard_input: str = "") -> Ran:
        """Run a command.

        Raise CalledProcessError where it fails and `check` says that it must not.
        """
        assert PROGRAM
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            input=standard_input,
            capture_output=True,
            text=True,
            check=check,
            timeout=SECONDS,
        )
        return Ran(done.returncode, done.stdout, done.stderr)
