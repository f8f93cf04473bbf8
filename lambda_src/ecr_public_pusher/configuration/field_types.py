"""The types of the documents' fields: validation and JSON Schema of each, from one source. Pure.

Every value arrives as text, a list or a mapping (yaml_document). An editor's YAML reader makes
numbers and booleans of some texts, so the schema accepts those where their text would be accepted.
Patterns are valid in Python and in a JSON Schema (ECMA-262).
"""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from ecr_public_pusher.configuration import endpoint_form, label_selector, pem
from ecr_public_pusher.configuration.names import (
    NAMESPACE_NAME,
    NAMESPACE_PATTERN,
    SERVICE_ACCOUNT_PATTERN,
    check_namespace,
    check_service_account,
    delimiter_hint,
)
from ecr_public_pusher.configuration.repository_url import REPOSITORY_URL_PATTERN
from ecr_public_pusher.ownership import ANNOTATION_PREFIX, MANAGED_BY_LABEL

type Schema = dict[str, Any]

NULL: Schema = {"type": "null"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}

_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_WORDS = {
    form: word in _TRUE
    for word in (*_TRUE, *_FALSE)
    for form in (word, word.capitalize(), word.upper())
}
# Every form of `true` that a document may have.
TRUE_FORMS = (True, *(form for form, meant in _WORDS.items() if meant))


def _kind(value: Any) -> str:
    return (
        "a list"
        if isinstance(value, list | tuple)
        else "a mapping"
        if isinstance(value, dict)
        else f"'{str(value)[:80]}'"
    )


