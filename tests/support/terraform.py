"""Terraform as a person runs it, where it and the AWS provider are on this machine.

Nothing is downloaded.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
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
# No personal settings, and no check for updates.
ALONE = {
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
