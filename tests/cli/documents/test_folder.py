"""A folder of documents: the files that are documents, those that cannot be, and unknown ones."""

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


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "prod.yaml",
        "cluster/prod.yaml",
        "clusters/team/prod.yaml",
        "clusters/prod.toml",
    ],
)
def test_any_other_file_is_reported(tmp_path: Path, name: str) -> None:
    folder = read_folder(write(tmp_path, name))
    assert [str(path.relative_to(tmp_path)) for path in folder.unknown_files] == [name]
    assert not folder.documents


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
