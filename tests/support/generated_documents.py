"""Random documents.

Each field is valid, nearly so, or something else; as YAML or JSON, quoted or not.

What YAML 1.1's reader changes beyond recognition (0x1F, 012, 1_000, 1.0, True, dates) is always
quoted: no schema could tell what was written.
"""

import json
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import yaml

from ecr_public_pusher.configuration.loader import NOT_DISCOVERED

ROLE = "arn:aws:iam::444455556666:role/spoke"
PROVIDER = (
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/a-pool"
    "/providers/a-provider"
)
SECRET_ARN = (
    "arn:aws:secretsmanager:eu-central-1:111122223333:secret:/ecr-public-pusher/edge-1-AbCdEf"
)
REGIONS = ("us-east-1", "eu-central-1", "us-gov-west-1", "ap-southeast-12")
NAMES = (
    "a",
    "team-a",
    "team-*",
    "*",
    "?x",
    "team-[a-c]",
    "[!k]*",
    "012",
    "x" * 63,
    "on",
    "kube-system",
    "a.b",
    "Team",
    "a_b",
    "-a",
)
WORDS = ("true", "false", "yes", "no", "on", "off", "Yes", "TRUE", "oN", "y", "1", "maybe", "")
SELECTORS = (
    "team=web",
    "!team",
    "team in (a, b),tier notin (c)",
    "example.com/team!=x",
    "tier > 1",
    "team",
)
ENDPOINTS = (
    *(
        "https://10.0.0.1",
        "https://k8s.example.com:6443",
        "https://K8s.example.com/",
        "https://[2001:DB8::1]",
        "HTTPS://k8s.example.com/k8s/c-1",
    ),
    *(
        "https://k8s.example.com/k8s/../x",
        "https://me:secret@k8s.example.com",
        "http://10.0.0.1",
        "https://k8s.example.com/k8s//x",
    ),
)
_ODD = (
    string.ascii_letters + string.digits + "-._/:,*?[](){}!@=<>+ ~%&'\"#\\|\t\n\u00a0\u200b\u00fc"
)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,5}[1-9])?")
_PLAIN_WORDS = frozenset({"true", "false", "yes", "no", "on", "off"})

type Maker = Callable[[], Any]


@dataclass(frozen=True)
class Scalar:
    """A text and whether it is quoted; null where it is none."""

    text: str | None
    quoted: bool


