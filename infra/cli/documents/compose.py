"""A cluster's document from a command's options: YAML as a person would write it. Pure."""

from typing import Any

import yaml

from ecr_public_pusher.configuration.yaml_document import Plain, read_mapping, without_nulls


class _Dumper(yaml.SafeDumper):
    """A dumper that writes text of several lines as a block, and indents lists."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else None
    )


_Dumper.add_representer(str, _text)


def compose(fields: dict[str, Any]) -> str:
    """Return the document with these fields, without None and empty ones."""
    given = {name: value for name, value in fields.items() if value not in (None, [], {}, "")}
    return yaml.dump(
        given,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
        default_flow_style=False,
    )


def same_fields(left: str, right: str) -> bool:
    """Return whether two valid documents have equal fields, however they are written."""
    return _plain(left) == _plain(right)


def _plain(text: str) -> dict[str, Plain]:
    return without_nulls(read_mapping(text, parameter="document"))
