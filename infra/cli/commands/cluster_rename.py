"""`clusters rename`: another id for a document of the same cluster."""

from rich.text import Text

from ecr_public_pusher.configuration.cluster_config import Eks

from ..command import Cli
from ..documents.deployed import Deployed
from ..documents.document import CLUSTERS, DISCOVER, DocumentName
from ..documents.editing import NotEditable, with_cluster
from ..documents.renames import audience_note, has_audience
from ..documents.store import Stored
from ..documents.validation import Document
from ..errors import CliError
from ..rendering.documents import render_notes
from .removal import rename as rename_document
from .verdict import Verdict


def rename(cli: Cli, old: str, new: str, *, no_wait: bool) -> int:
    """Give a document another id, and push it."""
    deployed = Deployed.of(cli.session)
    stored = deployed.find(old)
    name = _new_name(deployed, stored, new)
    text = _text(deployed, stored)
    _demand_valid(deployed, stored, name, text)
    config = deployed.cluster(stored.name.id) if stored.name.folder == CLUSTERS else None
    if config is not None and has_audience(config):
        for part in render_notes([audience_note(str(stored.name), config, new_id=name.id)]):
            cli.output.aside(part)
    rename_document(cli, deployed, stored, name, text)
    cli.output.done(Text(f"{stored.name} renamed to {name}"))
    verdict = Verdict.of(cli, [name], wait=not no_wait)
    said = {"from": str(stored.name), "to": str(name)}
    cli.output.result(said | verdict.as_json(), verdict.render)
    return verdict.exit_code()


def _new_name(deployed: Deployed, stored: Stored, new: str) -> DocumentName:
    """Return the new name. Raise CliError for one that is invalid, or is there already."""
    folder = stored.name.folder
    if not folder:
        raise CliError("The defaults have no other name.", remedy="Name a cluster's document.")
    name = DocumentName(folder, new.removeprefix(f"{folder}/"))
    if not name.is_valid:
        raise CliError(
            f"{new!r} cannot be the id of a document in {folder}/.",
            remedy="Ids have letters, digits, '-', '_' and '.'.",
        )
    if name == stored.name:
        raise CliError(f"{name} has that id already.", remedy="Give another one.")
    if name in deployed.snapshot.documents:
        delete = deployed.follow_up.command("clusters", "delete", _called(stored))
        raise CliError(
            f"There is a document {name} already.",
            remedy=(
                f"If it is for the same cluster, delete the old one. Secrets in namespaces that"
                f" {new} selects stay: {delete}"
            ),
        )
    return name


def _called(stored: Stored) -> str:
    """Return the document as the command line names it: `<id>`, or `discover/<id>`."""
    return str(stored.name) if stored.name.folder == DISCOVER else stored.name.id


def _text(deployed: Deployed, stored: Stored) -> str:
    """Return the document's text under another id: it names its EKS cluster.

    Raise CliError for an invalid document, whose cluster is not known.
    """
    edit = deployed.follow_up.command("clusters", "edit", _called(stored))
    problems = [one for one in deployed.validation.problems if one.where == str(stored.name)]
    if problems:
        raise CliError(
            f"Not renamed, since it is invalid: {problems[0]}", remedy=f"Correct it first: {edit}"
        )
    config = deployed.cluster(stored.name.id) if stored.name.folder == CLUSTERS else None
    if config is None or not isinstance(config.sign_in, Eks):
        return stored.text
    try:
        return with_cluster(stored.text, config.cluster)
    except NotEditable:
        raise CliError(
            f"{stored.name} is written in a way that cannot be edited in place.",
            remedy=(
                f"Write `cluster: {config.cluster}` into it by hand, and rename it then: {edit}"
            ),
        ) from None


def _demand_valid(deployed: Deployed, stored: Stored, name: DocumentName, text: str) -> None:
    """Raise CliError when the document would not be valid under its new id."""
    known = {str(problem) for problem in deployed.validation.problems}
    after = deployed.validate({stored.name: None, name: Document(text, str(name), stored.limit)})
    if problems := [problem for problem in after.problems if str(problem) not in known]:
        raise CliError(f"Not renamed: {problems[0]}", remedy=problems[0].remedy)
