"""YAML documents are read as plain strings, and what could surprise is refused."""

import subprocess
import sys

import pytest

from ecr_public_pusher.configuration.yaml_document import read_mapping
from ecr_public_pusher.errors import InvalidDocument


def test_scalars_stay_the_text_they_are() -> None:
    read = read_mapping(
        "on: no\n012: 0x1F\nwhen: 2026-01-01\nnothing: null\nnull: 'null'\n", parameter="/p"
    )
    assert read == {
        "on": "no",
        "012": "0x1F",
        "when": "2026-01-01",
        "nothing": None,
        "null": "null",
    }


def test_json_is_yaml() -> None:
    assert read_mapping('{"namespaces": ["a", "b"]}', parameter="/p") == {"namespaces": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "line 2: 'a' is given twice"),
        ('{"a": 1,\n"a": 2}', "line 2: 'a' is given twice"),
        ("a: &x [1]\nb: *x\n", "alias"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("- a\n", "expected a mapping of fields, found a list"),
        ("words", "found a single value"),
        ("# nothing here\n", "found nothing"),
        ("a: [1, 2\n", "is not YAML"),
        ("a: \x01\n", "not YAML"),
        ("? [a]\n: b\n", "a field's name must be a plain word"),
        ("a: " + "[" * 5000, "line 1: lists and mappings are nested more than 10 deep"),
        ("a:\n- " + "- " * 5000, "line 2: lists and mappings are nested more than 10 deep"),
        (
            "a: 1\nb:\n" + "".join(f"{' ' * n}k:\n" for n in range(1, 20)),
            "line 12: lists and mappings",
        ),
        ("words\na: [1", "is not YAML"),
        ("a: *x\n", "line 1 is not YAML: text that begins with *, &,"),
        ("&x a: *x\n", "line 1 is used by an alias"),
        ("a: &x 1\nb: &x 2\n", "line 2 is not YAML"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_mapping(text, parameter="/ecr-public-pusher/clusters/prod")
    assert caught.value.message.startswith("/ecr-public-pusher/clusters/prod: ")
    assert said in caught.value.message
    assert caught.value.remedy


_READS = """
import sys
from ecr_public_pusher.configuration.yaml_document import read_mapping
from ecr_public_pusher.errors import InvalidDocument
forms = ["[", "a: [", "[\\n", "[a,", "{a: ", "- ", "? ", "a: {? ", "- - ? - "]
forms += ["!x [", "&x [", "? [", "- a: "]
for form in forms:
    try:
        read_mapping(form * (65536 // len(form)), parameter="p")
    except InvalidDocument as error:
        print("refused")
"""


def test_no_depth_ends_the_process() -> None:
    """A parser that recurses in C for each level does not raise: the process dies."""
    code = [sys.executable, "-c", _READS]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["refused"] * 13)


def test_an_anchor_that_nothing_refers_to_is_let_pass() -> None:
    assert read_mapping("a: &x [1, &y b]\n&z c: 2\n", parameter="/p") == {"a": ["1", "b"], "c": "2"}


def test_a_tag_is_refused_with_its_parameter_and_line() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_mapping("a: 1\nb: !gone\n", parameter="/p")
    assert caught.value.message.startswith("/p: line 2 has the tag !gone")
