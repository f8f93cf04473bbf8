"""`clusters export` against the local AWS: a folder that `apply` finds nothing to change in."""

from pathlib import Path

import pytest

from tests.support.operator import Administrator
from tests.support.world import ROOT, World

PROD = "# of platform\nnamespaces: [a]  # all of it\n"
ALL = "regions: [us-east-1]\ntags: {team: a}\nnamespaces: [a]\n"


@pytest.fixture
def folder(person: Administrator) -> Path:
    return person.home / "exported"


def texts(folder: Path) -> dict[str, str]:
    """Return the text of each file, by its path in the folder."""
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_document_becomes_the_file_that_apply_reads(
    person: Administrator, world: World, folder: Path
) -> None:
    world.defaults("prune: true\n")
    world.document("prod", PROD)
    world.discovery("all", ALL)
    world.aws.put_parameter(f"{ROOT}/cluster/typo", PROD)
    ran = person.run("clusters", "export", str(folder))
    assert ran.exit_code == 0, ran.stderr
    assert texts(folder) == {
        "clusters/prod.yaml": PROD,
        "defaults.yaml": "prune: true\n",
        "discover/all.yaml": ALL,
    }
    assert f"{ROOT}/cluster/typo is not a document" in ran.stderr
    assert person.run("diff", str(folder), "--prune").exit_code == 0


def test_a_second_export_writes_nothing_and_overwrites_only_what_it_is_asked_to(
    person: Administrator, world: World, folder: Path
) -> None:
    world.document("prod", PROD)
    (folder / "clusters").mkdir(parents=True)
    (folder / "clusters" / "prod.yml").write_text("namespaces: [b]\n")
    refused = person.run("clusters", "export", str(folder))
    assert refused.exit_code == 2
    assert "1 file would be overwritten" in refused.stderr
    assert texts(folder) == {"clusters/prod.yml": "namespaces: [b]\n"}
    assert person.run("clusters", "export", str(folder), "--overwrite").exit_code == 0
    assert texts(folder) == {"clusters/prod.yml": PROD}
    again = person.run("clusters", "export", str(folder), "-o", "json")
    assert again.json == {"written": {}, "unchanged": 1}


def test_a_secure_string_is_written_only_if_asked_for(
    person: Administrator, world: World, folder: Path
) -> None:
    world.document("open", PROD)
    world.document("sealed", PROD, secure=True)
    refused = person.run("clusters", "export", str(folder))
    assert refused.exit_code == 2
    assert "SecureStrings: clusters/sealed" in refused.stderr
    assert not folder.exists()
    assert person.run("clusters", "export", str(folder), "--show-secure").exit_code == 0
    assert set(texts(folder)) == {"clusters/open.yaml", "clusters/sealed.yaml"}


def test_without_documents_there_is_nothing_to_export(person: Administrator, folder: Path) -> None:
    assert person.run("clusters", "export", str(folder)).exit_code == 2
    assert not folder.exists()
