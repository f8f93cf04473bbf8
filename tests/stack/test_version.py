"""version.py says the release, and the template says the same: its text, its output."""

import re

from ecr_public_pusher.version import VERSION
from tests.stack.template import outputs, source


def test_the_version_is_semantic() -> None:
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", VERSION)


def test_the_templates_description_names_the_version() -> None:
    assert source()["Description"].startswith(f"ecr-public-pusher {VERSION}: ")


def test_the_stacks_output_is_the_version() -> None:
    assert outputs()["Version"] == VERSION
