"""Targets: what stands in Parameter Store."""

import re

from ecr_public_pusher.configuration import label_selector, pem
from ecr_public_pusher.configuration.allowed_roles import AllowedRoles
from ecr_public_pusher.configuration.endpoint_form import normal_endpoint
from ecr_public_pusher.configuration.endpoints import allowing, is_allowed, not_allowed
from ecr_public_pusher.configuration.field_types import check_authority
from ecr_public_pusher.configuration.loader import Configuration, Parameter, load
from ecr_public_pusher.configuration.names import any_of, check_namespace, check_service_account
from ecr_public_pusher.configuration.names import matches as matches_name
from ecr_public_pusher.configuration.namespace_selector import select
from ecr_public_pusher.configuration.yaml_document import MAX_DEPTH, Plain, read_mapping
from ecr_public_pusher.errors import ConfigurationError, InternalError, InvalidDocument
from ecr_public_pusher.results import Namespace
from tests.fuzz.target import CANARY, Target, check, check_secrecy, parts, text

ROOT = "/ecr-public-pusher"
ROLE = "arn:aws:iam::444455556666:role/spoke"
# Self-signed, of a key that was thrown away.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBGzCBwqADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwIBcNMjYw
MTAxMDAwMDAwWhgPMjEyNjAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAXgwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATmoaWw92Wla9paPlPBvaJmpzWltuVuIxyWSsYO
kpa8GOVTrzGcNcox9KFDVHbTc7CLeBEGR7u/hXnJXNNkuw7JoxMwETAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIGvLUnjOIOMc0dD8ikSgp/ScUQlB
kHrkevjl2nPt13CRAiEA0WyZw01fZl54LmSX9N5GdKi8XJaLyfmp7DnRwiqjElU=
-----END CERTIFICATE-----
"""


def yaml_document(data: bytes) -> None:
    try:
        mapping = read_mapping(text(data), parameter="/p")
    except InvalidDocument:
        return
    check(_depth(mapping) <= MAX_DEPTH, "deeper than it may be")


def _depth(value: Plain | None) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (not isinstance(value, str | None)) + max(map(_depth, inner), default=0)


def configuration(data: bytes) -> None:
    """Load defaults, two documents and a discovery, which NUL bytes separate."""
    places = ("defaults", "clusters/one", "clusters/two", "discover/fleet")
    texts = dict(zip(places, parts(data, len(places)), strict=True))
    given = [Parameter(f"{ROOT}/{place}", content) for place, content in texts.items() if content]
    made: list[Configuration | None] = []
    for parameters in (given, given[::-1]):
        try:
            made.append(
                load(
                    parameters,
                    root=ROOT,
                    region="us-east-1",
                    account="111122223333",
                    allowed_endpoints=("*.example.com", "k8s.example.com/k8s/*"),
                    allowed_roles=AllowedRoles("111122223333", ("444455556666",)),
                )
            )
        except ConfigurationError:
            made.append(None)
    check(repr(made[0]) == repr(made[1]), "the order of the parameters matters")
    if (found := made[0]) is None:
        return
    bugs = [error for error in found.invalid.values() if isinstance(error, InternalError)]
    check(not bugs, f"{bugs[:1]}")
    for config in found.clusters:
        select(config.selection, NAMESPACES)
        str(config.selection)
        config.secrets  # noqa: B018 - it must not raise


NAMESPACES = (
    Namespace("a", {"team": "web"}),
    Namespace("team-b", {"tier": "7"}),
    Namespace("kube-system"),
)


def selector(data: bytes) -> None:
    given = text(data)
    valid = re.fullmatch(label_selector.SELECTOR_PATTERN, given) is not None
    try:
        requirements = label_selector.parse(given)
    except ValueError:
        check(not valid, "the schema's pattern takes it")
        return
    check(valid, "the schema's pattern refuses it")
    for labels in ({}, {"team": "web"}, {"team": "7", "tier": "x"}):
        for requirement in requirements:
            requirement.matches(labels)


def names(data: bytes) -> None:
    """Check a name or glob, and match it against another text."""
    pattern, name = parts(data, 2)
    for form in (check_namespace, check_service_account):
        try:
            form(pattern)
        except ValueError:
            continue
        check(any_of((pattern,))(name) is matches_name(pattern, name), "globs differ")


def endpoint(data: bytes) -> None:
    given = text(data)
    try:
        normal = normal_endpoint(given)
    except ValueError as error:
        check_secrecy(error)
        return
    check(normal_endpoint(normal) == normal, "not in normal form")
    is_allowed(normal, ("*.example.com", "k8s.example.com/k8s/*", allowing(normal)))
    check_secrecy(not_allowed(normal) if "/" in normal.removeprefix("https://") else "")


def certificate(data: bytes) -> None:
    given = text(data)
    for read in (pem.certificates, check_authority):
        try:
            read(given)
        except ValueError as error:
            check_secrecy(error)


SELECTORS = (
    b"team=web",
    b"!team",
    b"team in (a, b),tier notin (c)",
    b"example.com/team!=x",
    b"tier > 1,  n<9223372036854775807",
)
DOCUMENTS = (
    b"namespaces: [a, 'team-*']\nprune: true\nlabels: {team: web}\n",
    b'{"namespaces": {"include": ["*"], "exclude": ["x-[a-c]"], "selector": "team in (a, b)"}}',
    b"a: &x [~, 'b', \"c\\u00e9\", |\n  text\n  ]\n",
    b"? [a]\n: !!str b\n--- \n# comment\n%YAML 1.1\n",
    b"{a: {b: {c: [[[[[[[1]]]]]]]}}}",
)
TARGETS = (
    Target("yaml-document", yaml_document, DOCUMENTS),
    Target(
        "configuration",
        configuration,
        (
            b"labels: {team: web}\0namespaces: [a]\0namespaces: [b]\ncluster: one\0"
            b"{regions: [us-east-1], tags: {a: '*'}, namespaces: '*'}",
            b"region: us-west-2\0namespaces: 'default prometheus'\nenabled: no\0"
            b"{endpoint: 'https://k8s.example.com/k8s/c-1', signIn: {type: webIdentity},"
            b" namespaces: [a]}",
            b"{registries: [public, {account: '444455556666', region: us-east-1, roleArn: '"
            + ROLE.encode()
            + b"'}]}\0{endpoint: 'https://k8s.example.com', signIn: {type: iamAuthenticator,"
            b" clusterId: two}, namespaces: [a]}\0namespaces: [a]",
            b"\0{signIn: {type: kubeconfig, secretArn: 'arn:aws:secretsmanager:us-east-1:"
            b"111122223333:secret:/ecr-public-pusher/edge-AbCdEf'}, namespaces: {selector: '!x'}}",
        ),
    ),
    Target("label-selector", selector, SELECTORS),
    Target(
        "names",
        names,
        (b"team-*\0team-a", b"team-[a-c]?\0team-bx", b"[!k]*\0a", b"build.x-*\0build.x-1"),
    ),
    Target(
        "endpoint",
        endpoint,
        (
            b"https://10.0.0.1",
            b"https://K8s.example.com:443/",
            b"https://[2001:DB8::1]:6443/k8s/c-1",
            f"https://me:{CANARY}@k8s.example.com".encode(),
            f"https://k8s.example.com/{CANARY}".encode(),
            f"https://k8s.example.com/?{CANARY}".encode(),
        ),
    ),
    Target(
        "certificate",
        certificate,
        (
            CERTIFICATE.encode(),
            f"# {CANARY}\n{CERTIFICATE}{CERTIFICATE}".encode(),
            f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END".encode(),
        ),
    ),
)
