"""`make run`: the built function at its real job, on an embedded AWS and two embedded clusters."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

# moto opens a boto3 session when it is imported, which a profile of the person's own would break.
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_DEFAULT_PROFILE", None)
os.environ.update({"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull})

from . import show
from .aws import DEFAULT_ACCOUNT
from .aws.sam import SamError, build, emulator, sam_command
from .aws.template import FunctionSpec, read_function
from .kube import ClusterError
from .life import LifeStack, live
from .runtime import BuiltFunction, Invocation, RuntimeFailed
from .show import Row, SeenSecret
from .stack import CLUSTERS, REGION, STACK_NAME, DemoStack, LocalStack

INTERRUPTED = 130
ROOT = Path(__file__).resolve().parents[2]
SCENARIOS: Mapping[str, type[DemoStack | LifeStack]] = {"push": DemoStack, "life": LifeStack}

DESCRIPTION = """\
Builds the function with the SAM CLI, starts an AWS and two Kubernetes clusters on this machine (no Docker, no account, nothing leaves
loopback), and runs the built function under the AWS Lambda Runtime Interface Emulator.

Without --event: the schedule's event twice, showing what became of every namespace, that the second push rotates the token in the
very same Secrets, and the report. One namespace holds somebody else's Secret: that it is left alone, and reported, is part of it.

With --scenario life: a namespace's whole life on one cluster, from the check before the first write, ServiceAccounts, a new namespace and a
takeover to pruning and the uninstall."""

EPILOG = """\
examples:
  make run
  make run ARGS="--event '{\\"action\\": \\"plan\\", \\"raise\\": false}'"
  make run ARGS="--event '{\\"clusters\\": [\\"edge\\"]}' --verbose"
  make run ARGS="--scenario life"
  make run ARGS=--keep

With KUBEBUILDER_ASSETS naming a folder with etcd and kube-apiserver, those are run as the clusters.
Exit code: 0 when all went as it should (with --event: when the function returned); 1 when something did not (or it raised);
2 for wrong arguments; 130 when interrupted."""


class Surprise(Exception):
    """Something did not go as it should; the text says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    _forget_own_settings()
    try:
        with _up(SCENARIOS[options.scenario], verbose=options.verbose) as (stack, function, spec):
            code = _attempt(stack, function, spec, options)
            if options.keep:
                _keep(stack, function)
            return code
    except (SamError, RuntimeFailed, ClusterError) as error:
        return _failed(error)
    except KeyboardInterrupt:
        _progress("interrupted; everything is stopped")
        return INTERRUPTED


def _attempt(stack: DemoStack | LifeStack, function: BuiltFunction, spec: FunctionSpec, options: argparse.Namespace) -> int:
    try:
        if options.event is None and isinstance(stack, LifeStack):
            _live(stack, function)
        elif options.event is None and isinstance(stack, DemoStack):
            _demonstrate(stack, function, spec, verbose=options.verbose)
        else:
            _once(function, options.event, verbose=options.verbose)
    except (RuntimeFailed, Surprise) as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    sys.stdout.flush()
    print(f"{show.terminal(sys.stderr)('bad', 'failed')}: {error}", file=sys.stderr, flush=True)
    return 1


