"""The function and the JSON Schemas judge random documents alike.

Thousands of documents, made from a seed.
"""

import re
from collections import Counter
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from ecr_public_pusher.configuration.json_schema import json_schemas
from ecr_public_pusher.configuration.schema import (
    ClusterDocument,
    DefaultsDocument,
    DiscoverDocument,
    validated,
)
from ecr_public_pusher.configuration.yaml_document import read_mapping
from ecr_public_pusher.errors import InvalidDocument
from tests.function.configuration.test_schema import BAD_AUTHORITIES, GOOD_AUTHORITIES
from tests.support.generated_documents import Documents

MODELS: dict[str, type[DefaultsDocument]] = {
    "cluster": ClusterDocument,
    "defaults": DefaultsDocument,
    "discover": DiscoverDocument,
}
SCHEMAS = json_schemas()
MANY = 2000  # of each kind


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern as ECMA-262 reads it, where `$` is the very end."""
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))


def matches(_: Any, pattern: str, instance: Any, __: Any) -> Any:
    if isinstance(instance, str) and not compiled(pattern).search(instance):
        yield jsonschema.ValidationError(f"not of the form {pattern}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": matches})


def judged_by_the_function(kind: str, text: str) -> bool:
    try:
        validated(MODELS[kind], read_mapping(text, parameter="/p"), "/p")
    except InvalidDocument:
        return False
    return True


def as_an_editor_reads(value: Any) -> Any:
    """Return the document as an editor reads it, with strings as keys of mappings."""
    if isinstance(value, dict):
        return {
            str(name).lower() if isinstance(name, bool) else str(name): as_an_editor_reads(item)
            for name, item in value.items()
        }
    return [as_an_editor_reads(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", MODELS)
def test_the_schema_and_the_function_judge_alike(kind: str) -> None:
    documents = Documents(20261130, authorities=(*GOOD_AUTHORITIES, *BAD_AUTHORITIES))
    validator = Validator(SCHEMAS[f"{kind}.schema.json"])
    different = []
    seen = Counter[bool]()
    for text in (documents.make(kind) for _ in range(MANY)):
        judged = judged_by_the_function(kind, text)
        seen[judged] += 1
        if (
            validator.is_valid(as_an_editor_reads(yaml.load(text, yaml.CSafeLoader))) is not judged
        ):  # a SafeLoader
            different.append((judged, text))
    assert different == []
    assert min(seen[True], seen[False]) > MANY / 6  # or nothing is shown
