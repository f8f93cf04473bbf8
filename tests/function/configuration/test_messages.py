"""The report's messages about invalid documents, from Parameter Store to the report."""

import base64
import json

import pytest
import yaml

from infra.local.kube.certificates import issue
from tests.support.reports import cluster_of
from tests.support.world import World

COMMAS = "names in one string are separated by spaces, not commas"
ROLE = "arn:aws:iam::444455556666:role/pull"
CA = issue("edge")


def said(world: World, document: str) -> str:
    world.add_cluster("prod", namespaces=("team-a",), embedded=True)
    world.document("prod", document)
    error = cluster_of(world.run(), "prod")["error"]
    assert error["type"] == "InvalidDocument"
    assert world.asked("prod") == []
    return str(error["message"])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            "namespaces:\n\t- default\n",
            "line 2 is not YAML: a tab cannot indent: YAML allows only spaces",
        ),
        (
            "namespaces: [default]\nlabels:\n  a: b\n\tc: d\n",
            "line 4 is not YAML: a tab cannot indent",
        ),
        (
            "namespaces:\n  include: [default]\n \tselector: a\n",
            "line 3 is not YAML: a tab cannot indent",
        ),
        (
            "annotations:\n  x: |\n\ttext\nnamespaces: [default]\n",
            "line 3 is not YAML: a tab cannot indent",
        ),
        ("namespaces: [*]", "line 1 is not YAML: text that begins with *, &, !"),
        ("namespaces: [!k*]", "line 1 is not YAML: text that begins with *, &, !"),
        ("labels: {a: @x}", "line 1 is not YAML: text that begins with *, &, !"),
        (
            "namespaces: {include: ['*'], selector: !gone }",
            "line 1 has the tag !gone: text that begins with *, &, !",
        ),
        (
            "namespaces: [default, \x07]",
            "line 1 is not YAML: it must not contain the character U+0007",
        ),
    ],
)
def test_text_that_is_not_yaml(world: World, document: str, expected: str) -> None:
    message = said(world, document)
    assert expected in message
    assert ("must be quoted" in message) is ("begins with *" in expected)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("namespaces: default,team-a", COMMAS),
        ("namespaces: default,team-*", COMMAS),
        ("namespaces: 'default, team-*'", COMMAS),
        ("namespaces: team-*,default", COMMAS),
        ("namespaces: ['default,team-*']", COMMAS),
        ("namespaces: {include: ['*'], exclude: 'kube-*,team-?'}", COMMAS),
        ("{namespaces: [default], serviceAccounts: 'default,build-*'}", COMMAS),
        (
            "{namespaces: [default], registries: 'public,public'}",
            "registries in one string are separated by spaces, not commas",
        ),
    ],
)
def test_commas_between_names(world: World, document: str, expected: str) -> None:
    assert expected in said(world, document)


def test_commas_between_regions(world: World) -> None:
    world.discovery(
        "fleet", "{regions: 'us-east-1,eu-west-1', tags: {a: b}, namespaces: [default]}"
    )
    error = cluster_of(world.run(), "fleet/*")["error"]
    assert "regions: regions in one string are separated by spaces, not commas" in error["message"]


@pytest.mark.parametrize(
    "document",
    [
        "namespaces: ['team-a\u200b']",
        "namespaces: ['\u00a0*']",
        "namespaces: 'team-a\u2060,b'",
        "namespaces: {include: [a], selector: 'team\u00a0=web'}",
        "namespaces: {inclu\u200bde: [a]}",
        "\u00a0namespaces: [a]",
        "{namespaces: [a], region: 'eu-west-1\u00a0'}",
        "{namespaces: [a], secretName: 'ecr\u200b'}",
        f"{{namespaces: [a], roleArn: '{ROLE}\u00a0'}}",
        "{namespaces: [a], serviceAccounts: ['de\u00adfault']}",
        "{namespaces: [a], labels: {'a\u200b': b}}",
        "{namespaces: [a], annotations: {'a\u200b': b}}",
        "{namespaces: [a], annotations: {'a\u200b': [b]}}",
        "{namespaces: [a], registries: ['public\ufeff']}",
        (
            "{namespaces: [a], registries: [{account: '444455556666\u200b', region: eu-west-1,"
            f" roleArn: '{ROLE}'}}]}}"
        ),
        "{namespaces: [a], prune: 'true\u00a0'}",
        "{namespaces: [a], cluster: 'prod\u202e'}",
        "{namespaces: [a], 'clus\u200bter': prod}",
        "{namespaces: [a], signIn: {type: eks, secretArn: 'x\u200b'}}",
        "{namespaces: [a], 'a\u200b': b, 'a\u200b': c}",
        "{namespaces: [a], signIn: {type: iamAuthenticator, clusterId: 'x\u00a0'}}",
        'namespaces: ["a\\tb"]',
        'namespaces: ["a\\e[2J"]',
        'namespaces: ["a\\nb"]',
    ],
)
def test_invisible_characters_are_escaped(world: World, document: str) -> None:
    """The field or name in which they stand does not matter."""
    message = said(world, document)
    assert message.isprintable()
    if not document.isascii():
        assert "\\x" in message or "\\u" in message


def test_invisible_characters_of_an_event_are_escaped(world: World) -> None:
    for event in ({"namespaces": ["team-a\u200b"]}, {"cl\u00a0usters": ["prod"]}):
        message = world.invoke({"action": "push", **event})["error"]["message"]
        assert message.isprintable()
        assert "\\u200b" in message or "\\xa0" in message


# A certificate authority


