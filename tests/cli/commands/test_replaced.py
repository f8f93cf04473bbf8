"""Documents that a command overwrites or deletes: a copy in the state folder, and the way back."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.operator import Administrator, Ran
from tests.support.world import World

PROD = "# of platform\nnamespaces: [a]  # all of it\n"


def restored(person: Administrator, ran: Ran) -> Ran:
    """Run the command that was printed for restoring."""
    program, *words = shlex.split(ran.stderr.split("To restore it: ")[1].splitlines()[0])
    assert program == "ecr-public-pusher"
    return person.run(*words[: words.index("--profile")], "--yes")


def test_a_deleted_document_is_restored_by_the_command_that_is_printed(
    person: Administrator, world: World
) -> None:
    world.defaults("prune: false\n")
    world.document("prod", PROD)
    ran = person.run("clusters", "delete", "prod", "defaults", "--keep-secrets", "--yes")
    assert (person.stored("clusters/prod"), person.stored("defaults")) == (None, None)
    assert restored(person, ran).exit_code in (0, 1)
    assert person.stored("clusters/prod") == PROD
    assert person.stored("defaults") == "prune: false\n"


def test_an_edited_document_is_restored_by_the_command_that_is_printed(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD, secure=True)
    person.editor("echo 'prune: true' >> \"$1\"")
    ran = person.run("clusters", "edit", "prod")
    (file,) = (person.home / ".local" / "state").rglob("prod.yaml")
    restored(person, ran)
    assert person.stored("clusters/prod") == PROD
    assert [oct(path.stat().st_mode & 0o777) for path in (file, file.parent)] == ["0o600", "0o700"]


def test_apply_saves_what_it_overwrites_and_deletes_and_nothing_else(
    person: Administrator, world: World
) -> None:
    for name in ("changed", "gone", "same"):
        world.document(name, PROD)
    folder = person.folder(changed="namespaces: [b]\n", same=PROD, new=PROD)
    person.environ["XDG_STATE_HOME"] = str(person.home / "state")
    ran = person.run("apply", str(folder), "--prune", "--keep-secrets", "--yes")
    saved = Path(ran.stderr.split("is in ")[1].split(". To restore")[0])
    assert saved.is_relative_to(person.home / "state" / "ecr-public-pusher" / "replaced")
    assert {file.stem: file.read_text() for file in saved.rglob("*.yaml")} == {
        "changed": PROD,
        "gone": PROD,
    }


def test_where_no_copy_can_be_saved_the_text_is_printed_and_a_secure_strings_is_not(
    person: Administrator, world: World
) -> None:
    world.document("prod", PROD)
    world.document("sealed", "namespaces: [sealed]\n", secure=True)
    (person.home / "no-folder").write_text("")
    person.environ["XDG_STATE_HOME"] = str(person.home / "no-folder")
    ran = person.run("clusters", "delete", "prod", "sealed", "--keep-secrets", "--yes")
    assert ran.exit_code == 0
    assert "# of platform" in ran.stderr
    assert "[sealed]" not in ran.stderr
    assert person.stored("clusters/prod") is None


def test_defaults_that_other_documents_need_are_not_deleted(
    person: Administrator, world: World
) -> None:
    world.defaults("namespaces: [a]\n")
    world.document("prod", "prune: true\n")
    ran = person.run("clusters", "delete", "defaults", "--yes")
    assert ran.exit_code == 2
    assert re.search(r"clusters/prod.*: namespaces: required here", ran.stderr)
    assert person.stored("defaults") == "namespaces: [a]\n"
    both = person.json("clusters", "delete", "defaults", "prod", "--keep-secrets", "--yes")
    assert both == {"deleted": ["clusters/prod", "defaults"], "kept": []}


@pytest.mark.parametrize("arguments", [[], ["--keep-secrets"]])
def test_defaults_are_deleted_without_being_written_before(
    person: Administrator, world: World, arguments: list[str]
) -> None:
    world.defaults("namespaces: [a]\n")
    world.document("prod", PROD)
    ran = person.run("clusters", "delete", "defaults", "--yes", *arguments)
    assert (ran.exit_code, person.stored("defaults")) == (0, None)
    assert not world.aws.called("ssm", "PutParameter")
