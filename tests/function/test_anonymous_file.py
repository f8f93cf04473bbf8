"""Files without a name: read by their path while they are open, and not found afterwards."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from ecr_public_pusher.anonymous_file import anonymous_file, in_memory, on_disk, path_of


def test_what_is_written_is_read_by_the_path() -> None:
    with anonymous_file(b"content") as path:
        assert Path(path).is_file()
        assert Path(path).read_bytes() == Path(path).read_bytes() == b"content"


def test_the_path_leads_nowhere_afterwards() -> None:
    with anonymous_file(b"content") as path:
        pass
    assert not Path(path).exists()


@pytest.mark.parametrize("make", [in_memory, on_disk])
def test_no_folder_lists_it(
    make: Callable[[], IO[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the sandbox has no memory files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with make() as opened:
        opened.write(b"content")
        opened.flush()
        assert Path(path_of(opened)).read_bytes() == b"content"
        assert list(tmp_path.iterdir()) == []
