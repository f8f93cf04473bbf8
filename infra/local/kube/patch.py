"""JSON patch, merge patch and strategic merge patch.

All three are here because the safe ways to edit `imagePullSecrets` are JSON and merge patches, and the unsafe one must show what it does.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from .kinds import Object
from .status import ApiError, bad_request, unprocessable

MERGED_BY_NAME = {"secrets"}
"""Lists that a strategic merge patch merges by `name`; `imagePullSecrets` is not one of them (recorded)."""


def json_patch(target: Object, operations: Any) -> Object:
    """RFC 6902. A failed test or an impossible path is the server's hintless 422."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result: Any = deepcopy(target)
    for operation in operations:
        try:
            result = _operate(result, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise unprocessable() from None
    if not isinstance(result, dict):
        raise unprocessable()
    return result


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: mappings merge, null deletes, everything else replaces."""
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
    """Kubernetes' own merge: as a merge patch, with `$patch` directives and lists merged by key where the schema says so."""
    if isinstance(patch, list) and name in MERGED_BY_NAME:
        return _merge_by_name(target if isinstance(target, list) else [], patch)
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


def _merge_by_name(target: list[Any], patch: list[Any]) -> list[Any]:
    merged = {item["name"]: item for item in target}
    for item in patch:
        if not isinstance(item, dict) or "name" not in item:
            raise ApiError(400, "map: does not contain declared merge key: name")
        if item.get("$patch") == "delete":
            merged.pop(item["name"], None)
        else:
            merged[item["name"]] = strategic_merge_patch(merged.get(item["name"]), item)
    return list(merged.values())


def _operate(document: Any, operation: Object) -> Any:
    path = _pointer(operation["path"])
    verb = operation["op"]
    if verb in ("copy", "move"):
        source = _pointer(operation["from"])
        value = deepcopy(_find(document, source))
        document = _edit(document, source, _remove) if verb == "move" else document
        return _edit(document, path, _adder(value))
    if verb == "test":
        if _find(document, path) != operation["value"]:
            raise ValueError(verb)
        return document
    if verb == "remove":
        return _edit(document, path, _remove)
    if verb == "add":
        return operation["value"] if not path else _edit(document, path, _adder(operation["value"]))
    if verb == "replace":
        _find(document, path)
        return operation["value"] if not path else _edit(document, path, _setter(operation["value"]))
    raise ValueError(verb)


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(text)
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _find(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_index(document, part)]
    return document


def _index(container: Any, part: str) -> Any:
    return int(part) if isinstance(container, list) else part


def _edit(document: Any, path: list[str], change: Callable[[Any, str], None]) -> Any:
    change(_find(document, path[:-1]), path[-1])
    return document


def _remove(container: Any, part: str) -> None:
    del container[_index(container, part)]


def _adder(value: Any) -> Callable[[Any, str], None]:
    def add(container: Any, part: str) -> None:
        if not isinstance(container, list):
            container[part] = value
        elif part == "-":
            container.append(value)
        elif 0 <= int(part) <= len(container):
            container.insert(int(part), value)
        else:
            raise IndexError(part)

    return add


def _setter(value: Any) -> Callable[[Any, str], None]:
    def put(container: Any, part: str) -> None:
        container[_index(container, part)] = value

    return put
