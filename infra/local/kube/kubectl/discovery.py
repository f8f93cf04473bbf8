"""Discovery: versions, groups and resources of the served kinds, which kubectl reads first."""

from ..auth.reviews import REVIEWS
from ..kinds import KINDS, Kind, Object

VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.27.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}
HEALTH = ("/healthz", "/livez", "/readyz")
SERVED = (*KINDS, *REVIEWS.values())
GROUPS = sorted({kind.group for kind in SERVED if kind.group})


def answer(path: str, host: str) -> Object | None:
    """Return the document at a discovery path, or None."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["version"]:
            return dict(VERSION)
        case ["api"]:
            address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": address,
            }
        case ["api", "v1"]:
            return _resources("", "v1")
        case ["apis"]:
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(group) for group in GROUPS],
            }
        case ["apis", group] if group in GROUPS:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, "v1"] if group in GROUPS:
            return _resources(group, f"{group}/v1")
    return None


def _group(group: str) -> Object:
    version = {"groupVersion": f"{group}/v1", "version": "v1"}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resources(group: str, group_version: str) -> Object:
    served = sorted((kind for kind in SERVED if kind.group == group), key=lambda kind: kind.plural)
    head = {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if group else {}),
        "groupVersion": group_version,
    }
    return {**head, "resources": [_resource(kind) for kind in served]}


def _resource(kind: Kind) -> Object:
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    return {**entry, "storageVersionHash": kind.storage_hash} if kind.storage_hash else entry
