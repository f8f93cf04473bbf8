"""Everything printed passes one filter: a terminal never obeys what clusters or queues say."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text

from infra.cli.choices import Format
from infra.cli.errors import CliError
from infra.cli.output import Output
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
# Clears the screen, sets the window's title, goes back over the line, and the same as single bytes.
# Hides what follows; turns the order of the line's letters; breaks the line.
HOSTILE = "a\x1b[2Jb\x1b]0;c\x07d\re\x9b2Jf\x85g\x0bh\x1b[8mi\u202ej\u2066k\u2028l"
CONTROLS = "\x1b\x07\r\x9b\x85\x0b\u202e\u2066\u2028"

type Print = Callable[[Output, str], object]

WAYS: dict[str, Print] = {
    "result": lambda output, text: output.result({"text": text}, lambda: [Text(text)]),
    "line": lambda output, text: output.line({"text": text}, Text(text)),
    "document": lambda output, text: output.document(text),
    "done": lambda output, text: output.done(Text(text)),
    "note": lambda output, text: output.note(text),
    "error": lambda output, text: output.error(CliError(text, remedy=text)),
    "aside": lambda output, text: output.aside(Text(text)),
}


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("way", WAYS)
def test_no_control_character_is_printed(
    way: str, format: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](Output(format), HOSTILE)
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "a" in text
    assert not set(CONTROLS) & set(text)
    assert text.splitlines() == text.removesuffix("\n").split("\n")  # no line of its own making


def test_every_method_that_prints_is_among_them() -> None:
    others = {
        "fresh_page",
        "has_person",
        "confirm",
        "progress",
    }  # questions are this program's own
    assert {name for name in vars(Output) if not name.startswith("_")} == {*WAYS, *others}


def test_progress_on_a_terminal_shows_a_name_and_does_not_obey_it() -> None:
    script = "from infra.cli.output import Output\nwith Output().progress('a\\x1b[2J[bold]b'): pass"
    environ = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}", "TERM": "xterm-256color"}
    with Terminal([sys.executable, "-c", script], environ) as screen:
        assert screen.finish() == 0
    assert "\x1b[2J" not in screen.raw
    assert "[bold]b" in screen.text


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import sys; sys.stdout.write('a')", "TID251"),
        ("import sys; sys.stderr.write('a')", "TID251"),
        ("from sys import stdout; stdout.write('a')", "TID251"),
        ("import typer; typer.echo('a')", "TID251"),
        ("from rich.console import Console; Console().print('a')", "TID251"),
        ("print('a')", "T201"),
        ("def f(cli): cli.output._out.print('a')", "SLF001"),
    ],
)
def test_make_check_refuses_a_command_that_prints_past_the_output(line: str, rule: str) -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise"),
            *("--stdin-filename", "infra/cli/commands/made_up.py", "-"),
        ],
        cwd=ROOT,
        input=f"{line}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert f" {rule} " in checked.stdout, checked.stdout + checked.stderr
