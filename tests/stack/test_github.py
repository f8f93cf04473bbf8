"""The folder .github.

CI runs what developers run, with the least rights; reports of bugs come with the information to
investigate them.
"""

import re
from typing import Any

import pytest
import yaml

from infra.tools.lock import LOCK
from infra.tools.release import NOTES, OUTPUT
from tests.stack.template import ROOT, properties

GITHUB = ROOT / ".github"
WORKFLOW = GITHUB / "workflows" / "ci.yml"
WORKFLOWS = ("ci.yml", "release.yml")


def read(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((GITHUB / path).read_text(), Loader=yaml.BaseLoader)
    return found


def steps(workflow: str = "ci.yml") -> list[dict[str, Any]]:
    return [step for job in read(f"workflows/{workflow}")["jobs"].values() for step in job["steps"]]


def test_ci_runs_the_one_command_and_beside_it_the_coverage() -> None:
    assert [step["run"] for step in steps() if "run" in step] == [".ci/run", "make coverage"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_ci_may_read_the_repository_and_no_more() -> None:
    workflow = read("workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert not [job for job in workflow["jobs"].values() if "permissions" in job]
    assert [
        step["with"]["persist-credentials"]
        for step in steps()
        if "actions/checkout@" in step.get("uses", "")
    ] == ["false"] * len(workflow["jobs"])
    assert "secrets." not in WORKFLOW.read_text()
    assert "pull_request_target" not in workflow["on"]


def test_every_workflow_is_looked_at() -> None:
    assert sorted(path.name for path in (GITHUB / "workflows").iterdir()) == list(WORKFLOWS)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_actions_are_pinned_by_commit_with_their_version_beside(workflow: str) -> None:
    text = (GITHUB / "workflows" / workflow).read_text()
    lines = [line for line in text.splitlines() if "uses:" in line]
    assert lines
    assert [
        line
        for line in lines
        if not re.search(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)
    ] == []


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_python_of_ci_is_the_functions(workflow: str) -> None:
    (version,) = {
        step["with"]["python-version-file"]
        for step in steps(workflow)
        if "actions/setup-python@" in step.get("uses", "")
    }
    assert (
        f"python{(ROOT / version).read_text().strip()}" == properties("PusherFunction")["Runtime"]
    )


def test_every_requirements_file_is_kept_current() -> None:
    """The lock keeps them current, since they are exports of it (tests/stack/test_lock.py)."""
    watched = {
        update["directory"]
        for update in read("dependabot.yml")["updates"]
        if update["package-ecosystem"] == "uv"
    }
    assert watched == {"/"}
    assert (ROOT / LOCK).exists()


# --- a release


def test_a_tag_of_a_version_makes_a_release_after_every_test() -> None:
    assert read("workflows/release.yml")["on"] == {"push": {"tags": ["v*"]}}
    test, build, publish = [step["run"] for step in steps("release.yml") if "run" in step]
    assert test == ".ci/run"
    assert build == 'make release ARGS="--tag $GITHUB_REF_NAME"'
    assert publish.startswith(f"mv {OUTPUT}/{NOTES} ")
    assert f'gh release create "$GITHUB_REF_NAME" --verify-tag {OUTPUT}/*' in " ".join(
        re.sub(r"--(title|notes-file) \S+", "", publish.replace("\\\n", "")).split()
    )


def test_a_release_may_write_itself_and_only_its_last_step_has_the_token() -> None:
    workflow = read("workflows/release.yml")
    assert workflow["permissions"] == {}
    assert [job["permissions"] for job in workflow["jobs"].values()] == [{"contents": "write"}]
    *before, publish = steps("release.yml")
    assert publish["env"] == {"GH_TOKEN": "${{ github.token }}"}
    assert "${{" not in publish["run"]
    assert not [step for step in before if "env" in step or "${{" in str(step)]
    assert before[0]["with"] == {"persist-credentials": "false"}
    assert not [step for step in before if "cache" in step.get("with", {})]


# --- forms


@pytest.mark.parametrize(
    ("form", "required"),
    [("bug.yml", {"version", "deployment", "what", "check"}), ("feature.yml", {"want", "today"})],
)
def test_a_form_asks_for_what_it_takes(form: str, required: set[str]) -> None:
    fields = [field for field in read(f"ISSUE_TEMPLATE/{form}")["body"] if "id" in field]
    assert {
        field["id"] for field in fields if field.get("validations", {}).get("required") == "true"
    } == required
    assert len({field["id"] for field in fields}) == len(fields)


def test_a_defects_form_warns_of_secrets_and_has_it_confirmed() -> None:
    body = read("ISSUE_TEMPLATE/bug.yml")["body"]
    assert "Leave out" in body[0]["attributes"]["value"]
    assert [option["required"] for option in body[-1]["attributes"]["options"]] == ["true"]