def _forget_own_settings() -> None:
    """Drops the rest of the person's AWS settings from this process: an endpoint or a region of theirs must not reach the stack."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_")) and os.environ[name] != os.devnull]:
        del os.environ[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description="The local stack.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    raw = argparse.RawDescriptionHelpFormatter
    run = commands.add_parser("run", help="the function at its real job", description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    run.add_argument("--event", type=_event, metavar="JSON|FILE", help="send this event, once, and show its report; JSON, or a file that holds it")
    run.add_argument("--scenario", choices=list(SCENARIOS), default="push", help="push: two clusters, two pushes; life: a namespace's whole life")
    run.add_argument("--keep", action="store_true", help="leave everything up until Ctrl-C, for kubectl and further invocations")
    run.add_argument("--verbose", action="store_true", help="show what sam and the function print, too (stderr)")
    return parser


def _event(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(Path(text).read_text())
    except OSError:
        raise argparse.ArgumentTypeError(f"{text[:200]!r} is neither JSON nor a file that can be read") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:200]} holds no JSON: {error}") from None


@contextlib.contextmanager
def _up(scenario: type[DemoStack | LifeStack], *, verbose: bool) -> Iterator[tuple[DemoStack | LifeStack, BuiltFunction, FunctionSpec]]:
    """The stack and the function, ready to be invoked."""
    sam = sam_command(ROOT, os.environ)
    rie = emulator(sam)
    _progress("building the function with sam build (a quarter of a minute; skipped while nothing changes)")
    began = time.monotonic()
    built = build(ROOT, sam, echo=verbose)
    _progress("the last build is still good" if built.reused else f"built in {time.monotonic() - began:.0f} s")
    _progress("starting AWS and Kubernetes")
    with scenario(ROOT) as stack:
        spec = read_function(
            built.template,
            stack_name=STACK_NAME,
            region=REGION,
            account_id=DEFAULT_ACCOUNT,
            parameters=built.parameters,
            resources={"RetryQueue": stack.queue.url, "DeadLetterQueue": stack.dead_letters.url},
        )
        _progress("starting the function under the Lambda Runtime Interface Emulator")
        credential = stack.execution_credential()
        deployed = stack.deploy()

        def log(line: str) -> None:
            stack.aws.deployments.log(deployed, line)

        with BuiltFunction(spec, rie, credential=credential, region=REGION, aws_endpoint_url=stack.aws.endpoint_url, log=log) as function:
            deployed.function = function.answer
            yield stack, function, spec


def _demonstrate(stack: DemoStack, function: BuiltFunction, spec: FunctionSpec, *, verbose: bool) -> None:
    paint = show.terminal()
    began = _secrets(stack)
    first, invocation = _push(stack, function, spec, began, verbose=verbose)
    wrong = _show_push("First push", stack, invocation, first, None)
    middle = _secrets(stack)
    # A Secret's times are in seconds: without a pause both pushes could bear the same.
    time.sleep(1.1)
    second, invocation = _push(stack, function, spec, middle, verbose=verbose)
    wrong += _show_push("Second push: the same Secrets (UID), another token", stack, invocation, second, first)
    for name in first:
        wrong += show.rotation(first[name], second[name])
    report = _report(invocation)
    print(f"{paint('bold', 'The report')}, as the function returns and logs it:")
    print(json.dumps(report, indent=2))
    print()
    if wrong:
        raise Surprise("not as expected:\n  " + "\n  ".join(wrong))
    print(paint("good", "All as expected: ") + "the report is not ok because of the one conflict above, which only its owner can settle.")


def _live(stack: LifeStack, function: BuiltFunction) -> None:
    paint = show.terminal()
    if wrong := live(stack, function, paint):
        raise Surprise("not as expected:\n  " + "\n  ".join(wrong))
    print(paint("good", "All as expected."))


def _push(
    stack: DemoStack, function: BuiltFunction, spec: FunctionSpec, before: dict[str, dict[str, SeenSecret]], *, verbose: bool
) -> tuple[dict[str, list[Row]], Invocation]:
    _progress(f"invoking it with the schedule's event, {json.dumps(spec.scheduled_event)}")
    invocation = _invoke(function, spec.scheduled_event, verbose=verbose)
    after, reported = _secrets(stack), _by_id(_report(invocation))
    found = {demo.name: show.rows(demo, before[demo.name], after[demo.name], reported.get(demo.name)) for demo in CLUSTERS}
    return found, invocation


def _show_push(title: str, stack: DemoStack, invocation: Invocation, found: dict[str, list[Row]], previous: dict[str, list[Row]] | None) -> list[str]:
    """Prints a push; returns what is not as expected."""
    paint, now, report = show.terminal(), datetime.now(UTC), _report(invocation)
    print(f"{paint('bold', title)} ({invocation.seconds:.2f} s)\n")
    wrong: list[str] = []
    for demo in CLUSTERS:
        print("\n".join(show.table(demo, found[demo.name], previous[demo.name] if previous else None, now, paint)) + "\n")
        wrong += show.surprises(found[demo.name], _by_id(report).get(demo.name), again=previous is not None)
    print("\n".join(show.verdict(report, paint)))
    if invocation.error:
        print(f"  So the invocation ends in {invocation.error['errorType']}: Lambda counts an error.")
    elif queued := report.get("queued"):
        print(f"  The failed cluster is measured, for alarms to see, and waits on the retry queue: {', '.join(queued)}.")
    print()
    failures = [reason for cluster in stack.clusters.values() for reason in cluster.sign_in_failures]
    if (waiting := [message.body["clusters"] for message in stack.queue.waiting]) != [report.get("queued")] * len(waiting) or not waiting:
        wrong.append(f"on the retry queue: {waiting}, and the report says {report.get('queued')}")
    return wrong + [f"a sign-in failed: {reason}" for reason in failures]


def _once(function: BuiltFunction, event: Any, *, verbose: bool) -> None:
    """One event of the person's own: its report, and in the exit code whether the function returned it or raised."""
    _progress("invoking it with your event")
    invocation = _invoke(function, event, verbose=verbose)
    if invocation.report is not None:
        print(json.dumps(invocation.report, indent=2))
    if invocation.error and invocation.report is not None:
        raise Surprise(f"the invocation ended in {invocation.error['errorType']}, as its caller sees it: {invocation.error['errorMessage']}")
    if invocation.report is None:
        said = "\n  ".join(invocation.logs[-20:])
        raise Surprise(f"no report, but {json.dumps(invocation.error or invocation.payload)}; the function printed:\n  {said}")


