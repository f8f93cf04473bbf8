"""Blocks that hold a document, an event or a report are judged by what reads them."""

import base64
import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration import loader
from ecr_public_pusher.configuration.access_entries import mapped_role
from ecr_public_pusher.configuration.cluster_config import Google, Server
from ecr_public_pusher.events.parser import parse
from ecr_public_pusher.sign_in.api_server_trust import USER_PREFIX, Claims, TrustRemedies
from ecr_public_pusher.sign_in.google_remedies import GoogleRemedies
from ecr_public_pusher.sign_in.google_tokens import Cause, NoGoogleToken, Service
from ecr_public_pusher.sign_in.kind import Endpoint
from ecr_public_pusher.sign_in.kubeconfig_document import read_kubeconfig
from infra.local.kube.certificates import issue
from tests.docs.documents import DOCUMENTS as PAGES
from tests.docs.documents import ROOT, Block, blocks, prose
from tests.support.commands import in_backticks
from tests.support.commands import parse as parse_shell

ROOT_PATH = "/ecr-public-pusher"
# Documents for other readers than the function, recognized by their apiVersion.
DOCUMENTS = [block for block in blocks({"yaml"}) if "apiVersion" not in yaml.safe_load(block.text)]


def problems(text: str) -> dict[str, Any]:
    """Return the problems of one document.

    The defaults beside it supply what a fragment leaves out.
    """
    kind = "discover" if "regions" in yaml.safe_load(text) else "clusters"
    parameters = [
        loader.Parameter(f"{ROOT_PATH}/defaults", "namespaces: [default]"),
        loader.Parameter(f"{ROOT_PATH}/{kind}/one", text),
    ]
    built = loader.load(
        parameters,
        root=ROOT_PATH,
        region="us-east-1",
        allowed_endpoints=["*.k8s.example.com", "203.0.113.10"],
    )
    return dict(built.invalid)


@pytest.mark.parametrize("block", DOCUMENTS, ids=str)
def test_each_document_is_one_that_the_function_takes(block: Block) -> None:
    assert problems(block.text) == {}


CLAIMS = Claims("ecr-public-pusher:edge-1", subject="arn:aws:iam::111122223333:role/ROLE")
REMEDIES = TrustRemedies(Endpoint("https://x", ""), CLAIMS)


def of_page(name: str, language: str) -> list[str]:
    return [block.text for block in blocks({language}) if block.document.name == name]


def test_what_aks_is_to_trust_is_what_check_prints() -> None:
    (text,) = of_page("aks.md", "json")
    printed = REMEDIES.aks
    file, command = re.findall(r"<<'EOF'\n(.+)\nEOF\n(.+)", printed, re.DOTALL)[0]
    assert json.loads(text) == json.loads(file)
    shown = [str(one) for block in of_page("aks.md", "sh") for one in parse_shell(block)]
    replaced = command.replace("RESOURCE_GROUP", "my-group").replace("CLUSTER", "edge-1")
    assert replaced in shown


def test_what_eks_is_to_trust_is_what_check_prints() -> None:
    associate, bind = in_backticks(REMEDIES.eks("eu-west-1"))
    shown = [one for block in of_page("eks-oidc.md", "sh") for one in parse_shell(block)]
    (printed,) = parse_shell(associate)
    (given,) = [one for one in shown if one.words[:2] == printed.words[:2]]
    assert json.loads(str(given.option("--oidc"))) == json.loads(str(printed.option("--oidc")))
    assert bind.replace("CONTEXT", "edge-1") in [str(one) for one in shown]


def test_openshift_trusts_the_same_role_and_audience() -> None:
    (text,) = of_page("openshift.md", "yaml")
    (provider,) = yaml.safe_load(text)["spec"]["oidcProviders"]
    assert provider["issuer"] == {"issuerURL": CLAIMS.issuer, "audiences": [CLAIMS.audience]}
    assert provider["claimMappings"]["username"]["prefix"] == {"prefixString": USER_PREFIX}
    (rule,) = provider["claimValidationRules"]
    assert rule["requiredClaim"] == {"claim": "sub", "requiredValue": CLAIMS.subject}


