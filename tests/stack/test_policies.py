"""The admission policies of infra/examples, which add the Secret's name to new Pods.

With KUBEBUILDER_ASSETS, the real API server applies the MutatingAdmissionPolicy, and Kyverno's
expressions as another one. Kyverno itself does not run: its policy is held against its schema.
"""

import copy
import os
import time
from collections.abc import Iterator
from typing import Any

import jsonschema
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
KYVERNO_SCHEMA = "tests/stack/kyverno-mutating-policy-crd.yaml"
SELECTED = {"ecr-public": "enabled"}
OF_KYVERNO = {"ecr-public": "kyverno"}
# The API server reads policies and bindings by a watch.
SEEN_SECONDS = 30.0


def test_the_binding_is_of_the_policy_and_both_policies_select_the_same_namespaces() -> None:
    policy, binding = documents(NATIVE)
    assert [policy["kind"], binding["kind"]] == list(PLURALS)
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["matchResources"]["namespaceSelector"] == {"matchLabels": SELECTED}
    (kyverno,) = documents(KYVERNO)
    constraints = kyverno["spec"]["matchConstraints"]
    assert constraints["namespaceSelector"] == {"matchLabels": SELECTED}


def test_a_document_can_select_these_namespaces_as_the_comments_say() -> None:
    fragment = "namespaces: {selector: ecr-public=enabled}"
    assert all(f"`{fragment}`" in (ROOT / file).read_text() for file in (NATIVE, KYVERNO))
    parameter = loader.Parameter("/x/clusters/prod", fragment)
    (config,) = loader.load([parameter], root="/x", region="us-east-1").clusters
    assert all(one.matches(SELECTED) for one in config.selection.requirements)


def test_both_policies_see_only_new_pods_and_refuse_none() -> None:
    policy, _ = documents(NATIVE)
    (kyverno,) = documents(KYVERNO)
    for spec in (policy["spec"], kyverno["spec"]):
        assert spec["failurePolicy"] == "Ignore"
        (rule,) = spec["matchConstraints"]["resourceRules"]
        assert rule["apiGroups"] == [""]
        assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE"])


def test_both_policies_have_the_same_conditions_and_the_same_patch() -> None:
    policy, _ = documents(NATIVE)
    (kyverno,) = documents(KYVERNO)
    for field in ("matchConditions", "mutations"):
        assert kyverno["spec"][field] == policy["spec"][field]


def test_the_kyverno_policy_changes_no_template() -> None:
    (policy,) = documents(KYVERNO)
    assert (policy["apiVersion"], policy["kind"]) == ("policies.kyverno.io/v1", "MutatingPolicy")
    assert policy["spec"]["autogen"] == {"podControllers": {"controllers": []}}


def test_the_kyverno_policy_has_the_form_of_its_resource_definition() -> None:
    definition = yaml.safe_load((ROOT / KYVERNO_SCHEMA).read_text())
    (version,) = definition["spec"]["versions"]
    schema = closed(version["schema"]["openAPIV3Schema"])
    (policy,) = documents(KYVERNO)
    assert policy["apiVersion"] == f"{definition['spec']['group']}/{version['name']}"
    jsonschema.validate(policy, schema)
    policy["spec"]["matchConstraints"]["kinds"] = ["Pod"]
    assert not jsonschema.Draft202012Validator(schema).is_valid(policy)


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a structural schema that refuses unknown fields, as kubectl's validation does."""
    result = copy.deepcopy(schema)
    pending = [result]
    while pending:
        one = pending.pop()
        if "properties" in one:
            one["additionalProperties"] = False
        pending += one.get("properties", {}).values()
        pending += [one["items"]] if "items" in one else []
    result["properties"]["metadata"]["additionalProperties"] = True
    return result


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """Return a real API server that applies a policy in the namespaces `a` and `k`, but not in `b`.

    In `a` it is the example's, in `k` one made of Kyverno's. A policy that fails refuses the Pod
    here, so that no failure goes unnoticed.
    """
    if not os.environ.get(ASSETS):
        pytest.skip("the embedded server knows no admission policies")
    server = ControlPlane("prod", credentials=lambda _: None)
    try:
        known = {one["name"] for one in server.admin("GET", API)[1]["resources"]}
        if "mutatingadmissionpolicies" not in known:
            pytest.skip("this API server has no MutatingAdmissionPolicy of version v1")
        for one in (*documents(NATIVE), *native_form(*documents(KYVERNO))):
            if one["kind"] == "MutatingAdmissionPolicy":
                one["spec"]["failurePolicy"] = "Fail"
            assert server.admin("POST", f"{API}/{PLURALS[one['kind']]}", one)[0] == 201
        for name, labels in (("a", SELECTED), ("k", OF_KYVERNO), ("b", {})):
            server.apply(
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": name, "labels": labels},
                }
            )
        until = time.monotonic() + SEEN_SECONDS
        while time.monotonic() < until and not all(pulls(server, name, []) for name in ("a", "k")):
            time.sleep(0.1)
        yield server
    finally:
        server.close()


def native_form(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a Kyverno policy as the API server's own, with a binding, for namespaces of its own."""
    name = {"name": "of-kyverno"}
    spec = {key: value for key, value in policy["spec"].items() if key != "autogen"}
    spec["matchConstraints"]["namespaceSelector"] = {"matchLabels": OF_KYVERNO}
    version = "admissionregistration.k8s.io/v1"
    yield {
        "apiVersion": version,
        "kind": "MutatingAdmissionPolicy",
        "metadata": name,
        "spec": spec | {"reinvocationPolicy": "IfNeeded"},
    }
    yield {
        "apiVersion": version,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": name,
        "spec": {"policyName": name["name"]},
    }


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


@pytest.mark.parametrize("namespace", ["a", "k"])
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
    cluster: ControlPlane, namespace: str, before: list[str], after: list[str]
) -> None:
    assert pulls(cluster, namespace, before) == after


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


def test_a_real_api_server_takes_the_kyverno_policy_by_its_resource_definition(
    cluster: ControlPlane,
) -> None:
    definition = yaml.safe_load((ROOT / KYVERNO_SCHEMA).read_text())
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert cluster.admin("POST", definitions, definition)[0] == 201
    policies = "/apis/policies.kyverno.io/v1/mutatingpolicies"
    until = time.monotonic() + SEEN_SECONDS
    while cluster.admin("GET", policies)[0] != 200 and time.monotonic() < until:
        time.sleep(0.1)
    (policy,) = documents(KYVERNO)
    status, made = cluster.admin("POST", f"{policies}?fieldValidation=Strict", policy)
    assert status == 201, made
    assert made["spec"] == policy["spec"]
