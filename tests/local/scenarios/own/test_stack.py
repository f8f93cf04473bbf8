"""A person's own documents: the clusters made up for them, and the description of both."""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ecr_public_pusher.kubernetes_api.tls import verifying_context
from infra.local.scenarios.own import OwnStack
from infra.local.stack import CONFIG_PATH
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[4]


@contextmanager
def pushed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, **documents: str
) -> Iterator[tuple[OwnStack, dict[str, Any]]]:
    """Yield the stack, and the report of a push in it by the function in this process."""
    for name, text in documents.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with OwnStack(ROOT, folder) as stack:
        environ = {
            **stack.aws_settings(),
            **stack.function_settings(),
            "CONFIG_PATH": CONFIG_PATH,
            "STACK_NAME": "ecr-public-pusher",
            "ALLOWED_ENDPOINTS": stack.parameters["AllowedEndpoints"],
            "ALLOWED_ACCOUNTS": stack.parameters["AllowedAccounts"],
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        verifying_context.cache_clear()  # public authorities are read from SSL_CERT_FILE
        try:
            yield stack, World(stack.aws, dict(os.environ), stack.queue).invoke()
        finally:
            verifying_context.cache_clear()


def cluster(report: dict[str, Any], identity: str) -> dict[str, Any]:
    return next(one for one in report["clusters"] if one["id"] == identity)


def said(stack: OwnStack) -> str:
    return "\n".join(f"{who}: {what}" for who, what in stack.said)


def test_the_examples_of_the_project_are_all_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "infra" / "examples" / "parameters"
    with pushed(folder, monkeypatch) as (stack, report):
        assert report["ok"], report
        ids = {one["id"] for one in report["clusters"]}
        assert {file.stem for file in (folder / "clusters").iterdir()} < ids
        assert "platform/us-east-1/platform-example" in ids
        assert not stack.problems


def test_a_role_of_another_account_is_one_that_the_real_stack_has_to_allow(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    role = "arn:aws:iam::444455556666:role/ecr-public-pusher-spoke"
    document = f"{{roleArn: '{role}', namespaces: [a]}}"
    with pushed(tmp_path, monkeypatch, clusters__away=document) as (stack, report):
        assert cluster(report, "away")["counts"] == {"created": 1}
        allowed = "AllowedAccounts: is * here; the real stack's must name 444455556666"
        assert allowed in said(stack)


def test_an_endpoint_is_replaced_by_the_local_one_and_that_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (
        "{endpoint: 'https://edge.example.com:6443', signIn: {type: webIdentity}, namespaces: [a,"
        " on]}"
    )
    with pushed(tmp_path, monkeypatch, clusters__edge=document) as (stack, report):
        assert cluster(report, "edge")["counts"] == {"created": 2}
        assert "instead of https://edge.example.com:6443: https://127.0.0.1:" in said(stack)
        assert "the real stack's must name edge.example.com" in said(stack)


def test_an_entry_includes_the_path_and_an_invalid_address_gets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (
        "{endpoint: 'https://Rancher.example.com/k8s/clusters/c-1/', signIn: {type: webIdentity},"
        " namespaces: [a]}"
    )
    broken = document.replace("https://Rancher", "https://[::1")
    with pushed(tmp_path, monkeypatch, clusters__edge=document, clusters__broken=broken) as (
        stack,
        report,
    ):
        assert cluster(report, "edge")["counts"] == {"created": 1}
        assert cluster(report, "broken")["error"]["type"] == "InvalidDocument"
        assert "the real stack's must name rancher.example.com/k8s/clusters/c-1" in said(stack)


def test_google_trusts_each_document_of_its_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a-pool"
    account = "pusher@my-project.iam.gserviceaccount.com"
    sign_in = f"type: google, provider: '{pool}/providers/a-provider'"
    where = "endpoint: 'https://gke.example.com', namespaces: [a], prune: true"
    documents = {
        "clusters__one": f"{{{where}, signIn: {{{sign_in}}}}}",
        "clusters__two": f"{{{where}, secretName: two, signIn: {{{sign_in}, serviceAccount:"
        f" {account}}}}}",
    }
    with pushed(tmp_path, monkeypatch, **documents) as (stack, report):
        assert report["ok"], report
        assert "infra/rbac's roles are bound to principal://iam.googleapis.com" in said(stack)
        assert f"bound to {account}" in said(stack)


def test_a_cluster_with_an_authenticator_admits_its_cluster_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (
        "{endpoint: 'https://kops.example.com', signIn: {type: iamAuthenticator, clusterId:"
        " kops.example}, namespaces: [a]}"
    )
    with pushed(tmp_path, monkeypatch, clusters__kops=document) as (_, report):
        assert cluster(report, "kops")["counts"] == {"created": 1}


@pytest.mark.parametrize(
    "role", ["", ", roleArn: 'arn:aws:iam::444455556666:role/ecr-public-pusher-spoke'"]
)
def test_a_kubeconfig_is_stored_where_the_document_looks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    theirs = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:/ecr-public-pusher/old-AbCdEf"
    document = f"{{signIn: {{type: kubeconfig, secretArn: '{theirs}'}}, namespaces: [a]{role}}}"
    with pushed(tmp_path, monkeypatch, clusters__old=document) as (stack, report):
        assert cluster(report, "old")["counts"] == {"created": 1}
        assert "which secretArn names here" in said(stack)


def test_argo_cds_namespace_and_rights_are_made_for_its_repositories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (
        "{{cluster: main, namespaces: [{0}], secretName: s-{0}, argocd: {{namespace: cd,"
        " repositories: [{{name: r-{0}, url: public.ecr.aws/x}}]}}}}"
    )
    with pushed(
        tmp_path, monkeypatch, clusters__a=document.format("a"), clusters__b=document.format("b")
    ) as (stack, report):
        assert [cluster(report, name)["counts"] for name in ("a", "b")] == [{"created": 2}] * 2
        assert "argocd.yaml" in said(stack)


def test_clusters_fit_the_defaults_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = (
        "{namespaces: [a], secretName: other, serviceAccounts: [builder], registries: [public,"
        " {account: '444455556666', region: eu-west-1, roleArn:"
        " 'arn:aws:iam::444455556666:role/ecr-public-pusher-pull'}]}"
    )
    with pushed(tmp_path, monkeypatch, defaults=defaults, clusters__prod="{cluster: prod}") as (
        stack,
        report,
    ):
        entry = cluster(report, "prod")
        assert (entry["counts"], entry["serviceAccountsChanged"]) == ({"created": 1}, 1)
        found, name, (namespace,) = stack.seen["prod"]
        _, secret = found.admin("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        hosts = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
        assert "444455556666.dkr.ecr.eu-west-1.amazonaws.com" in hosts
        assert "it must name other" in said(stack)


def test_documents_of_one_cluster_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pushed(
        tmp_path,
        monkeypatch,
        clusters__a="{cluster: prod, namespaces: [x]}",
        clusters__b="{cluster: prod, namespaces: [y]}",
    ) as (
        stack,
        report,
    ):
        assert report["ok"]
        assert len(stack.clusters) == 1


def test_each_role_that_documents_of_one_cluster_use_is_admitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoke = "arn:aws:iam::111122223333:role/ecr-public-pusher-spoke"
    documents = {
        "clusters__a": "{cluster: prod, namespaces: [x]}",
        "clusters__b": f"{{cluster: prod, namespaces: [y], roleArn: '{spoke}'}}",
    }
    with pushed(tmp_path, monkeypatch, **documents) as (stack, report):
        assert report["ok"], report
        assert len(stack.clusters) == 1


def test_documents_of_one_endpoint_share_its_cluster_which_trusts_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "endpoint: 'https://edge.example.com', signIn: {type: webIdentity}"
    documents = {f"clusters__{name}": f"{{{head}, namespaces: [{name}]}}" for name in ("a", "b")}
    with pushed(tmp_path, monkeypatch, **documents) as (stack, report):
        assert report["ok"], report
        assert len(stack.clusters) == 1


def test_an_invalid_document_is_left_for_the_function_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pushed(
        tmp_path, monkeypatch, clusters__bad="namespcaes: [a]", clusters__good="namespaces: [a]"
    ) as (_, report):
        assert "did you mean namespaces" in cluster(report, "bad")["error"]["message"]
        assert cluster(report, "good")["ok"]


def test_invalid_defaults_are_left_for_the_function_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pushed(tmp_path, monkeypatch, defaults="[", clusters__good="namespaces: [a]") as (
        stack,
        report,
    ):
        assert report["error"]["type"] == "ConfigurationError"
        assert not stack.clusters
        assert stack.kubeconfig()["contexts"] == []


def test_files_that_are_no_documents_and_texts_that_parameter_store_refuses_are_reported(
    tmp_path: Path,
) -> None:
    (tmp_path / "README.md").write_text("notes")
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "big.yaml").write_text("namespaces: [a] #" + "x" * 4096)
    with OwnStack(ROOT, tmp_path) as stack:
        assert "README.md: is not a document" in stack.unknown_files[0]
        assert any("big.yaml: 4113 bytes" in problem for problem in stack.problems)


def test_a_folder_without_documents_is_reported(tmp_path: Path) -> None:
    with OwnStack(ROOT, tmp_path) as stack:
        assert "holds no document" in stack.problems[0]


def test_no_secret_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = (
        "{endpoint: 'https://edge.example.com', signIn: {type: webIdentity}, namespaces: [a]}"
    )
    with pushed(tmp_path, monkeypatch, clusters__edge=document) as (stack, report):
        assert "PRIVATE" not in said(stack) + json.dumps(report)