@pytest.mark.parametrize("authority", ["", issue("edge").ca_pem], ids=["public", "private"])
def test_the_kubeconfig_of_a_service_account_is_one_that_the_function_takes(authority: str) -> None:
    """Without certificate-authority-data in the person's own context, $CA is empty."""
    (text,) = re.findall(
        r"<<END\n(apiVersion: v1\nkind: Config\n.+?)\nEND\n",
        (ROOT / "docs/sign-in.md").read_text(),
        re.DOTALL,
    )
    values = {
        "$SERVER": "https://rancher.example.com/k8s/clusters/c-m-1",
        "$CA": base64.b64encode(authority.encode()).decode(),
        "$TOKEN": "a.b.c",
    }
    for name, value in values.items():
        text = text.replace(name, value)
    fields = read_kubeconfig(text, where="the kubeconfig")
    assert (fields.server, fields.token) == (values["$SERVER"], "a.b.c")
    assert bool(fields.ca_pem) == bool(authority)


def test_what_google_is_to_trust_is_what_check_prints() -> None:
    role = "arn:aws:iam::111122223333:role/ROLE"
    provider = (
        "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
        "/pusher-gke-1/providers/aws-issuer"
    )
    choice = Google(Server("https://x"), provider)
    claims = Claims("ecr-public-pusher:gke-1", subject=role)
    remedies = GoogleRemedies(Endpoint("https://x", ""), choice, claims, role)
    refused = NoGoogleToken(Service.STS, Cause.REFUSED, "x", "invalid_target")
    create_pool, create_provider, _ = in_backticks(remedies.no_token(refused))
    get_the_cluster = in_backticks(remedies.not_admitted(choice.user(role), ()))[0]
    found = {
        " ".join(str(command).replace("\\\n", " ").split())
        for block in blocks({"sh"})
        if block.document.name == "gke.md"
        for command in parse_shell(block.text)
    }
    printed = {create_pool, create_provider, get_the_cluster.replace("123456789012", "NUMBER")}
    assert printed <= found


def test_the_page_on_gke_names_the_library_that_the_requests_are_held_to() -> None:
    page = (ROOT / "docs" / "gke.md").read_text()
    assert f"google-auth {importlib.metadata.version('google-auth')}" in page


def test_what_an_api_server_is_to_trust_is_what_check_prints() -> None:
    """The configuration is a file of its own, or part of Talos's document."""
    printed = yaml.safe_load(REMEDIES.configuration("v1"))
    found = [
        yaml.safe_load(block.text) for block in blocks({"yaml"}) if "claims.sub ==" in block.text
    ]
    assert len(found) == 2
    assert printed in found
    assert [
        document["configuration"]["jwt"] for document in found if "configuration" in document
    ] == [printed["jwt"]]


def test_what_aws_auth_is_to_map_is_what_check_prints() -> None:
    printed = mapped_role("arn:aws:iam::111122223333:role/ROLE")
    assert printed in [block.text.rstrip("\n") for block in blocks({"text"})]


def test_a_document_that_the_function_refuses_is_found() -> None:
    assert problems("namespace: [default]") != {}


@pytest.mark.parametrize("block", blocks({"json"}), ids=str)
def test_each_json_block_is_json_and_an_event_is_one(block: Block) -> None:
    value = json.loads(block.text)
    if "action" in value and "ok" not in value:
        assert parse(value, root=ROOT_PATH)


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_each_event_in_the_text_is_one(document: Path) -> None:
    texts = re.findall(r'`(\{"action"[^`]*\})`', " ".join(prose(document).split()))
    assert all(parse(json.loads(text), root=ROOT_PATH) for text in texts)
