"""A push of a person's own documents: the made-up clusters, the report, the resulting Secrets."""

import base64
import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from infra.cli.rendering.text import heading, table

from ...runtime import BuiltFunction
from ...terminal import Printer, Show
from .event import send
from .stack import OwnStack


def push_documents(
    stack: OwnStack, function: BuiltFunction, event: Any, *, output: str, verbose: bool
) -> int:
    """Push and show the result; return the exit code.

    It is 0 when every document is valid and the run is ok. Raise Surprise when the invocation ended
    in an error.
    """
    show = Printer(sys.stdout)
    if output == "table":
        _show_made_up(stack, show)
        show(heading("The report"))
    try:
        report = send(function, event, output=output, verbose=verbose)
    finally:
        if output == "table" and (rows := list(_secrets(stack))):
            show(heading("The Secrets in the clusters now"))
            show(table("CLUSTER", "NAMESPACE", "SECRET", "SIGNS IN TO", "EXPIRES", rows=rows))
    return 0 if report.get("ok") and not stack.problems else 1


def _show_made_up(stack: OwnStack, show: Show) -> None:
    for title, lines in (("Not pushed", stack.problems), ("Left alone", stack.unknown_files)):
        if lines:
            show(heading(title))
        for line in lines:
            show(Text(line))
    show(heading("Created to match your documents"))
    show(
        table(
            "DOCUMENT",
            "WHAT",
            rows=stack.said or [("-", "nothing: no document is both enabled and valid")],
        )
    )


def _secrets(stack: OwnStack) -> Iterator[tuple[str, str, str, str, str]]:
    for document_id, (cluster, name, namespaces) in stack.seen.items():
        for namespace in namespaces:
            status, secret = cluster.admin("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
            if status == 200:
                hosts = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
                expires = (
                    secret["metadata"]
                    .get("annotations", {})
                    .get("ecr-public-pusher/expires-at", "?")
                )
                yield document_id, namespace, name, " ".join(hosts), expires
