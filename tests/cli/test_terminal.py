"""Output on a terminal and in a pipe: widths, colours, questions, interrupts."""

import re
import signal
import subprocess
import time

import pytest

from tests.support.operator import COMMAND, Operator
from tests.support.terminal import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*3[1-7][0-9;]*m")
LONG = "a-cluster-whose-name-is-as-long-as-they-get-in-some-companies-0123456789"


@pytest.fixture
def prod(operator: Operator) -> Operator:
    """Make a cluster that is ok, and one with a long name that is not."""
    operator.world.add_cluster("prod", namespaces=("team-a",), document="namespaces: [team-a]")
    operator.world.apply("prod", "prune.yaml")
    operator.world.document(LONG, "region: eu-west-1\nnamespaces: [a]")
    operator.run("push")
    return operator


def terminal(operator: Operator, *arguments: str, **environ: str) -> Terminal:
    return Terminal([*COMMAND, *arguments], operator.process_environ(**environ), columns=80)


def test_at_80_columns_every_line_fits(prod: Operator) -> None:
    with terminal(prod, "status") as screen:
        assert screen.finish() == 1
    assert max(len(line) for line in screen.lines if "aws eks" not in line) <= 80
    assert any(line.startswith("prod ") and "11h5" in line for line in screen.lines)


def test_a_terminal_gets_colours(prod: Operator) -> None:
    with terminal(prod, "status") as screen:
        screen.finish()
    assert COLOUR.search(screen.raw)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(
    prod: Operator, environ: dict[str, str]
) -> None:
    with terminal(prod, "status", **environ) as screen:
        screen.finish()
    assert not COLOUR.search(screen.raw)


def piped(operator: Operator, *arguments: str, **environ: str) -> str:
    process = operator.start(*arguments, **environ)
    return process.communicate(timeout=60)[0]


def test_a_pipe_gets_whole_lines_without_colours_whatever_the_width(prod: Operator) -> None:
    text = piped(prod, "status", COLUMNS="40")
    assert "\x1b" not in text
    (line,) = [
        line for line in text.splitlines() if line.startswith(f"{LONG} ") and "failed" in line
    ]
    assert "EksError" in line


def test_a_pipe_gets_colours_when_they_are_forced_and_whole_lines_still(prod: Operator) -> None:
    text = piped(prod, "status", FORCE_COLOR="1")
    assert COLOUR.search(text)
    assert any(LONG in line and "EksError" in line for line in text.splitlines())


def test_a_reader_that_closes_the_pipe_is_no_failure(prod: Operator) -> None:
    process = prod.start("status")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    complaint = process.stderr.read()
    assert process.wait(60) == 141
    assert "Traceback" not in complaint
    assert "Broken" not in complaint


def test_a_removal_asks_and_is_done_on_yes(prod: Operator) -> None:
    with terminal(prod, "remove", "prod") as screen:
        screen.wait_for("Remove all of that? [y/N]")
        assert any(line.split() == ["team-a", "remove"] for line in screen.lines)
        assert prod.world.secret("prod", "team-a")
        screen.enter("y\n")
        assert screen.finish() == 0
    assert prod.world.secret("prod", "team-a") is None


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_a_removal_is_not_done_on_anything_else(prod: Operator, answer: str) -> None:
    with terminal(prod, "remove", "prod") as screen:
        screen.wait_for("Remove all of that? [y/N]")
        screen.enter(answer)
        assert screen.finish() == 1
    assert "nothing was done" in screen.text
    assert prod.world.secret("prod", "team-a")


def test_a_removal_that_finds_nothing_does_not_ask(prod: Operator) -> None:
    prod.run("remove", "prod", "--yes")
    with terminal(prod, "remove", "prod") as screen:
        assert screen.finish() == 0
    assert "[y/N]" not in screen.text


def test_an_interrupt_at_the_question_exits_130(prod: Operator) -> None:
    with terminal(prod, "remove", "prod") as screen:
        screen.wait_for("[y/N]")
        screen.interrupt()
        assert screen.finish() == 130
    assert "Traceback" not in screen.text


def test_progress_says_what_is_waited_for_and_leaves_nothing_behind(prod: Operator) -> None:
    with terminal(prod, "push", "prod") as screen:
        assert screen.finish() == 0
    assert "waiting for" in screen.text
    assert "\x1b[2K" in screen.raw  # the line is erased


def test_a_purge_says_how_many_before_it_is_done(prod: Operator) -> None:
    prod.stack.dead_letters.put({"action": "push"})
    with terminal(prod, "queue", "purge", "dead-letters") as screen:
        screen.wait_for("about 1? [y/N]")
        screen.enter("yes\n")
        assert screen.finish() == 0
    assert prod.stack.dead_letters.waiting == []


def test_without_an_answerer_a_removal_is_refused(prod: Operator) -> None:
    process = prod.start("remove", "prod", stdin=subprocess.DEVNULL)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Give --yes" in complaint


def test_watching_ends_at_an_interrupt(prod: Operator) -> None:
    with terminal(prod, "status", "--watch", "--every", "1") as screen:
        screen.wait_for("Retry queue")
        screen.interrupt()
        assert screen.finish() == 130
    assert "Traceback" not in screen.text


def test_long_names_share_80_columns(operator: Operator) -> None:
    operator.world.document(
        "payments-production-frankfurt",
        f"cluster: {LONG}\nregion: eu-central-1\nnamespaces: [payments, default, 'team-*']",
    )
    with terminal(operator, "clusters", "list") as screen:
        assert screen.finish() == 0
    assert max(len(line) for line in screen.lines) <= 80
    ids = [line.split("  ")[0] for line in screen.lines[1:] if line[:1].strip()]
    assert "".join(ids).startswith("payments-production-frankfurt")
    assert min(len(part) for part in ids[:1]) >= 12


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_an_interrupt_while_it_starts_exits_130_in_silence(
    operator: Operator, after: float
) -> None:
    """The process says when its own first line is next; before that, it is Python that starts."""
    program = "import os; from infra.cli.__main__ import main; os.write(1, b'+'); main()"
    process = subprocess.Popen(
        [COMMAND[0], "-c", program, "status", "--watch"],
        env=operator.process_environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.read(1) == b"+"
    time.sleep(0.02 + after)  # the first line
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in complaint


@pytest.mark.parametrize("arguments", [("status",), ("-o", "yaml", "status"), ("status", "--help")])
def test_a_stream_that_cannot_show_a_character_is_no_bug(
    prod: Operator, arguments: tuple[str, ...]
) -> None:
    process = prod.start(*arguments, PYTHONIOENCODING="ascii")
    said, complaint = process.communicate(timeout=60)
    assert process.returncode in (0, 1), complaint
    assert said.isascii()
    assert "\\x" not in said
