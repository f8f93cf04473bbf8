"""The event of `--event`, in each form, and the messages for an invalid one."""

import io
from pathlib import Path
from typing import Any

import pytest

from infra.local.run.event import EventError, read_event

EVENT: dict[str, Any] = {"action": "plan", "clusters": ["edge"]}
TEXT = '{"action": "plan", "clusters": ["edge"]}'


def test_json_is_taken_as_it_stands() -> None:
    assert read_event(TEXT) == EVENT


def test_an_actions_name_is_an_event() -> None:
    assert read_event("check") == {"action": "check"}


@pytest.mark.parametrize("prefix", ["@", ""])
def test_a_file_is_read(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "event.json").write_text(TEXT)
    assert read_event(f"{prefix}{tmp_path}/event.json") == EVENT


def test_a_dash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT))
    assert read_event("-") == EVENT


@pytest.mark.parametrize(
    "text", ["{action: check}", "{", '\'{"action": "check"}\'', "dance", "", " "]
)
def test_invalid_json_is_answered_with_the_ways_to_quote(text: str) -> None:
    with pytest.raises(EventError) as error:
        read_event(text)
    assert """make run ARGS="--event '{\\"action\\": \\"plan\\"}'\"""" in str(error.value)
    assert text.strip() in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"none\.json cannot be read: No such file"):
        read_event(f"@{tmp_path}/none.json")


def test_a_file_that_holds_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("action: check")
    with pytest.raises(EventError, match=r"event\.json is not JSON"):
        read_event(f"@{tmp_path}/event.json")
