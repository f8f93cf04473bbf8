"""One run, from options to exit code."""

import argparse
import sys
from pathlib import Path

from rich.text import Text

from infra.cli.rendering.text import GOOD

from ..aws.sam import SamError
from ..kube import ClusterError
from ..runtime import RuntimeFailed
from ..scenarios.catalogue import SCENARIOS, Playing
from ..scenarios.own import OwnStack, push_documents, send
from ..stack import LocalStack
from ..terminal import Printer, Surprise, expected, failed
from .keep import keep
from .started import started

ROOT = Path(__file__).resolve().parents[3]


def run(options: argparse.Namespace) -> int:
    """Run with these options; return the exit code.

    KeyboardInterrupt passes through, once everything is stopped.
    """
    scenario = SCENARIOS[options.scenario]

    def make(root: Path) -> LocalStack:
        return OwnStack(root, options.config) if options.config else scenario.make(root)

    try:
        with started(ROOT, make, verbose=options.verbose) as (stack, function, spec):
            code = 0
            try:
                if isinstance(stack, OwnStack):
                    event = spec.scheduled_event if options.event is None else options.event
                    code = push_documents(
                        stack, function, event, output=options.output, verbose=options.verbose
                    )
                elif options.event is not None:
                    send(function, options.event, output=options.output, verbose=options.verbose)
                else:
                    expected(scenario.play(Playing(stack, function, spec, options.verbose)))
                    ending = Text.assemble(("All as expected.", GOOD), scenario.ending)
                    Printer(sys.stdout)(ending)
            except (RuntimeFailed, Surprise) as error:
                code = failed(error)
            if options.keep:
                keep(ROOT, stack, function)
            return code
    except (SamError, RuntimeFailed, ClusterError) as error:
        return failed(error)