@dataclass(frozen=True)
class Text:
    """A text of a certain form.

    `expected` completes "expected ...".
    `also`: the other types that an editor may make of such a text.
    `shown`: whether a message may repeat the value.
    """

    pattern: str
    expected: str
    also: tuple[Schema, ...] = ()
    shown: bool = True

    def check(self, value: Any) -> str:
        """Return the text. Raise ValueError with what is expected and what was found."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return value
        found = _kind(value) if self.shown or not isinstance(value, str) else "something else"
        raise ValueError(f"expected {self.expected}, found {found}")

    @property
    def schema(self) -> Schema:
        """The JSON Schema of the text."""
        return one_of({"type": "string", "pattern": f"^(?:{self.pattern})$"}, *self.also)


def one_of(*schemas: Schema) -> Schema:
    """Return the schema of a value that matches one of `schemas`."""
    return dict(schemas[0]) if len(schemas) == 1 else {"anyOf": list(schemas)}


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise ValueError(f"expected true or false (or yes, no, on, off), found {_kind(value)}")


# All regions of a partition: the largest, `aws`, had 34 in November 2026.
MOST_REGIONS = 40


def _regions(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list) or not value:
        raise ValueError(
            f"expected one or more AWS regions in a list, found {_kind(value) if value else 'none'}"
        )
    if len(value) > MOST_REGIONS:
        raise ValueError(f"expected at most {MOST_REGIONS} AWS regions, found {len(value)}")
    if joined := next((item for item in value if isinstance(item, str) and "," in item), None):
        raise ValueError(
            f"{delimiter_hint(joined, 'regions')}expected {REGION.expected}, found '{joined[:80]}'"
        )
    return tuple(dict.fromkeys(REGION.check(item) for item in value))


def _tags(value: Any) -> dict[str, str]:
    given = _pairs(value, "tags, each with a value or a glob")
    if not given:
        raise ValueError(
            "expected one or more tags, each with a value or a glob ('*' for any), found none"
        )
    for key, item in given.items():
        if not 1 <= len(key) <= 128 or len(item) > 256:  # EKS's limits
            raise ValueError(
                f"'{key[:80]}' is not a tag (a key of 1 to 128 characters, a value of at most 256)"
            )
    return dict(given)


Boolean = Annotated[
    bool, BeforeValidator(_boolean), WithJsonSchema({"enum": [True, False, *_WORDS]})
]

ACCOUNT = Text(
    r"[0-9]{12}",
    "an AWS account of twelve digits",
    ({"type": "integer", "minimum": 10**11, "maximum": 10**12 - 1},),
)
REGION = Text(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}", "an AWS region, like eu-central-1")
# A path of names, and a name of at most 64 characters.
ROLE_ARN = Text(
    r"arn:aws[a-z-]*:iam::[0-9]{12}:role/(?:[A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}",
    "a role's ARN, like arn:aws:iam::444455556666:role/NAME",
)
# Source: STS AssumeRole, `ExternalId`
EXTERNAL_ID = Text(
    r"[A-Za-z0-9_+=,.@:/-]{2,1224}",
    "2 to 1224 letters, digits and _+=,.@:/-",
    (
        {"type": "integer", "minimum": 10},
        {"type": "integer", "maximum": -1},
        {"type": "number", "not": {"type": "integer"}},
        BOOLEAN,
    ),
    shown=False,
)
SECRET_NAME = Text(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    "the name of a Secret (lowercase letters, digits, '-' and '.', at most 253)",
    (NUMBER, BOOLEAN),
)
NAMESPACE = Text(
    NAMESPACE_NAME,
    "the name of a namespace (lowercase letters, digits and '-', at most 63)",
    (INTEGER, BOOLEAN),
)
REPOSITORY_URL = Text(
    REPOSITORY_URL_PATTERN,
    "the URL of a repository in ECR, like 111122223333.dkr.ecr.eu-west-1.amazonaws.com/charts or"
    " public.ecr.aws/karpenter, without https:// (oci:// makes it an OCI repository)",
)
# Source: EKS CreateCluster, `name`
CLUSTER_NAME = Text(
    r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
    "the name of an EKS cluster (letters, digits, '-' and '_', at most 100)",
    (INTEGER, BOOLEAN),
)


def check_endpoint(value: Any) -> str:
    """Return the address in its normal form.

    Raise ValueError with what is expected, and what is wrong with this one.
    """
    if not isinstance(value, str):
        raise ValueError(f"expected {endpoint_form.EXPECTED}, found {_kind(value)}")
    return endpoint_form.normal_endpoint(value)


# Source: Secrets Manager CreateSecret, `Name`; the service adds a hyphen and six characters.
SECRET_ARN = Text(
    r"arn:aws[a-z-]*:secretsmanager:[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}:[0-9]{12}"
    r":secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}",
    "a secret's complete ARN, like"
    " arn:aws:secretsmanager:eu-central-1:111122223333:secret:/ecr-public-pusher/edge-1-AbCdEf",
)
CLUSTER_ID = Text(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}",
    "aws-iam-authenticator's clusterID (letters, digits, '.', '_' and '-', at most 253)",
    (NUMBER, BOOLEAN),
)


# Source: IAM, projects.locations.workloadIdentityPools.providers, ids of 4 to 32 characters. STS
# accepts the project's number only, not its id.
_POOL_ID = r"[a-z0-9][a-z0-9-]{2,30}[a-z0-9]"
GOOGLE_PROVIDER = Text(
    r"//iam\.googleapis\.com/projects/[1-9][0-9]{0,18}/locations/global/workloadIdentityPools/"
    rf"{_POOL_ID}/providers/{_POOL_ID}",
    "a workload identity provider's full name with the project's number, like"
    " //iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/POOL"
    "/providers/PROVIDER",
)
# Source: IAM, projects.serviceAccounts. A project's id may have the domain of its organization.
GOOGLE_SERVICE_ACCOUNT = Text(
    r"[a-z0-9][a-z0-9-]{0,62}@(?:[a-z0-9-]{1,63}\.){1,6}gserviceaccount\.com",
    "a service account's email, like NAME@PROJECT.iam.gserviceaccount.com",
)


def check_authority(value: Any) -> str:
    """Return the certificates of a PEM text, each an authority's, without the text around them.

    Raise ValueError, which repeats no part of the text.
    """
    if not isinstance(value, str):
        raise ValueError(
            "expected a certificate authority in PEM (-----BEGIN CERTIFICATE-----), found"
            f" {_kind(value)}"
        )
    if pem.KEY in value or pem.KEY in pem.decoded(value):
        raise ValueError(
            "expected a certificate authority in PEM, found a private key: remove it, and"
            " replace the key, which others may have read"
        )
    try:
        blocks = pem.certificates(value)
    except ValueError as error:
        raise ValueError(
            f"expected a certificate authority in PEM (-----BEGIN CERTIFICATE-----), found {error}"
        ) from None
    try:
        authorities = [_authorities(block) for block in blocks]
    except (ValueError, ssl.SSLError):
        raise ValueError(
            "the certificate authority has the form of PEM, but is not a valid certificate"
        ) from None
    if not all(authorities):
        raise ValueError(
            "expected a certificate authority, found a server's or client's certificate: name the"
            " authority that signed it"
        )
    return "".join(blocks)


def _authorities(block: str) -> list[dict[str, Any]]:
    """Return the certificates that may sign others. Raise ValueError, ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=block)
    return context.get_ca_certs()


