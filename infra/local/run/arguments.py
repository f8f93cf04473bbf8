"""The command line of `make run`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .event import EventError, read_event

SCENARIOS = ("push", "life", "reach")

USAGE = """make run
       make run ARGS="--scenario push|life|reach"
       make run ARGS="--config DIR"
       make run ARGS="--event EVENT\""""

DESCRIPTION = """\
Builds the function with the SAM CLI, starts an AWS and Kubernetes clusters on this machine (no
Docker, no account, nothing leaves loopback), and runs the built function under the AWS Lambda
Runtime Interface Emulator."""

EPILOG = """\
scenarios:
  push   (the default) two clusters, and the schedule's event twice: the outcome in each
         namespace, a second push that rotates the token in the same Secrets, and the report.
         One namespace holds somebody else's Secret, which is left alone and reported.
  life   a namespace's whole life on one cluster, from the check before the first write,
         ServiceAccounts, Argo CD, a new namespace and a takeover to pruning and the uninstall
  reach  the four ways to sign in side by side (EKS, aws-iam-authenticator, web identity, a
         stored kubeconfig), a private registry in the same Secrets, and a cluster found by its tag

your own documents, before you deploy them:
  make run ARGS="--config infra/examples/parameters"
  DIR holds defaults.yaml, clusters/*.yaml and discover/*.yaml, as Parameter Store will. Local
  clusters are created to match; the output lists them. With --event: your event instead of the
  schedule's.

events (docs/events.md): JSON, @FILE, - for stdin, or a bare action (push, plan, check, sweep):
  make run ARGS="--event check"
  make run ARGS="--event '{\\"action\\": \\"plan\\", \\"clusters\\": [\\"edge\\"]}'"
  make run ARGS="--event @event.json -o json"
  echo '{"action": "plan"}' | make run ARGS="--event -"

to look around:
  make run ARGS=--keep

With KUBEBUILDER_ASSETS naming a folder with etcd and kube-apiserver, those are run as the clusters.
Exit code: 0 when everything is as expected (with --event: when the function returned; with
--config: when the run is ok); 1 when it is not (or the function raised); 2 for wrong arguments;
130 when interrupted."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; exit with code 2 for wrong ones."""
    parser = argparse.ArgumentParser(
        prog="make run",
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["run"], help=argparse.SUPPRESS)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--scenario",
        choices=SCENARIOS,
        default="push",
        help="the story to show; with --event: the clusters to use",
    )
    what.add_argument(
        "--config",
        type=_folder,
        metavar="DIR",
        help="push your own documents, to clusters created to match",
    )
    parser.add_argument(
        "--event", type=_event, metavar="EVENT", help="send this event, once, and show its report"
    )
    parser.add_argument(
        "-o",
        "--output",
        choices=["table", "json"],
        default="table",
        help="with --event: the format of the report",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep everything running until Ctrl-C, for kubectl, aws and further invocations",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="also show the output of sam and the function (stderr), and reports in full",
    )
    return parser.parse_args(arguments)


def _event(text: str) -> Any:
    try:
        return read_event(text)
    except EventError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text} is not a folder; it holds defaults.yaml, clusters/*.yaml and discover/*.yaml"
        )
    return folder
