"""The JSON Schemas of the documents, for editors; they accept what the function accepts.

The function itself does not use them.
"""

from typing import Literal

from pydantic import BaseModel

from ecr_public_pusher.configuration.field_types import NULL, TRUE_FORMS, Schema, one_of
from ecr_public_pusher.configuration.schema import (
    MOST_REGISTRIES,
    MOST_REPOSITORIES,
    OPTIONAL_FIELDS,
    OWN_FIELDS,
    PUBLIC,
    WITHOUT_PATH,
    ArgoCdField,
    ClusterDocument,
    DefaultsDocument,
    DiscoverDocument,
    NamespacesField,
    RegistryField,
    RepositoryField,
    ServiceAccountsField,
    SignInField,
    SignInType,
)

_SCHEMA_ROOT = "https://raw.githubusercontent.com/ecr-public-pusher/ecr-public-pusher/main/docs"


def json_schemas() -> dict[str, Schema]:
    """Return the JSON Schemas for editors, by file name in docs/."""
    cluster = _published(
        ClusterDocument, "cluster.schema.json", "A cluster's document of ecr-public-pusher"
    )
    given = {"required": ["externalId"], "properties": {"externalId": {"not": NULL}}}
    external_id = {
        "if": given,
        "then": {"required": ["roleArn"], "properties": {"roleArn": {"not": NULL}}},
    }
    cluster["allOf"] = [
        external_id,
        {
            "if": _signs_in_by("eks", "kubeconfig"),
            "then": {"properties": {"endpoint": NULL, "certificateAuthority": NULL}},
        },
        {
            "if": _signs_in_by(*WITHOUT_PATH),
            "then": {
                "properties": {"endpoint": one_of({"type": "string", "pattern": _NO_PATH}, NULL)}
            },
        },
        {
            "if": _signs_in_by(*(kind for kind in OWN_FIELDS if kind != "eks")),
            "then": {"properties": {"cluster": NULL}},
        },
    ]
    discover = _published(
        DiscoverDocument, "discover.schema.json", "A discovery document of ecr-public-pusher"
    )
    discover["required"] = ["regions", "tags"]
    discover["allOf"] = [external_id]
    discover["properties"]["region"] = {**NULL, "description": "A discovery has `regions` instead."}
    of_eks = {**NULL, "description": "A discovery finds EKS clusters, and EKS provides it."}
    discover["properties"] |= dict.fromkeys(("signIn", "endpoint", "certificateAuthority"), of_eks)
    discover["properties"] |= {
        name: _given(discover["properties"][name]) for name in discover["required"]
    }
    return {
        "cluster.schema.json": cluster,
        "defaults.schema.json": _published(
            DefaultsDocument, "defaults.schema.json", "The defaults of ecr-public-pusher"
        ),
        "discover.schema.json": discover,
    }


def _signs_in_by(*kinds: SignInType) -> Schema:
    """Return the condition that the document itself sets one of these kinds of sign-in.

    An editor does not know the defaults.
    """
    return {
        "required": ["signIn"],
        "properties": {
            "signIn": {
                "type": "object",
                "properties": {"type": {"enum": list(kinds)}},
                "required": ["type"],
            }
        },
    }


def _published(model: type[DefaultsDocument], name: str, title: str) -> Schema:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{_SCHEMA_ROOT}/{name}",
        "title": title,
    }
    return head | _object(model, model.__doc__ or "")


def _object(model: type[BaseModel], description: str) -> Schema:
    """Return a mapping's schema. Every field may be null, which means that it is absent."""
    made = model.model_json_schema(by_alias=True)
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    properties = {}
    for name in fields:
        given = made["properties"][name]
        special = {
            "namespaces": lambda: _selection(NamespacesField, names="include"),
            # An empty list of names selects no account, as `exclude` may be empty.
            "serviceAccounts": lambda: _selection(ServiceAccountsField, names="exclude"),
            "argocd": _argo_cd_schema,
            "registries": _registries_schema,
            "repositories": _repositories_schema,
            "signIn": _sign_in_schema,
        }.get(name)
        kind = (
            special()
            if special
            else {key: value for key, value in _not_null(given).items() if key not in _OF_THE_FIELD}
        )
        default = (
            {"default": given["default"]} if given.get("default") not in (None, [], {}) else {}
        )
        properties[name] = {
            "description": fields[name].description,
            **default,
            **one_of(*kind.get("anyOf", [kind]), NULL),
        }
    return {
        "description": " ".join(description.split()),
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


_OF_THE_FIELD = ("title", "description", "default")
_NO_PATH = "^[^/]*//[^/]*/?$"


def _not_null(given: Schema) -> Schema:
    kinds = [kind for kind in given.get("anyOf", [given]) if kind != NULL]
    return dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}


def _selection(
    model: type[NamespacesField | ServiceAccountsField], *, names: Literal["include", "exclude"]
) -> Schema:
    """Return the schema of a selection, or of names alone in the form of the field `names`."""
    mapping = _object(model, model.__doc__ or "")
    named = dict(mapping["properties"][names])
    given = [
        {"required": [name], "properties": {name: {"not": NULL}}}
        for name in ("include", "selector")
    ]
    return one_of(*(kind for kind in named["anyOf"] if kind != NULL), mapping | {"anyOf": given})


def _registries_schema() -> Schema:
    private = _requiring(
        _object(RegistryField, RegistryField.__doc__ or ""), "account", "region", "roleArn"
    )
    item = one_of({"const": PUBLIC}, private, NULL)
    listed = {
        "type": "array",
        "items": item,
        "contains": {"not": NULL},
        "maxItems": MOST_REGISTRIES,
        "uniqueItems": True,
    }
    return one_of(listed, {"type": "string", "pattern": r"^\s*public\s*$"})


def _argo_cd_schema() -> Schema:
    return _requiring(_object(ArgoCdField, ArgoCdField.__doc__ or ""), "repositories")


def _repositories_schema() -> Schema:
    item = _requiring(_object(RepositoryField, RepositoryField.__doc__ or ""), "name", "url")
    # A template's `url` alone may end with a slash.
    item["if"] = {
        "not": {"required": ["template"], "properties": {"template": {"enum": list(TRUE_FORMS)}}}
    }
    item["then"] = {"properties": {"url": {"pattern": "[^/]$"}}}
    return {
        "type": "array",
        "items": one_of(item, NULL),
        "contains": {"not": NULL},
        "maxItems": MOST_REPOSITORIES,
    }


def _requiring(made: Schema, *names: str) -> Schema:
    """Return the schema of a mapping that must have these fields."""
    properties = made["properties"]
    given = {name: _given(properties[name]) for name in names}
    return made | {"required": list(names), "properties": properties | given}


def _sign_in_schema() -> Schema:
    made = _object(SignInField, SignInField.__doc__ or "")
    head = {"type": "object", "additionalProperties": False, "description": made["description"]}
    own = {name: field for name, field in made["properties"].items() if name != "type"}
    kinds = []
    for kind, needed in OWN_FIELDS.items():
        fields = {
            name: _given(field)
            if name == needed
            else field
            if OPTIONAL_FIELDS.get(name) == kind
            else NULL
            for name, field in own.items()
        }
        kinds.append(
            head
            | {
                "required": ["type", *([needed] if needed else [])],
                "properties": {"type": {"const": kind}, **fields},
            }
        )
    return one_of(*kinds)


def _given(field: Schema) -> Schema:
    """Return the schema of a field that must be present."""
    return {**field, "anyOf": [kind for kind in field["anyOf"] if kind != NULL]}
