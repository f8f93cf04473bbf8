"""A person's editor, here a script, on a draft."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli.documents.editor import edit
from infra.cli.documents.problem import Problem
from infra.cli.errors import CliError

PATH = os.pathsep.join(str(entry) for entry in sys.path if entry)

type Editor = Callable[[str], dict[str, str]]


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    """Return an environment whose editor runs these lines of shell on the file $1.

    $0.seen collects the drafts that it was given.
    """

    def made(script: str) -> dict[str, str]:
        file = tmp_path / "an editor"
        file.write_text(
            f'#!/bin/sh\ncat "$1" >> "{tmp_path}/seen"\nstat -c %a "$1" >'
            f' "{tmp_path}/mode"\n{script}\n'
        )
        file.chmod(0o755)
        return {"EDITOR": f"'{file}'"}

    return made


def fine(text: str) -> list[Problem]:
    return []


def no_bad_word(text: str) -> list[Problem]:
    return [
        Problem("draft", "bad is bad", line)
        for line, one in enumerate(text.splitlines(), 1)
        if "bad" in one
    ]


def test_what_was_written_is_given(editor: Editor) -> None:
    assert (
        edit("a: 1\n", name="prod", check=fine, environ=editor("echo 'b: 2' >> \"$1\""))
        == "a: 1\nb: 2\n"
    )


def test_an_unchanged_draft_is_no_change(editor: Editor) -> None:
    assert edit("a: 1\n", name="prod", check=fine, environ=editor("true")) is None


def test_visual_takes_precedence_over_editor(editor: Editor) -> None:
    assert (
        edit(
            "a\n",
            name="prod",
            check=fine,
            environ={**editor("false"), "VISUAL": editor('echo b > "$1"')["EDITOR"]},
        )
        == "b\n"
    )


def test_only_its_owner_can_read_the_draft(editor: Editor, tmp_path: Path) -> None:
    edit("a\n", name="prod", check=fine, environ=editor("true"))
    assert int((tmp_path / "mode").read_text(), 8) == stat.S_IRUSR | stat.S_IWUSR


def test_an_invalid_draft_is_opened_again_with_what_is_wrong_and_where(
    editor: Editor, tmp_path: Path
) -> None:
    script = """grep -q '^#! ' "$1" && sed -i 's/bad/good/' "$1" || echo bad >> "$1" """
    assert edit("a\n", name="prod", check=no_bad_word, environ=editor(script)) == "a\ngood\n"
    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen == [
        "a",
        "#! Invalid; correct it, or save it as it is to give up:",
        "#! line 4: bad is bad",
        "a",
        "bad",
    ]
    assert seen[1:][4 - 1] == "bad"


def test_saved_unchanged_it_is_given_up_and_the_draft_is_kept(editor: Editor) -> None:
    with pytest.raises(CliError, match="still invalid") as raised:
        edit(
            "a\n",
            name="prod",
            check=no_bad_word,
            environ=editor("""grep -q bad "$1" || echo bad >> "$1" """),
        )
    assert "bad" in Path(raised.value.remedy.removeprefix("Your draft is in ")).read_text()


def test_taking_the_change_back_is_no_change(editor: Editor) -> None:
    script = """grep -q '^#! ' "$1" && echo a > "$1" || echo bad >> "$1" """
    assert edit("a\n", name="prod", check=no_bad_word, environ=editor(script)) is None


def test_an_editor_that_fails_changes_nothing(editor: Editor) -> None:
    with pytest.raises(CliError, match="ended with 3: nothing was written"):
        edit("a\n", name="prod", check=fine, environ=editor('echo b > "$1"; exit 3'))


def test_an_editor_that_is_not_there_is_reported() -> None:
    with pytest.raises(CliError, match="The editor no-such-editor does not start"):
        edit("a\n", name="prod", check=fine, environ={"EDITOR": "no-such-editor --wait"})


PROGRAM = """\
from infra.cli.documents.editor import edit
from infra.cli.errors import CliError
try:
    edit("a\\n", name="prod", check=lambda text: [])
except CliError as error:
    print(error.exit_code, error.message, error.remedy)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("changed", [True, False])
def test_a_signal_leaves_only_what_the_person_saved(
    editor: Editor, tmp_path: Path, number: signal.Signals, changed: bool
) -> None:
    script = f"{'echo b >> "$1"' if changed else 'true'}; echo ready; exec sleep 60"
    folder = tmp_path / "drafts"
    folder.mkdir()
    environ = {**os.environ, **editor(script), "TMPDIR": str(folder), "PYTHONPATH": PATH}
    environ.pop("VISUAL", None)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if number is signal.SIGTERM:
        process.send_signal(number)
    else:  # from a terminal, to both
        os.killpg(process.pid, number)
    said, _ = process.communicate(timeout=60)
    assert said.startswith("130 Interrupted: nothing was written.")
    drafts = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.read_text() for path in drafts] == (["a\nb\n"] if changed else [])
    assert all(f"Your draft is in {path}" in said for path in drafts)
