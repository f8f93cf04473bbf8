"""The document of a cluster to make ready: its text before and after, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.errors import PusherError

from ..documents.changes import text_diff
from ..documents.compose import compose, same_fields
from ..documents.deployed import Deployed
from ..documents.document import DocumentName
from ..documents.pending import enabled_again, is_pending
from ..documents.problem import Problem
from ..documents.store import Stored
from ..errors import CliError
from .fields import Given
from .step import Step, StepName, StepOutcome


@dataclass(frozen=True)
class NewCluster:
    """A cluster to make ready. `text` is its document's new text, `before` the stored document.

    `configs` holds the settings of every document for the same cluster, its own first.
    """

    name: DocumentName
    text: str
    before: Stored | None
    config: ClusterConfig
    configs: Sequence[ClusterConfig]
    notes: Sequence[Problem] = ()

    @property
    def waits(self) -> bool:
        """Return whether its document is new, or is stored and waits for the function's access."""
        return self.before is None or is_pending(self.before.text)

    @property
    def is_eks(self) -> bool:
        return self.config.sign_in.type == "eks"

    def plan(self, store_parameter: str) -> Step:
        """Return the step that writes the document to `store_parameter`."""
        if self.before is None:
            return Step(
                StepName.DOCUMENT,
                StepOutcome.CREATED,
                store_parameter,
                details=tuple(self.text.splitlines()),
            )
        if self.text == self.before.text:
            return Step(StepName.DOCUMENT, StepOutcome.UNCHANGED, store_parameter)
        details = text_diff(self.before.text, self.text, str(self.name), f"{self.name} (changed)")
        return Step(StepName.DOCUMENT, StepOutcome.UPDATED, store_parameter, details=tuple(details))


def new_cluster(
    deployed: Deployed, document_id: str, given: Given, file_text: str | None, *, replace: bool
) -> NewCluster:
    """Return the cluster of the options, of a file, or of the stored document.

    Raise CliError when the function would not accept the document.
    """
    name = DocumentName.cluster(document_id)
    if not name.is_valid:
        raise CliError(
            f"'{document_id}' cannot be an id: letters, digits, '-', '_' and '.' only.",
            remedy="Choose another; --cluster names the EKS cluster.",
        )
    before = deployed.snapshot.documents.get(name)
    if before is not None and before.error:
        deployed.find(document_id, clusters_only=True)
    edit = deployed.follow_up.command("clusters", "edit", name.id)
    text = document_text(name, before, given, file_text, edit, replace=replace)
    validation = deployed.validate({name: deployed.replacement(name, text, str(name))})
    theirs = [problem for problem in validation.problems if problem.where == str(name)]
    theirs = theirs or [
        problem for problem in validation.problems if problem.where == str(DocumentName.defaults())
    ]
    if theirs:
        said = "\n  ".join(str(problem) for problem in theirs)
        raise CliError(
            f"The function would refuse this document; nothing was done.\n  {said}",
            remedy=theirs[0].remedy,
        )
    config = next(one for one in validation.configuration.clusters if one.id == document_id)
    same = [
        one
        for one in validation.configuration.clusters
        if one.target == config.target and one.id != document_id
    ]
    notes = [note for note in validation.notes if note.where == str(name)]
    return NewCluster(name, text, before, config, [config, *same], notes)


def document_text(
    name: DocumentName,
    before: Stored | None,
    given: Given,
    file_text: str | None,
    edit: str,
    *,
    replace: bool,
) -> str:
    """Return the document's text: of the options, of a file, or as it is stored.

    Raise CliError for both, and for one that differs from what is stored, unless `replace` is set.
    """
    if file_text is not None and not given.nothing:
        raise CliError(
            "Fields come from options or from a file, not both.",
            remedy="Put them into the file, or leave --file out.",
        )
    if file_text is None and given.nothing:
        if before is not None:
            return enabled_again(before.text) if is_pending(before.text) else before.text
        # The defaults may hold what else it needs; otherwise the model reports what is missing.
        text = compose({"cluster": name.id})
    else:
        text = file_text if file_text is not None else compose(given.document())
    if before is None or is_pending(before.text):
        return text
    if _same(text, before.text):
        return before.text
    if not replace:
        difference = "\n".join(text_diff(before.text, text, str(name), "this command"))
        raise CliError(
            f"There is a different document {name.id} already:\n{difference}",
            remedy=(
                "--replace overwrites it; without fields, the stored one is used. To change"
                f" it: {edit}"
            ),
        )
    return text


def _same(left: str, right: str) -> bool:
    try:
        return same_fields(left, right)
    except PusherError:
        return False
