"""`make pictures`: docs/status.svg, from `ecr-public-pusher status` of a local stack after a push.

Everything in it is real but the clock. It is deterministic: times, ports and random account names
do not appear in it.
"""

import io
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from infra.cli.rendering.status import render_status
from infra.cli.run_log import PUSHES, read_log
from infra.cli.session import Session
from infra.cli.status import Status, gather
from infra.local.aws import DEFAULT_ACCOUNT
from infra.local.run.started import started
from infra.local.scenarios.push import PushStack
from infra.local.stack import CONFIG_PATH, EXECUTION_ROLE, RBAC_FILE, REGION, LocalStack

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "status.svg"
COLUMNS = 80
LATER = timedelta(hours=2, minutes=40, seconds=30)
# Rich's own format loads a font from another host, which an image in a page may not do.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "monospace"
)


def status() -> Status:
    """Return the status of four clusters after the schedule's event.

    They are the two of `push`, another healthy one, and a disabled one.
    """
    with started(ROOT, _stack, verbose=False) as (stack, function, spec):
        function.invoke(spec.scheduled_event)
        os.environ.update(stack.aws_settings())
        session = Session()
        (push,) = read_log(session, PUSHES, since=datetime.now(UTC) - timedelta(hours=1))
        return gather(session, ids=(), now=push.at + LATER, window=timedelta(days=1))


def _stack(root: Path) -> LocalStack:
    stack = PushStack(root)
    staging = stack.add_cluster(
        "staging", region=REGION, account=DEFAULT_ACCOUNT, role=EXECUTION_ROLE
    )
    staging.apply(*yaml.safe_load_all((root / RBAC_FILE).read_text()))
    staging.admin(
        "POST",
        "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "payments"}},
    )
    for name, document in (("staging", "namespaces: [payments]"), ("lab", "enabled: false")):
        stack.aws.put_parameter(f"{CONFIG_PATH}/clusters/{name}", document)
    return stack


def draw(found: Status) -> str:
    """Return the SVG of a terminal of 80 columns."""
    screen = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        highlight=False,
        markup=False,
    )
    screen.print(Text("$ ecr-public-pusher status"))
    for part in render_status(found):
        screen.print(part)
    return screen.export_svg(title="ecr-public-pusher", code_format=FORMAT, unique_id="status")


def main() -> None:
    """Draw the picture from a local stack, without the person's own AWS settings."""
    for name in [
        name
        for name in os.environ
        if name.startswith("AWS_") and name != "AWS_EC2_METADATA_DISABLED"
    ]:
        del os.environ[name]  # a person's own settings must not reach the stack
    PICTURE.write_text(draw(status()))
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
