"""The release in version.py is the template's and the changelog's.

Also what `sam publish` takes from the template.
"""

import functools
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from ecr_public_pusher.version import VERSION
from tests.stack.template import ROOT, TEMPLATE, outputs, source


def test_the_version_is_semantic() -> None:
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", VERSION)


def test_the_templates_description_names_the_version() -> None:
    assert source()["Description"].startswith(f"ecr-public-pusher {VERSION}: ")


def test_the_stacks_output_is_the_version() -> None:
    assert outputs()["Version"] == VERSION


def test_the_published_applications_version_is_the_version() -> None:
    assert published()["semantic_version"] == VERSION


# --- sam publish


@functools.cache
def published() -> dict[str, Any]:
    """Return the application's metadata, which the SAM CLI's own parser found complete."""
    asked = subprocess.run(
        [SAM.with_name("python"), "-c", PARSE, ROOT / TEMPLATE],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


SAM = Path(os.environ.get("SAM") or ROOT / ".venv-sam" / "bin" / "sam")
PARSE = """
import json, sys
from samcli.vendor.serverlessrepo.parser import get_app_metadata, parse_template, strip_app_metadata
template = parse_template(open(sys.argv[1]).read())
metadata = get_app_metadata(template)
metadata.validate(["author", "description", "name", "license_url", "semantic_version"])
assert "Resources" in strip_app_metadata(template)
fields = {name: value for name, value in vars(metadata).items() if name != "template_dict"}
json.dump(fields, sys.stdout)
"""


def test_the_application_has_the_names_that_the_repository_takes() -> None:
    """The names are those of the repository's documentation.

    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
    """
    found = published()
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", found["name"])
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", found["author"])
    assert 1 <= len(found["description"]) <= 256
    assert 1 <= len(found["labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in found["labels"])


def test_the_applications_files_are_there_and_within_the_repositorys_limit() -> None:
    for name in (published()["license_url"], published()["readme_url"]):
        assert 0 < (ROOT / name).stat().st_size <= 5 * 1024 * 1024


def test_the_licence_is_the_one_that_is_named() -> None:
    assert published()["spdx_license_id"] == "MIT-0"
    assert (ROOT / published()["license_url"]).read_text().startswith("MIT No Attribution")


def test_the_metadata_hold_no_intrinsic_functions() -> None:
    """They are not resolved there."""
    assert not [value for value in published().values() if isinstance(value, dict)]


# --- the changelog

CHANGELOG = ROOT / "CHANGELOG.md"
# https://keepachangelog.com/en/1.1.0/, and what an upgrade needs.
KINDS = {"Upgrading", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def headings(level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", CHANGELOG.read_text(), flags=re.MULTILINE)


def test_the_newest_release_in_the_changelog_is_the_version() -> None:
    unreleased, newest, *_ = headings(2)
    assert unreleased == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d{{2}}-\d{{2}}", newest)


def test_the_changelogs_sections_are_keep_a_changelogs() -> None:
    assert set(headings(3)) <= KINDS


def test_each_heading_with_a_version_has_its_link() -> None:
    versions = re.findall(r"\[([^\]]+)\]", " ".join(headings(2)))
    assert (
        re.findall(r"^\[([^\]]+)\]: https://\S+$", CHANGELOG.read_text(), flags=re.MULTILINE)
        == versions
    )