class Documents:
    """`authorities`: texts for certificateAuthority."""

    def __init__(self, seed: int, *, authorities: tuple[str, ...]) -> None:
        self._random = Random(seed)
        self._authorities = authorities

    def make(self, kind: str) -> str:
        """Return the text of a document of that kind: cluster, defaults or discover."""
        fields = {name: maker() for name, maker in self._chosen(kind).items()}
        if self._one_in(15):
            fields[
                self._random.choice(("clusters", "region ", "secret_name", "Namespaces", ""))
            ] = self._anything()
        if self._one_in(60):
            return self._written(self._anything())
        return self._written(fields)

    # --- the fields

    def _chosen(self, kind: str) -> Mapping[str, Maker]:
        every = self._fields() | (
            self._of_a_cluster() if kind == "cluster" or self._one_in(10) else {}
        )
        always: dict[str, Maker] = {}
        if kind == "discover":
            values = ("a", "*", "web", "", "x" * (257 if self._one_in(9) else 256))
            always = {
                "regions": lambda: self._names(REGIONS),
                "tags": lambda: self._mapping(
                    self._key, lambda: self._text(values), least=0 if self._one_in(6) else 1
                ),
            }
            if not self._one_in(4):
                every = {name: maker for name, maker in every.items() if name not in NOT_DISCOVERED}
        picked = self._random.sample(
            sorted(every), self._random.randint(0, 2 if kind == "discover" else 5)
        )
        if self._one_in(12):
            always = {}
        return {
            name: self._perhaps_wrong(maker)
            for name, maker in (always | {name: every[name] for name in picked}).items()
        }

    def _fields(self) -> dict[str, Maker]:
        return {
            "region": lambda: self._text(REGIONS),
            "roleArn": lambda: self._text(
                (ROLE, ROLE.replace("aws", "aws-cn"), ROLE.replace("role/", "role/path/"))
            ),
            "externalId": lambda: self._text(("some-id", "a:b/c", "x", "12345678")),
            "namespaces": lambda: self._selection(NAMES),
            "registries": self._registries,
            "secretName": lambda: self._text(("ecr-public-token", "pull.secret-1", "x" * 253)),
            "serviceAccounts": lambda: self._selection((*NAMES, "build.x-*")),
            "takeOwnership": lambda: self._text(WORDS),
            "prune": lambda: self._text(WORDS),
            "allowEmpty": lambda: self._text(WORDS),
            "labels": lambda: self._mapping(
                self._key, lambda: self._text(("web", "", "a_b.c-d", "x" * 63))
            ),
            "annotations": lambda: self._mapping(
                self._key, lambda: self._text(("because it is so", "", "x: y"))
            ),
            "endpoint": lambda: self._text(ENDPOINTS),
            "certificateAuthority": lambda: Scalar(self._random.choice(self._authorities), True),
            "signIn": self._sign_in,
            "argocd": self._argo_cd,
        }

    def _of_a_cluster(self) -> dict[str, Maker]:
        return {
            "cluster": lambda: self._text(("main", "Main_1-x", "-a", "x" * 100)),
            "enabled": lambda: self._text(WORDS),
        }

    def _selection(self, names: tuple[str, ...]) -> Any:
        if self._one_in(2):
            return self._names(names)
        made: dict[str, Maker] = {
            "include": lambda: self._names(names),
            "exclude": lambda: self._names(names),
            "selector": lambda: Scalar(
                self._random.choice((*SELECTORS, "7", "true", "1.5")), self._one_in(2)
            ),
        }
        return {
            name: made[name]()
            for name in self._random.sample(sorted(made), self._random.randint(0, 3))
        }

    def _registries(self) -> Any:
        if self._one_in(6):
            return self._text(("public", "public ", "private"))
        private = {
            "account": self._text(("444455556666", "044455556666", "44445555666")),
            "region": self._text(REGIONS),
            "roleArn": self._text((ROLE,)),
        }
        if self._one_in(3):
            private["externalId"] = self._text(("some-id",))
        if self._one_in(6):
            private.pop(self._random.choice(sorted(private)))
        items = [self._text(("public", "public", "ecr")), private, Scalar(None, False)]
        return self._random.sample(items, self._random.randint(0, 3))

    def _argo_cd(self) -> Any:
        registry = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
        repository = {
            "name": self._text(("charts", "a.b", "Charts")),
            "url": self._text(
                (registry, f"{registry}/charts", f"oci://{registry}/a/b", f"{registry}/charts/")
            ),
        }
        if self._one_in(2):
            repository["template"] = self._text(WORDS)
        if self._one_in(6):
            repository.pop(self._random.choice(sorted(repository)))
        items = [repository, Scalar(None, False)]
        made: dict[str, Any] = {
            "repositories": self._random.sample(items, self._random.randint(0, 2))
        }
        if self._one_in(2):
            made["namespace"] = self._text(("argocd", "012", "team-*", "a.b"))
        if self._one_in(6):
            made.pop(self._random.choice(sorted(made)))
        return made

    def _sign_in(self) -> Any:
        made = {
            "type": Scalar(
                self._random.choice(
                    ("eks", "iamAuthenticator", "webIdentity", "google", "kubeconfig", "oidc")
                ),
                self._one_in(2),
            )
        }
        fits = {
            "iamAuthenticator": "clusterId",
            "kubeconfig": "secretArn",
            "google": "provider",
        }.get(str(made["type"].text))
        for name, given in (
            ("clusterId", ("edge.example.com", "x", "a b")),
            ("secretArn", (SECRET_ARN, "edge")),
            ("provider", (PROVIDER, PROVIDER.replace("123456789012", "project"))),
            ("serviceAccount", ("gke@my-project.iam.gserviceaccount.com", "gke@example.com")),
        ):
            if (name == fits) is not self._one_in(8):
                made[name] = self._text(given)
        return made

    def _key(self) -> str:
        return str(
            self._text(
                (
                    "team",
                    "example.com/team",
                    "a",
                    "app.kubernetes.io/managed-by",
                    "ecr-public-pusher/owner",
                    "x" * 63,
                )
            ).text
            or "null"
        )

    # --- values

    def _names(self, given: tuple[str, ...]) -> Any:
        if self._one_in(3):
            joined = self._random.choice((" ", "  ", ",", "\n")).join(
                self._random.choice(given) for _ in range(self._random.randint(0, 3))
            )
            return self._text((joined, self._random.choice(given)))
        items = [self._text(given) for _ in range(self._random.randint(0, 3))]
        return [*items, Scalar(None, False)] if self._one_in(6) else items

    def _text(self, given: tuple[str, ...]) -> Scalar:
        """Return one of those, sometimes with a character changed.

        Or what is a number or a boolean unless it is quoted.
        """
        text = self._random.choice(given)
        if self._one_in(12):
            text = self._number()
        elif self._one_in(12):
            text = self._random.choice(sorted(_PLAIN_WORDS))
        elif self._one_in(16):
            place = self._random.randint(0, len(text))
            text = (
                text[:place]
                + self._random.choice(_ODD) * self._random.randint(0, 2)
                + text[place + self._random.randint(0, 1) :]
            )
        return Scalar(text, self._one_in(2))

    def _number(self) -> str:
        whole = str(self._random.randint(0, 10 ** self._random.choice((0, 1, 2, 12))))
        sign = self._random.choice(("", "", "", "-"))
        return f"{sign}{whole}{self._random.choice(('', '', f'.{self._random.randint(0, 99)}5'))}"

    def _mapping(self, key: Callable[[], str], value: Maker, *, least: int = 0) -> dict[str, Any]:
        return {key(): value() for _ in range(self._random.randint(least, 2))}

    def _perhaps_wrong(self, maker: Maker) -> Maker:
        return self._anything if self._one_in(16) else maker

    def _anything(self) -> Any:
        return self._random.choice(
            (
                Scalar(None, False),
                Scalar("", True),
                Scalar("x", False),
                Scalar("7", False),
                [],
                {},
                [[Scalar("a", False)]],
                {"a": Scalar("b", False)},
            )
        )

    def _one_in(self, many: int) -> bool:
        return self._random.randrange(many) == 0

    # --- text

    def _written(self, value: Any) -> str:
        if isinstance(value, dict) and self._one_in(4):
            return json.dumps(
                _data(value),
                ensure_ascii=self._one_in(2),
                indent=self._random.choice((None, "\t", 1)),
            )
        if isinstance(value, dict) and value and self._one_in(2):
            return "".join(f"{_quoted(name)}: {_flow(item)}\n" for name, item in value.items())
        return _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(name)}: {_flow(item)}' for name, item in value.items())}}}"
    if value.text is None:
        return "null"
    return _quoted(value.text) if value.quoted or not _stays(value.text) else str(value.text)


