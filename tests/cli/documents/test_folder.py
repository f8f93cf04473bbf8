"""A folder of documents: the files that are documents, those that cannot be, and unknown ones."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.cli.documents.document import DocumentName
from infra.cli.documents.folder import read_files, read_folder

TEXT = "namespaces: [default] # all of it\n"


def write(folder: Path, *names: str, text: str = TEXT) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return [str(file.name) for file in read_folder(folder).documents]


def test_defaults_clusters_and_discoveries_are_documents(tmp_path: Path) -> None:
    write(
        tmp_path,
        "defaults.yml",
        "clusters/prod.yaml",
        "clusters/edge.json",
        "discover/platform.yaml",
    )
    assert names(tmp_path) == ["defaults", "clusters/edge", "clusters/prod", "discover/platform"]


def test_a_documents_text_is_the_files_to_the_letter(tmp_path: Path) -> None:
    (file,) = read_folder(write(tmp_path, "clusters/prod.yaml")).documents
    assert file.text == TEXT


@pytest.mark.parametrize("name", ["README.md", "clusters/prod.toml", "scripts/run.sh"])
def test_any_other_file_is_reported(tmp_path: Path, name: str) -> None:
    folder = read_folder(write(tmp_path, name))
    assert [str(path.relative_to(tmp_path)) for path in folder.unknown_files] == [name]
    assert not folder.documents


@pytest.mark.parametrize(
    "name",
    [
        "prod.yaml",
        "cluster/prod.yaml",
        "clusters/team/prod.yaml",
        "clusters/prod.YAML",
        "a/b/c.json",
    ],
)
def test_a_document_where_none_is_read_is_a_problem(tmp_path: Path, name: str) -> None:
    folder = read_folder(write(tmp_path, name))
    (problem,) = folder.problems
    assert (problem.where, problem.message) == (
        str(tmp_path / name),
        "is not where a document is read",
    )
    assert "DIR/clusters/ID.yaml" in problem.remedy
    assert (folder.documents, folder.unknown_files) == ((), ())


@pytest.mark.parametrize("name", ["clusters/edge.yaml", "defaults.yaml", "clusters", "README.md"])
def test_a_link_to_nowhere_is_a_problem(tmp_path: Path, name: str) -> None:
    write(tmp_path, "discover/all.yaml")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to("gone.yaml")
    (problem,) = read_folder(tmp_path).problems
    assert problem.where == str(tmp_path / name)
    assert problem.message == "is a link to gone.yaml, which does not exist"


def test_a_link_to_itself_is_one_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "defaults.yaml").symlink_to("defaults.yaml")
    (problem,) = read_folder(tmp_path).problems
    assert "which does not exist" in problem.message


@pytest.mark.parametrize("name", ["clusters/edge.yaml", "defaults.yaml", "more.json"])
def test_a_folder_with_a_documents_name_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    (problem,) = read_folder(tmp_path).problems
    assert problem.message == "is a folder, not a document"


def test_a_file_with_a_folders_name_is_a_problem(tmp_path: Path) -> None:
    (problem,) = read_folder(write(tmp_path, "clusters")).problems
    assert problem.message == "is a file, not a folder"


def test_a_pipe_with_a_documents_name_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "clusters").mkdir()
    os.mkfifo(tmp_path / "clusters" / "edge.yaml")
    (problem,) = read_folder(tmp_path).problems
    assert problem.message == "is not a regular file"


def test_two_links_to_one_file_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "clusters/a.yaml")
    (tmp_path / "clusters" / "b.yaml").symlink_to("a.yaml")
    (problem,) = read_folder(tmp_path).problems
    assert problem.where == str(tmp_path / "clusters" / "b.yaml")
    assert problem.message == f"is the same file as {tmp_path}/clusters/a.yaml"


def test_links_to_folders_and_files_elsewhere_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "k8s/prod.yaml", "one.yaml")
    config = tmp_path / "config"
    (config / "discover").mkdir(parents=True)
    (config / "clusters").symlink_to("../elsewhere/k8s")
    (config / "discover" / "all.yaml").symlink_to("../../elsewhere/one.yaml")
    assert names(config) == ["clusters/prod", "discover/all"]
    assert not read_folder(config).problems
    (alone,) = read_files([config / "discover" / "all.yaml"]).documents
    assert str(alone.name) == "discover/all"


def test_a_link_to_a_folder_of_another_name_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "clusters/prod.yaml")
    (tmp_path / "loop").symlink_to(".")
    (problem,) = read_folder(tmp_path).problems
    assert problem.message == "is a link to a folder of another name"


def test_a_folder_that_may_not_be_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "clusters/prod.yaml")

    def refused(path: Path) -> Iterator[Path]:  # root, who runs tests, may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    (problem,) = read_folder(tmp_path).problems
    assert problem.message == "cannot be read: Permission denied"


def test_what_editors_and_git_keep_is_not(tmp_path: Path) -> None:
    folder = read_folder(
        write(tmp_path, ".git/config", "clusters/.prod.yaml.swp", ".vscode/settings.json")
    )
    assert not folder.unknown_files


def test_one_document_in_two_files_is_a_problem(tmp_path: Path) -> None:
    (problem,) = read_folder(write(tmp_path, "clusters/a.yaml", "clusters/a.yml")).problems
    assert "clusters/a exists twice" in problem.message
    assert problem.where.endswith("a.yml")


@pytest.mark.parametrize("name", ["a b", "ä", "a+b"])
def test_an_id_that_no_parameter_can_have_is_a_problem(tmp_path: Path, name: str) -> None:
    (problem,) = read_folder(write(tmp_path, f"clusters/{name}.yaml")).problems
    assert f"'{name}' cannot be a document's id" in problem.message


def test_what_is_not_utf8_is_a_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "prod.yaml").write_bytes(b"# \xff\n")
    (problem,) = read_folder(tmp_path).problems
    assert problem.message == "byte 3 is not UTF-8"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("defaults.yaml", DocumentName.defaults()),
        ("clusters/defaults.yaml", DocumentName.cluster("defaults")),
        ("discover/platform.yaml", DocumentName("discover", "platform")),
        ("anywhere/prod.yaml", DocumentName.cluster("prod")),
    ],
)
def test_a_single_file_is_what_its_place_says(
    tmp_path: Path, path: str, name: DocumentName
) -> None:
    write(tmp_path, path)
    assert [file.name for file in read_files([tmp_path / path]).documents] == [name]