SecretArn = Annotated[str, BeforeValidator(SECRET_ARN.check), WithJsonSchema(SECRET_ARN.schema)]
Endpoint = Annotated[
    str,
    BeforeValidator(check_endpoint),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{endpoint_form.ENDPOINT_PATTERN})$"}),
]
ClusterId = Annotated[str, BeforeValidator(CLUSTER_ID.check), WithJsonSchema(CLUSTER_ID.schema)]
GoogleProvider = Annotated[
    str, BeforeValidator(GOOGLE_PROVIDER.check), WithJsonSchema(GOOGLE_PROVIDER.schema)
]
GoogleServiceAccount = Annotated[
    str,
    BeforeValidator(GOOGLE_SERVICE_ACCOUNT.check),
    WithJsonSchema(GOOGLE_SERVICE_ACCOUNT.schema),
]
CertificateAuthority = Annotated[
    str,
    BeforeValidator(check_authority),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": pem.CERTIFICATE_PATTERN,
            "not": {"pattern": f"{pem.STRAY_PATTERN}|{pem.KEY}"},
        }
    ),
]
Account = Annotated[str, BeforeValidator(ACCOUNT.check), WithJsonSchema(ACCOUNT.schema)]
Region = Annotated[str, BeforeValidator(REGION.check), WithJsonSchema(REGION.schema)]
RoleArn = Annotated[str, BeforeValidator(ROLE_ARN.check), WithJsonSchema(ROLE_ARN.schema)]
ExternalId = Annotated[str, BeforeValidator(EXTERNAL_ID.check), WithJsonSchema(EXTERNAL_ID.schema)]
SecretName = Annotated[str, BeforeValidator(SECRET_NAME.check), WithJsonSchema(SECRET_NAME.schema)]
NamespaceName = Annotated[str, BeforeValidator(NAMESPACE.check), WithJsonSchema(NAMESPACE.schema)]
RepositoryUrl = Annotated[
    str, BeforeValidator(REPOSITORY_URL.check), WithJsonSchema(REPOSITORY_URL.schema)
]
ClusterName = Annotated[
    str, BeforeValidator(CLUSTER_NAME.check), WithJsonSchema(CLUSTER_NAME.schema)
]


Regions = Annotated[
    tuple[str, ...],
    BeforeValidator(_regions),
    WithJsonSchema(
        one_of(
            {
                "type": "array",
                "items": one_of(REGION.schema, NULL),
                "contains": {"not": NULL},
                "maxContains": MOST_REGIONS,
            },
            {
                "type": "string",
                "pattern": rf"^\s*(?:(?:{REGION.pattern})(?:\s+|$)){{1,{MOST_REGIONS}}}$",
            },
        )
    ),
]
Tags = Annotated[
    dict[str, str],
    BeforeValidator(_tags),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"minLength": 1, "maxLength": 128},
            "additionalProperties": one_of(
                {"type": "string", "maxLength": 256}, {"type": ["number", "boolean"]}, NULL
            ),
            "minProperties": 1,
        }
    ),
]


def _names(value: Any, check: Callable[[str], str], what: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list | tuple):
        raise ValueError(
            f"expected names and globs of {what} in a list, or in one string separated by"
            f" spaces, found {_kind(value)}"
        )
    for item in value:
        if not isinstance(item, str):
            raise ValueError(f"expected a name or glob of {what}, found {_kind(item)}")
        check(item)
    return tuple(value)


def _names_schema(pattern: str, number: Schema, *, filled: bool) -> Schema:
    item = one_of({"type": "string", "pattern": f"^{pattern}$"}, number, BOOLEAN, NULL)
    listed: Schema = {"type": "array", "items": item}
    if filled:
        listed["contains"] = {"not": NULL}
    many = "+" if filled else "*"
    return one_of(
        listed,
        {"type": "string", "pattern": rf"^\s*(?:{pattern}(?:\s+|$)){many}$"},
        number,
        BOOLEAN,
    )