def _invoke(function: BuiltFunction, event: Any, *, verbose: bool) -> Invocation:
    invocation = function.invoke(event)
    if verbose:
        print("\n".join(f"  | {line}" for line in invocation.logs), file=sys.stderr)
    return invocation


def _keep(stack: LocalStack, function: BuiltFunction) -> None:
    """Waits for Ctrl-C, with what is needed to look around. Both files hold credentials (worthless elsewhere), so only their owner can read them."""
    with tempfile.TemporaryDirectory(prefix="ecr-public-pusher-") as name:
        kubeconfig, settings = Path(name, "kubeconfig"), Path(name, "env")
        _write_private(kubeconfig, json.dumps(stack.kubeconfig(), indent=2))
        _write_private(settings, _exports({"KUBECONFIG": str(kubeconfig), **stack.aws_settings()}))
        contexts = " and ".join(stack.clusters)
        print(f"\nEverything stays up until Ctrl-C. KUBECONFIG (contexts {contexts}), AWS_ENDPOINT_URL, and made-up AWS credentials to go with it:\n")
        print(f"  KUBECONFIG={kubeconfig}\n  AWS_ENDPOINT_URL={stack.aws.endpoint_url}\n\nor all at once, in another shell:\n")
        print(f"  . {shlex.quote(str(settings))}")
        print("  kubectl get secrets -A -l app.kubernetes.io/managed-by=ecr-public-pusher")
        print("  aws ssm get-parameters-by-path --path /ecr-public-pusher --recursive")
        print(f"  {shlex.quote(str(ROOT / '.venv' / 'bin' / 'python'))} -m infra.cli status")
        with contextlib.suppress(KeyboardInterrupt):  # also one that comes as soon as this is read
            print(f"\nInvoke the function again:\n\n  curl -d '{{\"raise\": false}}' {function.url}\n", flush=True)
            while True:
                time.sleep(3600)
        _progress("stopping")


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def _exports(settings: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())


def _secrets(stack: DemoStack) -> dict[str, dict[str, SeenSecret]]:
    return {demo.name: show.see(stack.clusters[demo.name], demo) for demo in CLUSTERS}


def _report(invocation: Invocation) -> dict[str, Any]:
    if invocation.report is None:
        said = invocation.error or "nothing"
        raise Surprise(f"the function gave no report, but {said}; it printed:\n  " + "\n  ".join(invocation.logs[-20:]))
    return invocation.report


def _by_id(report: dict[str, Any]) -> dict[str, Any]:
    return {cluster["id"]: cluster for cluster in report.get("clusters", [])}


def _progress(text: str) -> None:
    print(show.terminal(sys.stderr)("faint", f"· {text}"), file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """A termination ends everything as Ctrl-C does."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
