"""JSON patch, merge patch and strategic merge patch.

All three are here because the safe ways to edit `imagePullSecrets` are JSON and merge patches, and
tests show the effect of the unsafe one.
"""

from typing import Any

import jsonpatch

from ..kinds import Object
from ..status import ApiError, bad_request, unprocessable

MERGED_BY = {"secrets": "name", "ownerReferences": "uid"}
"""Lists that a strategic merge patch merges, with the merge key; `imagePullSecrets` is not one."""


def json_patch(target: Object, operations: Any) -> Object:
    """Apply a JSON patch (RFC 6902).

    Raise the server's 422 without a hint for a failed test or an impossible path.
    """
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type"
            " jsonpatch.Patch"
        )
    try:
        result = jsonpatch.apply_patch(target, operations)
    except (
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
        KeyError,
        ValueError,
        TypeError,
    ):
        raise unprocessable() from None
    if not isinstance(result, dict):
        raise unprocessable()
    return result


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7386): mappings merge, null deletes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def strategic_merge_patch(target: Any, patch: Any, name: str = "") -> Any:
    """Apply Kubernetes' own patch.

    It is a merge patch with `$patch` directives, and with lists merged by the schema's key.
    """
    if isinstance(patch, list) and name in MERGED_BY:
        return _merge_by(MERGED_BY[name], target if isinstance(target, list) else [], patch)
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(key, None)
        elif not key.startswith("$"):
            merged[key] = strategic_merge_patch(merged.get(key), value, key)
    return merged


def _merge_by(key: str, target: list[Any], patch: list[Any]) -> list[Any]:
    merged = {item[key]: item for item in target}
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise ApiError(400, f"map: does not contain declared merge key: {key}")
        if item.get("$patch") == "delete":
            merged.pop(item[key], None)
        else:
            merged[item[key]] = strategic_merge_patch(merged.get(item[key]), item)
    return list(merged.values())
