"""`make release`: the tag is the version's, and what is offered is whole and can be verified."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from ecr_public_pusher.version import VERSION
from infra.tools import lock, release
from infra.tools.release import CHECKSUMS, NOTES, ReleaseError, check_tag, checksums, main, notes
from tests.stack.template import ROOT


def test_the_tag_is_the_version() -> None:
    check_tag(f"v{VERSION}")


@pytest.mark.parametrize("tag", [VERSION, f"v{VERSION}-rc1", f"v{VERSION}0", "v0.0.0", "main", ""])
def test_any_other_tag_makes_no_release(
    tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--tag", tag, "--output", str(tmp_path / "dist")]) == 1
    assert f"the tag {tag} is not v{VERSION}" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


def test_what_was_built_before_is_not_mixed_with_this_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.zip").touch()
    assert main(["--output", str(tmp_path)]) == 1
    assert f"{tmp_path} is not empty" in capsys.readouterr().err


CHANGES = """# Changelog

## [Unreleased]

- later

## [1.10.0] - 2026-02-01

### Added

- [a link](x)

## [1.1.0] - 2026-01-01

- first

[Unreleased]: https://x
[1.10.0]: https://x
"""


@pytest.mark.parametrize(
    ("version", "text"),
    [("1.10.0", "### Added\n\n- [a link](x)\n"), ("1.1.0", "- first\n")],
)
def test_its_notes_are_the_changelogs_section(version: str, text: str) -> None:
    assert notes(CHANGES, version) == text


def test_a_version_without_a_section_makes_no_release() -> None:
    with pytest.raises(ReleaseError, match=r"no section \[1\.0\]"):
        notes(CHANGES, "1.0")


def test_this_version_has_notes() -> None:
    assert notes((ROOT / "CHANGELOG.md").read_text(), VERSION).strip()


def test_checksums_are_of_all_that_is_offered_and_sha256sum_takes_them(tmp_path: Path) -> None:
    for name in ("b.whl", "a.zip", NOTES, CHECKSUMS):
        (tmp_path / name).write_text(name)
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in ("a.zip", "b.whl")]
    assert checksums(tmp_path) == f"{digests[0]}  a.zip\n{digests[1]}  b.whl\n"
    (tmp_path / CHECKSUMS).write_text(checksums(tmp_path))
    subprocess.run(["sha256sum", "--check", "--strict", CHECKSUMS], cwd=tmp_path, check=True)


def test_an_sbom_is_named_by_the_release_and_each_is_of_a_group_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(
        "#!/bin/sh\n"
        'echo "$@" > "$0.arguments"\n'
        'echo \'{"metadata": {"component": {"type": "library", "name": "ecr-public-pusher"}}}\'\n'
    )
    uv.chmod(0o755)
    monkeypatch.setattr(release, "UV", uv)
    document = json.loads(release.sbom("function"))
    assert document["metadata"]["component"] == {
        "type": "application",
        "name": "ecr-public-pusher",
        "version": VERSION,
    }
    asked = (tmp_path / "uv.arguments").read_text()
    assert asked.startswith("export --frozen --quiet --only-group function --format cyclonedx")
    assert set(release.SBOMS) <= {*lock.EXPORTS, lock.COMMAND_LINE}
    assert all(VERSION in name for name in release.SBOMS.values())


def test_what_a_tool_says_when_it_fails_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "UV", Path("/bin/false"))
    with pytest.raises(ReleaseError, match=r"/bin/false export .* \(1\)"):
        release.sbom("cli")
