"""A folder of documents: `defaults.yaml`, `clusters/*.yaml`, `discover/*.yaml`.

The suffixes .yml and .json work too. Anything else in it is reported, not ignored.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .document import CLUSTERS, DEFAULTS, DISCOVER, DocumentName
from .problem import Problem

SUFFIXES = (".yaml", ".yml", ".json")
FOLDERS = (CLUSTERS, DISCOVER)
_LAYOUT = (
    "Documents are DIR/defaults.yaml, DIR/clusters/ID.yaml and DIR/discover/ID.yaml (or .yml,"
    " .json)."
)


@dataclass(frozen=True)
class DocumentFile:
    """A document's file, with its text as written, comments included: that is what is stored."""

    name: DocumentName
    path: Path
    text: str = field(repr=False)


@dataclass(frozen=True)
class Folder:
    """The documents found, with problems of files that cannot be read as one, and unknown files."""

    documents: tuple[DocumentFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    unknown_files: tuple[Path, ...] = ()


def read_folder(root: Path) -> Folder:
    """Read every document below `root`."""
    found = []
    unknown_files = []
    for path in _files(root):
        name = name_of(path, root)
        if name is None:
            unknown_files.append(path)
        else:
            found.append((name, path))
    return _read(found, tuple(unknown_files))


def read_files(paths: list[Path]) -> Folder:
    """Read single files as documents by their place.

    A file in a folder `discover` is a discovery, `defaults` the defaults, any other a cluster.
    """
    return _read([(_name_alone(path), path) for path in paths], ())


def name_of(path: Path, root: Path) -> DocumentName | None:
    """Return the document of a file below `root`; None when it is no document."""
    inner = path.relative_to(root).parts
    if path.suffix not in SUFFIXES:
        return None
    if len(inner) == 1:
        return DocumentName.defaults() if path.stem == DEFAULTS else None
    return DocumentName(inner[0], path.stem) if len(inner) == 2 and inner[0] in FOLDERS else None


def _name_alone(path: Path) -> DocumentName:
    if path.stem == DEFAULTS and path.resolve().parent.name not in FOLDERS:
        return DocumentName.defaults()
    return DocumentName(DISCOVER if path.resolve().parent.name == DISCOVER else CLUSTERS, path.stem)


def _files(root: Path) -> Iterator[Path]:
    """Yield files in order of name, without hidden ones, which are an editor's or Git's."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(
            part.startswith(".") for part in path.relative_to(root).parts
        ):
            yield path


def _read(found: list[tuple[DocumentName, Path]], unknown_files: tuple[Path, ...]) -> Folder:
    documents: dict[DocumentName, DocumentFile] = {}
    problems = []
    for name, path in found:
        if name in documents:
            problems.append(
                Problem(
                    str(path),
                    f"the document {name} exists twice, also as {documents[name].path}",
                    remedy="Keep one of the two.",
                )
            )
            continue
        if not name.is_valid:
            said = f"'{name.id}' cannot be a document's id (letters, digits, '-', '_' and '.')"
            problems.append(
                Problem(
                    str(path),
                    said,
                    remedy="Rename the file, and name the cluster in the field `cluster`.",
                )
            )
            continue
        try:
            documents[name] = DocumentFile(name, path, path.read_bytes().decode())
        except OSError as error:
            problems.append(
                Problem(
                    str(path),
                    f"cannot be read: {error.strerror}",
                    remedy="Correct the file's permissions.",
                )
            )
        except UnicodeDecodeError as error:
            problems.append(
                Problem(
                    str(path),
                    f"byte {error.start + 1} is not UTF-8",
                    remedy="Save the file as UTF-8.",
                )
            )
    return Folder(
        tuple(documents[name] for name in sorted(documents)), tuple(problems), unknown_files
    )


def unknown_file_notes(unknown_files: tuple[Path, ...]) -> list[Problem]:
    """Return a note for each file that is no document."""
    return [
        Problem(str(path), "is not a document, and was ignored", remedy=_LAYOUT)
        for path in unknown_files
    ]
