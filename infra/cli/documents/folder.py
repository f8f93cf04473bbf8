"""A folder of documents: `defaults.yaml`, `clusters/*.yaml`, `discover/*.yaml`.

The suffixes .yml and .json work too. Anything else in it is reported, not ignored. What looks like
a document but is not read as one is a problem: `apply --prune` would delete what it stands for.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
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
    """A document's file, with its text as written, comments included, and as it is stored."""

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
    """Read every document below `root`, through links too."""
    return _read(_below(root))


def read_documents_in(folder: Path, *others: Path) -> Folder:
    """Read every document in a folder `clusters` or `discover`, and single other files."""
    return _read(
        [*_inside(folder, _place(folder).name), *((_name_alone(path), path) for path in others)]
    )


def read_files(paths: list[Path]) -> Folder:
    """Read single files as documents by their place.

    A file in a folder `discover` is a discovery, `defaults` the defaults, any other a cluster.
    """
    return _read([(_name_alone(path), path) for path in paths])


def joined(parts: Sequence[Folder]) -> Folder:
    """Return several folders as one; a file that is given twice counts once."""
    documents = {
        (file.name, file.path.resolve()): file for part in parts for file in part.documents
    }
    problems = {problem: None for part in parts for problem in part.problems}
    files = list(documents.values())
    return Folder(
        tuple(files),
        tuple({**problems, **dict.fromkeys(_shared_files(files))}),
        tuple(unknown_file for part in parts for unknown_file in part.unknown_files),
    )


def is_document_folder(path: Path) -> bool:
    """Return whether a folder holds documents of one kind: `clusters` or `discover`."""
    return path.is_dir() and _place(path).name in FOLDERS


def defaults_beside(path: Path) -> Path | None:
    """Return the defaults that go with a file in `clusters` or `discover`; None without any."""
    folder = _place(path).parent
    beside = [folder.parent / f"{DEFAULTS}{suffix}" for suffix in SUFFIXES]
    return next((file for file in beside if folder.name in FOLDERS and file.is_file()), None)


def unknown_file_notes(unknown_files: tuple[Path, ...]) -> list[Problem]:
    """Return a note for each file that is no document."""
    return [
        Problem(str(path), "is not a document, and was ignored", remedy=_LAYOUT)
        for path in unknown_files
    ]


# A file and the document that it is, the problem that keeps it from being one, or None for neither.
type _Found = tuple[DocumentName | Problem | None, Path]


def _below(root: Path) -> Iterator[_Found]:
    for path in _entries(root):
        if isinstance(path, Problem):
            yield path, root
        elif path.is_dir() and path.name in FOLDERS:
            yield from _inside(path, path.name)
        elif path.name in FOLDERS and path.exists():
            yield _problem(path, "is a file, not a folder", _LAYOUT), path
        elif path.is_file() and path.suffix in SUFFIXES and path.stem == DEFAULTS:
            yield DocumentName.defaults(), path
        else:
            yield from _other(path)


def _inside(folder: Path, kind: str) -> Iterator[_Found]:
    for path in _entries(folder):
        if isinstance(path, Problem):
            yield path, folder
        elif path.is_file() and path.suffix in SUFFIXES:
            yield DocumentName(kind, path.stem), path
        else:
            yield from _other(path)


def _other(path: Path) -> Iterator[_Found]:
    """Yield files where no documents are read: as problems, if they look like documents."""
    looks_so = path.suffix.lower() in SUFFIXES
    if path.is_symlink() and not path.exists():
        said = f"is a link to {path.readlink()}, which does not exist"
        yield _problem(path, said, "Correct the link, or delete it."), path
    elif path.is_dir() and looks_so:
        yield _problem(path, "is a folder, not a document", _LAYOUT), path
    elif path.is_dir() and path.is_symlink():  # into which it would be followed without end
        yield _problem(path, "is a link to a folder of another name", _LAYOUT), path
    elif path.is_dir():
        for inner in _entries(path):
            yield from ((inner, path),) if isinstance(inner, Problem) else _other(inner)
    elif looks_so and not path.is_file():
        yield _problem(path, "is not a regular file", "Replace it by the document's text."), path
    elif looks_so:
        yield _problem(path, "is not where a document is read", f"Move it. {_LAYOUT}"), path
    else:
        yield None, path


def _entries(folder: Path) -> Iterator[Path | Problem]:
    """Yield entries in order of name, without hidden ones, which are an editor's or Git's."""
    try:
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        yield _unreadable(folder, error)


def _name_alone(path: Path) -> DocumentName:
    folder = _place(path).parent.name
    if path.stem == DEFAULTS and folder not in FOLDERS:
        return DocumentName.defaults()
    return DocumentName(DISCOVER if folder == DISCOVER else CLUSTERS, path.stem)


def _place(path: Path) -> Path:
    """Return the absolute path by which the person knows the file: links are not followed."""
    return Path(os.path.normpath(path.absolute()))


def _read(found: Iterable[_Found]) -> Folder:
    documents: dict[DocumentName, DocumentFile] = {}
    problems = []
    unknown_files = []
    for name, path in found:
        if name is None:
            unknown_files.append(path)
        elif isinstance(name, Problem):
            problems.append(name)
        elif name in documents:
            said = f"the document {name} exists twice, also as {documents[name].path}"
            problems.append(_problem(path, said, "Keep one of the two."))
        elif isinstance(read := _read_one(name, path), Problem):
            problems.append(read)
        else:
            documents[name] = read
    problems += _shared_files(list(documents.values()))
    return Folder(
        tuple(documents[name] for name in sorted(documents)), tuple(problems), tuple(unknown_files)
    )


def _read_one(name: DocumentName, path: Path) -> DocumentFile | Problem:
    if not name.is_valid:
        said = f"'{name.id}' cannot be a document's id (letters, digits, '-', '_' and '.')"
        return _problem(path, said, "Rename the file, and name the cluster in the field `cluster`.")
    try:
        return DocumentFile(name, path, path.read_bytes().decode())
    except OSError as error:
        return _unreadable(path, error)
    except UnicodeDecodeError as error:
        return _problem(path, f"byte {error.start + 1} is not UTF-8", "Save the file as UTF-8.")


def _shared_files(files: Sequence[DocumentFile]) -> list[Problem]:
    """Return a problem for each document whose file is another document's too, by a link."""
    first: dict[Path, DocumentFile] = {}
    return [
        _problem(
            file.path,
            f"is the same file as {other.path}",
            "Give each document a file of its own. What several have in common belongs in the"
            " defaults.",
        )
        for file in files
        if (other := first.setdefault(file.path.resolve(), file)).name != file.name
    ]


def _unreadable(path: Path, error: OSError) -> Problem:
    return _problem(path, f"cannot be read: {error.strerror}", "Correct its permissions.")


def _problem(path: Path, message: str, remedy: str) -> Problem:
    return Problem(str(path), message, remedy=remedy)