@cache
def _stays(text: str) -> bool:
    """Return whether a value stays the same text.

    To a reader of plain scalars; to an editor's, a number, a boolean or the same text.
    """
    if text in _PLAIN_WORDS or (
        _PLAIN_NUMBER.fullmatch(text) and not re.fullmatch(r"-0(\.0*)?", text)
    ):
        return True
    try:
        return bool(
            yaml.load(f"[[{text}], {{a: {text}}}]", yaml.CSafeLoader) == [[text], {"a": text}]
            and _in_block(text)
        )  # a SafeLoader
    except (yaml.YAMLError, ValueError):
        return False


def _in_block(text: str) -> bool:
    return bool(yaml.load(f"a: {text}\nb: c", yaml.CSafeLoader) == {"a": text, "b": "c"})


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _data(value: Any) -> Any:
    """Return the value as JSON has it."""
    if isinstance(value, list):
        return [_data(item) for item in value]
    if isinstance(value, dict):
        return {name: _data(item) for name, item in value.items()}
    if value.text is None or value.quoted:
        return value.text
    if value.text in ("true", "false"):
        return value.text == "true"
    if _PLAIN_NUMBER.fullmatch(value.text) and not value.text.startswith("-0"):
        return float(value.text) if "." in value.text else int(value.text)
    return value.text