def elsewhere(world: World, authority: str) -> str | None:
    """Return the message about a document with this authority, which is of no server there."""
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
    world.document(
        "edge",
        yaml.safe_dump(
            {
                "namespaces": ["a"],
                "signIn": {"type": "webIdentity"},
                "endpoint": "https://127.0.0.1:9",
                "certificateAuthority": authority,
            }
        ),
    )
    error = cluster_of(world.run())["error"]
    return error["message"] if error["type"] == "InvalidDocument" else None


BODY = CA.ca_pem.split("-----")[2]


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        (
            base64.b64encode(CA.ca_pem.encode()).decode(),
            (
                "found base64 of PEM, as kubeconfigs and EKS hold it: decode it once (`base64 -d <"
                " FILE`)"
            ),
        ),
        (base64.b64encode(f"# ours\n{CA.ca_pem}".encode()).decode(), "found base64 of PEM"),
        (base64.encodebytes(CA.ca_pem.encode()).decode(), "found base64 of PEM"),
        (base64.b64encode(CA.key_pem.encode()).decode(), "found a private key"),
        (BODY, "found only base64: PEM has the lines -----BEGIN CERTIFICATE-----"),
        (f"# {CA.ca_pem}", "found a -----BEGIN after other text on its line"),
        (CA.ca_pem.replace("\n", "\n# ", 2), "found a certificate that is incomplete"),
        (CA.ca_pem[:200], "found a certificate that is incomplete"),
        (CA.ca_pem.replace("CERTIFICATE", "X509 CRL"), "found a block of another kind, X509 CRL"),
        (
            f"{CA.ca_pem}{CA.ca_pem.replace('CERTIFICATE', 'CERTIFICATE REQUEST')}",
            "found a block of another kind, CERTIFICATE REQUEST",
        ),
        ("edge's authority", "found something else"),
    ],
    ids=[
        "base64",
        "comment",
        "lines",
        "key",
        "DER",
        "commented",
        "within",
        "half",
        "list",
        "request",
        "text",
    ],
)
def test_an_authority_in_another_form_is_refused_saying_which(
    world: World, authority: str, expected: str
) -> None:
    message = elsewhere(world, authority)
    assert message is not None
    assert expected in message
    assert BODY[10:40] not in message


COMMENTED = (
    "# edge's authority, until 2036\n{}",
    "Issuer: CN=Zertifizierungsstelle für Bücher\nsha256 Fingerprint=AA:BB\n\n{}\n# end\n",
    "    {}",
)


@pytest.mark.parametrize("form", COMMENTED, ids=["comment", "text", "indented"])
def test_lines_around_certificates_are_taken_as_openssl_takes_them(world: World, form: str) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
    world.aws.web_identity.enabled = True
    cluster = world.add_elsewhere("edge", document="namespaces: [a]")
    bundle = form.format(cluster.ca_pem) + form.format(CA.ca_pem)
    fields = {
        "endpoint": cluster.endpoint,
        "certificateAuthority": bundle,
        "signIn": {"type": "webIdentity"},
        "namespaces": ["a"],
    }
    world.document("edge", yaml.safe_dump(fields, allow_unicode=True))
    assert world.run()["ok"]


def test_an_authority_whose_lines_yaml_joined_is_the_same_one(world: World) -> None:
    """Written without the `|` that keeps them."""
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
    world.aws.web_identity.enabled = True
    cluster = world.add_elsewhere("edge", document="namespaces: [a]")
    folded = "\n  ".join(["certificateAuthority:", *cluster.ca_pem.splitlines()])
    world.document(
        "edge",
        f"endpoint: {cluster.endpoint}\nsignIn: {{type: webIdentity}}\nnamespaces: [a]\n{folded}\n",
    )
    assert world.run()["ok"]


def test_an_authority_that_is_commented_out_vouches_for_nobody(world: World) -> None:
    world.environ["ALLOWED_ENDPOINTS"] = "127.0.0.1"
    world.aws.web_identity.enabled = True
    cluster = world.add_elsewhere("edge", document="namespaces: [a]", embedded=True)
    one_line = cluster.ca_pem.replace("\n", " ")
    for authority in (f"# {one_line}\n{CA.ca_pem}", f"{CA.ca_pem}// {one_line}"):
        fields = {
            "endpoint": cluster.endpoint,
            "certificateAuthority": authority,
            "signIn": {"type": "webIdentity"},
            "namespaces": ["a"],
        }
        world.document("edge", yaml.safe_dump(fields))
        assert cluster_of(world.run())["error"]["type"] == "InvalidDocument"
    assert world.asked("edge") == []


# JSON


def test_json_whose_characters_are_surrogate_pairs(world: World) -> None:
    """json.dumps and jq -a write them so."""
    world.add_cluster("prod", namespaces=("a",), embedded=True)
    annotations = {
        "team.example.com/mood": "\U0001f600 \U0001f1e9\U0001f1ea",
        "x": 'a\\ud83d\\ude00"',
    }
    fields = {"namespaces": ["a"], "annotations": annotations}
    world.document("prod", json.dumps(fields, indent="\t"))
    assert world.run()["ok"]
    secret = world.secret("prod", "a")
    assert secret is not None
    assert annotations.items() <= secret["metadata"]["annotations"].items()


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_what_a_list_in_place_of_a_mapping_should_be(world: World, field: str) -> None:
    world.add_cluster("prod", namespaces=("a",), embedded=True)
    world.document("prod", f"{{namespaces: [a], {field}: [a]}}")
    said = cluster_of(world.run(), "prod")["error"]["message"]
    assert f"{field}: expected a mapping of {field}, found a list" in said
