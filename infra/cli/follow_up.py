"""Commands to run next, complete as they are printed: for this deployment, quoted for a shell.

Nothing else in the command line makes a command to paste, so that none drops the options that
were given. A printed command ends its line. Pure.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PROGRAM = "ecr-public-pusher"
APPLY_STDIN = ("apply", "--server-side", "--force-conflicts", "-f", "-")
# The first cluster's document, as far as it can be known.
ADD_A_CLUSTER = ("clusters", "add", "ID", "--namespace", "NAME", "--admit")


@dataclass(frozen=True)
class FollowUp:
    """The options that were given to find the deployment; None means not given.

    What the environment names is left to the environment.
    """

    stack: str | None = None
    region: str | None = None
    profile: str | None = None

    def command(self, *words: str) -> str:
        """Return a command of this program for the same deployment."""
        return shlex.join(
            [
                PROGRAM,
                *words,
                *_option("--stack", self.stack),
                *_option("--region", self.region),
                *_option("--profile", self.profile),
            ]
        )

    def aws(self, *words: str, region: str | None = None) -> str:
        """Return a command of the AWS CLI with the same credentials."""
        return shlex.join(
            ["aws", *words, *_option("--region", region), *_option("--profile", self.profile)]
        )

    def store_kubeconfig(
        self, secret: str, *, region: str, context: str, kubeconfig: Path | None
    ) -> str:
        """Return the command that stores a context's kubeconfig as a secret; it prints the ARN."""
        view = kubectl(
            *("config", "view", "--raw", "--minify", "--flatten"),
            context=context,
            kubeconfig=kubeconfig,
        )
        create = self.aws("secretsmanager", "create-secret", "--name", secret, region=region)
        return f'{create} --query ARN --output text --secret-string "$({view})"'

    def deploy(self, *, region: str, stack: str | None = None) -> str:
        """Return the command that deploys the stack from a clone of the repository.

        Without `stack`, it is the one of `--stack`, or of samconfig.toml.
        """
        options = [
            *_option("--region", region),
            *_option("--stack-name", stack or self.stack),
            *_option("--profile", self.profile),
        ]
        return f"sam build && {shlex.join(['sam', 'deploy', *options])}"


NOTHING_GIVEN = FollowUp()


def local(*words: str) -> str:
    """Return a command of this program that needs no deployment."""
    return NOTHING_GIVEN.command(*words)


def again(line: Sequence[str]) -> str:
    """Return this command line, `line`, which names the deployment itself."""
    return shlex.join([PROGRAM, *line])


def print_rbac(line: Sequence[str], *, only: str | None = None) -> str:
    """Return the command that applies the RBAC of this command line, `line`, by kubectl.

    `line` names the deployment itself. `only`: the id of one cluster of an import. kubectl gets
    `--force-conflicts`, since rules that were applied in another way (`kubectl apply -k`, `clusters
    add`) would be a conflict.
    """
    document = " < FILE" if _reads_stdin(line) else ""
    if only is not None:
        line = [*_without(line, "--only", "--skip"), "--only", only]
    return f"{shlex.join([PROGRAM, *line, '--print-rbac'])}{document} | {_kubectl(*APPLY_STDIN)}"


def apply_file(file: str) -> str:
    """Return the command that applies a file of the repository, from a clone of it."""
    return _kubectl("apply", "-f", file)


def view_kubeconfig(files: str) -> str:
    """Return the command that shows these files, `files` as in KUBECONFIG."""
    return f"KUBECONFIG={shlex.quote(files)} kubectl config view"


def kubectl(*words: str, context: str, kubeconfig: Path | None = None) -> str:
    """Return a command of kubectl for the cluster of that context."""
    file = _option("--kubeconfig", str(kubeconfig) if kubeconfig else None)
    return shlex.join(["kubectl", "--context", context, *file, *words])


def _kubectl(*words: str) -> str:
    """Return a command of kubectl for a cluster whose context is not known."""
    from ecr_public_pusher.configuration.kubectl_commands import UNKNOWN_CONTEXT

    return kubectl(*words, context=UNKNOWN_CONTEXT)


def _option(name: str, value: str | None) -> list[str]:
    return [name, value] if value else []


def _without(line: Sequence[str], *names: str) -> list[str]:
    """Return the line without these options and their values."""
    kept: list[str] = []
    words = iter(line)
    for word in words:
        if word in names:
            next(words, None)
        elif not word.startswith(tuple(f"{name}=" for name in names)):
            kept.append(word)
    return kept


def _reads_stdin(line: Sequence[str]) -> bool:
    return any(
        word in ("-f-", "--file=-") or (word in ("-f", "--file") and following == "-")
        for word, following in pairwise([*line, ""])
    )
