"""JSON is read as a document where it can be one; the rest YAML's reader judges, with its place."""

import pytest

from ecr_public_pusher.configuration.json_text import read_json


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        r'{"a": "\ud83d"}',
        '["a"]',
        '{"a": [',
        "a: 1",
    ],
)
def test_what_no_document_may_be_is_left_to_yamls_reader(text: str) -> None:
    assert read_json(text, max_depth=10) is None


def test_numbers_and_truth_values_are_read_as_they_are_written() -> None:
    read = read_json('{"a": 1.50, "b": [7e1, true, null], "c": null}', max_depth=2)
    assert read == {"a": "1.50", "b": ["7e1", "true"], "c": None}


def test_it_is_as_deep_as_it_may_be_and_no_deeper() -> None:
    text = '{"a": {"b": ["c"]}}'
    assert read_json(text, max_depth=3) == {"a": {"b": ["c"]}}
    assert read_json(text, max_depth=2) is None


@pytest.mark.parametrize("text", ['["ab"]', '"ab"', "12", "null", "true", ' ["ab"]'])
def test_what_is_no_object_is_no_document(text: str) -> None:
    assert read_json(text, max_depth=10) is None
