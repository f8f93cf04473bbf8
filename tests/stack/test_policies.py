"""The admission policies of infra/examples, which add the Secret's name to new Pods.

With KUBEBUILDER_ASSETS, the real API server applies the MutatingAdmissionPolicy.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ecr_public_pusher.configuration import loader
from ecr_public_pusher.configuration.schema import DEFAULT_SECRET_NAME
from infra.local.kube.controlplane import ASSETS, ControlPlane
from tests.stack.template import ROOT, documents

API = "/apis/admissionregistration.k8s.io/v1"
PLURALS = {
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
}
NATIVE = "infra/examples/policies/mutating-admission-policy.yaml"
KYVERNO = "infra/examples/policies/kyverno.yaml"
SELECTED = {"ecr-public": "enabled"}
# The API server reads policies and bindings by a watch.
SEEN_SECONDS = 30.0


def test_the_binding_is_of_the_policy_and_both_policies_select_the_same_namespaces() -> None:
    policy, binding = documents(NATIVE)
    assert [policy["kind"], binding["kind"]] == list(PLURALS)
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["matchResources"]["namespaceSelector"] == {"matchLabels": SELECTED}
    (kyverno,) = documents(KYVERNO)
    assert pods_of(kyverno)["namespaceSelector"] == {"matchLabels": SELECTED}


def pods_of(policy: dict[str, Any]) -> dict[str, Any]:
    """Return what the one rule of a Kyverno policy matches."""
    (rule,) = policy["spec"]["rules"]
    (match,) = rule["match"]["any"]
    return dict(match["resources"])


def test_a_document_can_select_these_namespaces_as_the_comments_say() -> None:
    fragment = "namespaces: {selector: ecr-public=enabled}"
    assert all(f"`{fragment}`" in (ROOT / file).read_text() for file in (NATIVE, KYVERNO))
    parameter = loader.Parameter("/x/clusters/prod", fragment)
    (config,) = loader.load([parameter], root="/x", region="us-east-1").clusters
    assert all(one.matches(SELECTED) for one in config.selection.requirements)


def test_both_policies_see_only_new_pods_and_refuse_none() -> None:
    policy, _ = documents(NATIVE)
    assert policy["spec"]["failurePolicy"] == "Ignore"
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE"])
    (kyverno,) = documents(KYVERNO)
    assert kyverno["spec"]["webhookConfiguration"] == {"failurePolicy": "Ignore"}
    assert (pods_of(kyverno)["kinds"], pods_of(kyverno)["operations"]) == (["Pod"], ["CREATE"])


def test_the_kyverno_policy_adds_the_secrets_name_and_changes_no_template() -> None:
    (policy,) = documents(KYVERNO)
    assert (policy["apiVersion"], policy["kind"]) == ("kyverno.io/v1", "ClusterPolicy")
    (rule,) = policy["spec"]["rules"]
    assert rule["mutate"] == {
        "patchStrategicMerge": {"spec": {"imagePullSecrets": [{"name": DEFAULT_SECRET_NAME}]}}
    }
    annotations = policy["metadata"]["annotations"]
    assert annotations == {"pod-policies.kyverno.io/autogen-controllers": "none"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """Return a real API server that applies the policy in the namespace `a`, but not in `b`.

    A policy that fails refuses the Pod here, so that no failure goes unnoticed.
    """
    if not os.environ.get(ASSETS):
        pytest.skip("the embedded server knows no admission policies")
    server = ControlPlane("prod", credentials=lambda _: None)
    try:
        known = {one["name"] for one in server.admin("GET", API)[1]["resources"]}
        if "mutatingadmissionpolicies" not in known:
            pytest.skip("this API server has no MutatingAdmissionPolicy of version v1")
        for one in yaml.safe_load_all((ROOT / NATIVE).read_text()):
            if one["kind"] == "MutatingAdmissionPolicy":
                one["spec"]["failurePolicy"] = "Fail"
            assert server.admin("POST", f"{API}/{PLURALS[one['kind']]}", one)[0] == 201
        for name, labels in (("a", SELECTED), ("b", {})):
            server.apply(
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": name, "labels": labels},
                }
            )
        until = time.monotonic() + SEEN_SECONDS
        while not pulls(server, "a", []) and time.monotonic() < until:
            time.sleep(0.1)
        yield server
    finally:
        server.close()


def pulls(server: ControlPlane, namespace: str, names: list[str]) -> list[str]:
    """Return the imagePullSecrets of a new Pod that was sent with these."""
    status, made = server.admin(
        "POST",
        f"/api/v1/namespaces/{namespace}/pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "one-"},
            "spec": {
                "containers": [{"name": "one", "image": "public.ecr.aws/docker/library/busybox"}],
                "imagePullSecrets": [{"name": name} for name in names],
            },
        },
    )
    assert status == 201, made
    return [one.get("name", "") for one in made["spec"].get("imagePullSecrets", [])]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [DEFAULT_SECRET_NAME]),
        (["regcred"], ["regcred", DEFAULT_SECRET_NAME]),
        ([""], ["", DEFAULT_SECRET_NAME]),
        ([DEFAULT_SECRET_NAME], [DEFAULT_SECRET_NAME]),
        (["x", DEFAULT_SECRET_NAME, "y"], ["x", DEFAULT_SECRET_NAME, "y"]),
    ],
)
def test_a_new_pod_gets_the_entry_once_and_keeps_its_own(
    cluster: ControlPlane, before: list[str], after: list[str]
) -> None:
    assert pulls(cluster, "a", before) == after


def test_a_pod_in_another_namespace_stays_as_it_is(cluster: ControlPlane) -> None:
    assert pulls(cluster, "b", ["regcred"]) == ["regcred"]


def test_a_pod_that_exists_is_not_changed(cluster: ControlPlane) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "old"},
        "spec": {"containers": [{"name": "one", "image": "public.ecr.aws/docker/library/busybox"}]},
    }
    assert cluster.admin("POST", "/api/v1/namespaces/b/pods", body)[0] == 201
    _, namespace = cluster.admin("GET", "/api/v1/namespaces/b")
    namespace["metadata"]["labels"].update(SELECTED)
    assert cluster.admin("PUT", "/api/v1/namespaces/b", namespace)[0] == 200
    _, old = cluster.admin("GET", "/api/v1/namespaces/b/pods/old")
    old["metadata"]["labels"] = {"changed": "yes"}
    status, changed = cluster.admin("PUT", "/api/v1/namespaces/b/pods/old", old)
    assert status == 200
    assert "imagePullSecrets" not in changed["spec"]
