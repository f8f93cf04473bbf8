"""The folder of an import's documents, to keep them in Git instead of storing them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecr_public_pusher.errors import PusherError

from ..documents.compose import same_fields
from ..documents.document import DocumentName
from ..documents.folder import DocumentFile, read_folder
from ..errors import CliError
from ..onboarding.document_step import NewCluster
from ..onboarding.step import Step, StepName, StepOutcome


@dataclass(frozen=True)
class DocumentFolder:
    """A folder, with the documents that are in it already."""

    path: Path
    files: Mapping[DocumentName, DocumentFile]
    overwrite: bool

    @classmethod
    def of(cls, path: Path, *, overwrite: bool) -> "DocumentFolder":
        """Read the folder. Raise CliError when a file in it cannot be read as a document."""
        folder = read_folder(path) if path.exists() else None
        if folder is not None and folder.problems:
            raise CliError(f"{folder.problems[0]}", remedy=folder.problems[0].remedy)
        found = folder.documents if folder is not None else ()
        return cls(path, {file.name: file for file in found}, overwrite)

    def plan(self, cluster: NewCluster) -> Step:
        """Return the step that writes the cluster's document."""
        there = self.files.get(cluster.name)
        file = str(self._file(cluster.name))
        if there is None:
            details = tuple(cluster.text.splitlines())
            return Step(StepName.DOCUMENT, StepOutcome.CREATED, file, details=details)
        if _same(there.text, cluster.text):
            return Step(StepName.DOCUMENT, StepOutcome.UNCHANGED, file)
        if self.overwrite:
            return Step(StepName.DOCUMENT, StepOutcome.UPDATED, file)
        said = f"{file} exists and differs"
        return Step(StepName.DOCUMENT, StepOutcome.FAILED, said, "To overwrite it: --overwrite.")

    def write(self, cluster: NewCluster) -> Step:
        """Write the cluster's document; return the step."""
        step = self.plan(cluster)
        if step.changes:
            file = self._file(cluster.name)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(cluster.text.encode())
            except OSError as error:
                said = f"{file} cannot be written: {error.strerror}"
                remedy = "Name another folder, or correct its permissions."
                return Step(StepName.DOCUMENT, StepOutcome.FAILED, said, remedy)
        return step

    def _file(self, name: DocumentName) -> Path:
        there = self.files.get(name)
        return there.path if there is not None else self.path / f"{name}.yaml"


def _same(left: str, right: str) -> bool:
    try:
        return same_fields(left, right)
    except PusherError:
        return False
