"""The claims of CONTRIBUTING.md about where things are."""

import re
import tomllib

import pytest

from tests.docs.documents import ROOT

SOURCE = ROOT / "lambda_src/ecr_public_pusher"
PACKAGES = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
# The table's rows: the modules that each package's row names, and the row of the leaves.
ROWS = {
    package: set(re.findall("`([a-z_]+)`", text))
    for package, text in re.findall(
        r"^\| (?:`([a-z_]+)/`|leaves) \| (.+) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M
    )
}
LEAVES = ""


def test_the_ladder_has_every_package_in_the_order_of_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers" and contract["containers"] == ["ecr_public_pusher"]
    )
    names = [name for layer in layers for name in layer.split(" | ")]
    assert [*ROWS] == [*(name for name in names if name in PACKAGES), LEAVES]
    assert len(ROWS) == len(PACKAGES) + 1


@pytest.mark.parametrize("package", ROWS)
def test_every_module_that_the_ladder_names_exists(package: str) -> None:
    assert ROWS[package] <= {path.stem for path in (SOURCE / package).glob("*.py")}


def test_the_functions_tests_have_a_folder_for_each_of_its_packages() -> None:
    folders = {path.parent.name for path in (ROOT / "tests/function").glob("*/test_*.py")}
    assert folders == PACKAGES
