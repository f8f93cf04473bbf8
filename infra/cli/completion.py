"""Names for the shell's completion: documents and stacks of AWS, profiles, contexts.

A shell that completes does not wait: AWS is asked once, with short timeouts, and at most once a
minute. Nothing is returned on any error: the command line is still being typed.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import typer

from .options import Options

DEFAULTS = "defaults"
DISCOVER = "discover/"
CLUSTERS = "clusters/"


def complete_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids that begin with `incomplete`, as events name them."""
    names = _documents(ctx)
    discoveries = (f"{_without(name, DISCOVER)}/*" for name in names if name.startswith(DISCOVER))
    return _beginning([*_ids(names), *discoveries], incomplete)


def complete_clusters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of clusters' documents that begin with `incomplete`."""
    return _beginning(_ids(_documents(ctx)), incomplete)


def complete_discoveries(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of discoveries that begin with `incomplete`."""
    names = (name for name in _documents(ctx) if name.startswith(DISCOVER))
    return _beginning((_without(name, DISCOVER) for name in names), incomplete)


def complete_documents(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the documents that begin with `incomplete`: `<id>`, or `discover/<id>`."""
    names = _documents(ctx)
    discoveries = (name for name in names if name.startswith(DISCOVER))
    return _beginning([*_ids(names), *discoveries], incomplete)


def complete_any_document(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the documents that begin with `incomplete`, the defaults among them."""
    defaults = [DEFAULTS] if DEFAULTS in _documents(ctx) else []
    return _beginning([*complete_documents(ctx, incomplete), *defaults], incomplete)


def complete_stacks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the deployments of the region whose names begin with `incomplete`."""
    options = _options(ctx)
    return _beginning(_asked("stacks", options, _stacks), incomplete)


def complete_profiles(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the profiles of the AWS configuration that begin with `incomplete`."""
    from .aws_profiles import profiles

    return _beginning(profiles(os.environ), incomplete)


def complete_contexts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the kubeconfig's contexts that begin with `incomplete`; of --kubeconfig, if given."""
    from .kube_contexts import contexts

    given = ctx.params.get("kubeconfig")
    return _beginning(contexts(given and Path(str(given)), os.environ), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin so, without those that a terminal would obey."""
    return sorted(name for name in names if name.startswith(incomplete) and name.isprintable())


def _ids(names: Iterable[str]) -> list[str]:
    return [_without(name, CLUSTERS) for name in names if name.startswith(CLUSTERS)]


def _without(name: str, folder: str) -> str:
    return name.removeprefix(folder)


def _documents(ctx: typer.Context) -> list[str]:
    """Return the stored documents by name: `defaults`, `clusters/<id>`, `discover/<id>`."""
    return _asked("documents", _options(ctx), _stored)


def _asked(kind: str, options: Options, ask: Callable[[Options], list[str]]) -> list[str]:
    """Return names that AWS was asked for within the last minute, or is asked for now."""
    from .completion_cache import kept

    deployment = (options.stack_name(), options.region, options.profile)
    return kept((kind, *deployment), os.environ, lambda: _without_errors(ask, options))


def _without_errors(ask: Callable[[Options], list[str]], options: Options) -> list[str] | None:
    from botocore.exceptions import BotoCoreError, ClientError

    from .errors import CliError

    try:
        return ask(options)
    except (CliError, BotoCoreError, ClientError):
        return None


def _stored(options: Options) -> list[str]:
    from .documents.document import DocumentName
    from .documents.store import list_parameters
    from .session import Session

    session = Session(
        profile=options.profile,
        region=options.region,
        stack_name=options.stack_name(),
        patient=False,
    )
    root = session.stack.config_path
    parameters = (one["Name"] for one in list_parameters(session.client("ssm"), root))
    names = (DocumentName.of_parameter(parameter, root=root) for parameter in parameters)
    return [str(name) for name in names if name is not None]


def _stacks(options: Options) -> list[str]:
    from .deployed_stack import deployments
    from .session import Session

    session = Session(profile=options.profile, region=options.region, patient=False)
    return [stack.name for stack in deployments(session)]


def _options(ctx: typer.Context) -> Options:
    """Return the shared options on the line so far; those of inner commands win."""
    given = Options()
    place: typer.Context | None = ctx
    while place is not None:
        given = given.or_else(
            Options(*(place.params.get(name) for name in ("stack", "region", "profile")))
        )
        place = place.parent  # type: ignore[assignment]  # typed as its base class
    return given
