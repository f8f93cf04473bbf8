"""Clusters to import: each once, with unique ids and the fields of its document."""

import pytest

from infra.cli.imports.candidates import Candidate, Kind, candidates, with_ids
from infra.cli.imports.contexts import EksName, ImportedContext
from infra.cli.imports.eks_clusters import FoundEks, Unseen
from infra.cli.onboarding.kubeconfig import Context

ENDPOINT = "https://ABC.gr7.us-east-1.eks.amazonaws.com"
LAB = "https://lab.example.com"
DENIED = Unseen("context", "Access denied", "Ask.")


def found(name: str = "prod", *, region: str = "us-east-1", account: str = "1") -> FoundEks:
    endpoint = f"https://{name}.{region}.{account}"
    return FoundEks(name, region, account, "aws", endpoint, b"", {}, None)


def eks(name: str, region: str = "us-east-1", account: str = "1") -> Candidate:
    return Candidate(name, Kind.EKS, name, region, account)


def server(name: str) -> Candidate:
    return Candidate(name, Kind.WEB_IDENTITY, name, endpoint=LAB)


@pytest.mark.parametrize(
    ("given", "taken", "ids"),
    [
        ([eks("prod")], (), ["prod"]),
        ([eks("prod"), eks("prod", "eu-west-1")], (), ["prod-us-east-1", "prod-eu-west-1"]),
        ([eks("prod"), eks("prod", account="2")], (), ["prod-us-east-1-1", "prod-us-east-1-2"]),
        ([eks("prod")], ("prod",), ["prod-us-east-1"]),
        ([eks("prod")], ("prod", "prod-us-east-1"), ["prod-us-east-1-1"]),
        ([eks("prod")], ("prod", "prod-us-east-1", "prod-us-east-1-1"), ["prod-us-east-1-1-2"]),
        ([server("admin@lab"), server("admin lab")], (), ["admin-lab", "admin-lab-2"]),
        ([server("äö")], (), ["cluster"]),
        ([server("gke_project_zone_name.1")], (), ["gke_project_zone_name.1"]),
        ([server("a" * 300)], (), ["a" * 100]),
        ([eks("prod"), server("prod")], (), ["prod-us-east-1", "prod"]),
    ],
)
def test_ids_are_names_that_are_unique(
    given: list[Candidate], taken: tuple[str, ...], ids: list[str]
) -> None:
    assert [one.id for one in with_ids(given, taken)] == ids


def context(name: str, server: str, **more: object) -> ImportedContext:
    return ImportedContext(Context(name, server), **more)  # type: ignore[arg-type]


def test_a_context_that_leads_to_a_listed_cluster_is_that_cluster() -> None:
    one = found()
    (only,) = candidates([one], [context("a", one.endpoint)], lambda context: DENIED)
    assert (only.kind, only.contexts) == (Kind.EKS, ("a",))


def test_an_authenticators_context_that_eks_does_not_describe_is_not_eks() -> None:
    named = context("a", LAB, eks=EksName("lab"), authenticator_id="lab")
    (only,) = candidates([], [named], lambda context: DENIED)
    assert (only.kind, only.cluster_id, only.problem) == (Kind.IAM_AUTHENTICATOR, "lab", "")


def test_an_eks_cluster_of_which_too_little_is_known_is_not_possible() -> None:
    named = context("a", ENDPOINT, eks=EksName("prod", "us-east-1"), certainly_eks=True)
    (only,) = candidates([], [named], lambda context: DENIED)
    assert (only.kind, only.problem, only.remedy) == (Kind.EKS, "Access denied", "Ask.")


def test_of_two_contexts_of_one_server_the_usable_one_counts() -> None:
    contexts = [context("a", LAB, problem="a proxy"), context("b", LAB), context("c", LAB)]
    (only,) = candidates([], contexts, lambda context: DENIED)
    assert (only.name, only.problem, only.contexts) == ("b", "", ("b", "a", "c"))


def test_contexts_without_a_server_are_not_one_cluster() -> None:
    contexts = [context("a", "", problem="none"), context("b", "", problem="none")]
    assert len(candidates([], contexts, lambda context: DENIED)) == 2