def _filled(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError(
            "selects nothing: give names or globs ('*' for all), or omit the field where there"
            " is a selector"
        )
    return names


_NAMESPACES = "namespaces"
_SERVICE_ACCOUNTS = "ServiceAccounts"
Namespaces = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: _names(value, check_namespace, _NAMESPACES)),
    WithJsonSchema(_names_schema(NAMESPACE_PATTERN, INTEGER, filled=False)),
]
SomeNamespaces = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: _filled(_names(value, check_namespace, _NAMESPACES))),
    WithJsonSchema(_names_schema(NAMESPACE_PATTERN, INTEGER, filled=True)),
]
ServiceAccounts = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: _names(value, check_service_account, _SERVICE_ACCOUNTS)),
    WithJsonSchema(_names_schema(SERVICE_ACCOUNT_PATTERN, NUMBER, filled=False)),
]
SomeServiceAccounts = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: _filled(_names(value, check_service_account, _SERVICE_ACCOUNTS))),
    WithJsonSchema(_names_schema(SERVICE_ACCOUNT_PATTERN, NUMBER, filled=True)),
]


def _selector(value: Any) -> str:
    if isinstance(value, dict) and value.keys() & {"matchLabels", "matchExpressions"}:
        raise ValueError(
            "expected a label selector as for kubectl's -l, found matchLabels: write {team:"
            " web, tier: db} as 'team=web,tier=db'"
        )
    if not isinstance(value, str):
        raise ValueError(
            "expected a label selector as for kubectl's -l, like 'team=web,!gone', found"
            f" {_kind(value)}"
        )
    label_selector.parse(value)
    return value


Selector = Annotated[
    str,
    BeforeValidator(_selector),
    WithJsonSchema(
        one_of(
            {"type": "string", "pattern": f"^(?:{label_selector.SELECTOR_PATTERN})$"},
            NUMBER,
            BOOLEAN,
        )
    ),
]


def _pairs(value: Any, what: str) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"expected a mapping of {what}, found {_kind(value)}")
    given = {key: item for key, item in value.items() if item is not None}
    if bad := next((key for key, item in given.items() if not isinstance(item, str)), None):
        raise ValueError(f"'{bad[:80]}': expected a string, found {_kind(given[bad])}")
    return given


def _labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    for key, value in labels.items():
        if key == MANAGED_BY_LABEL:
            raise ValueError(f"'{key}' is set by ecr-public-pusher itself")
        if not label_selector.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is not a label key")
        if not label_selector.LABEL_VALUE.fullmatch(value):
            raise ValueError(
                f"the value of '{key}' is not a label value (at most 63 letters, digits, '-', '_',"
                " '.')"
            )
    return labels


def _annotations(annotations: Mapping[str, str]) -> Mapping[str, str]:
    for key in annotations:
        if key.startswith(ANNOTATION_PREFIX):
            raise ValueError(
                f"'{key[:80]}': the prefix {ANNOTATION_PREFIX} is ecr-public-pusher's own"
            )
        if not label_selector.LABEL_KEY.fullmatch(key):
            raise ValueError(f"'{key[:80]}' is not an annotation key")
    return annotations


def _pairs_schema(value: Schema, reserved: Schema) -> Schema:
    keys = {"allOf": [{"pattern": f"^(?:{label_selector.KEY_PATTERN})$"}, {"not": reserved}]}
    return {"type": "object", "propertyNames": keys, "additionalProperties": value}


Labels = Annotated[
    dict[str, str],
    BeforeValidator(lambda value: _pairs(value, "labels")),
    AfterValidator(_labels),
    WithJsonSchema(
        _pairs_schema(
            one_of(
                {"type": "string", "pattern": f"^(?:{label_selector.VALUE_PATTERN})$"},
                NUMBER,
                BOOLEAN,
                NULL,
            ),
            {"const": MANAGED_BY_LABEL},
        )
    ),
]
Annotations = Annotated[
    dict[str, str],
    BeforeValidator(lambda value: _pairs(value, "annotations")),
    AfterValidator(_annotations),
    WithJsonSchema(
        _pairs_schema(
            {"type": ["string", "number", "boolean", "null"]}, {"pattern": f"^{ANNOTATION_PREFIX}"}
        )
    ),
]
