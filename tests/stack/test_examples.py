"""The examples work as they stand."""

from pathlib import Path

import pytest

from ecr_public_pusher.configuration import loader as config
from ecr_public_pusher.configuration import schema
from tests.stack.template import ROOT, documents

FOLDER = ROOT / "infra/examples/parameters"
PATH = "/ecr-public-pusher"
CLUSTERS = sorted((FOLDER / "clusters").glob("*.yaml"))
DISCOVERIES = sorted((FOLDER / "discover").glob("*.yaml"))


def parameter(file: Path) -> config.Parameter:
    return config.Parameter(f"{PATH}/{file.relative_to(FOLDER).with_suffix('')}", file.read_text())


def test_all_documents_are_good_together() -> None:
    built = config.load(
        [parameter(FOLDER / "defaults.yaml"), *map(parameter, [*CLUSTERS, *DISCOVERIES])],
        root=PATH,
        region="eu-central-1",
    )
    assert (dict(built.invalid), built.unknown) == ({}, ())
    assert [cluster.id for cluster in built.clusters] == [file.stem for file in CLUSTERS]
    assert [discovery.id for discovery in built.discoveries] == [file.stem for file in DISCOVERIES]


@pytest.mark.parametrize("file", [*CLUSTERS, *DISCOVERIES], ids=lambda file: file.stem)
def test_each_cluster_document_is_good_without_defaults(file: Path) -> None:
    assert not config.load([parameter(file)], root=PATH, region="eu-central-1").invalid


@pytest.mark.parametrize(
    "file", [FOLDER / "defaults.yaml", *CLUSTERS, *DISCOVERIES], ids=lambda file: file.stem
)
def test_each_document_fits_a_standard_parameter_and_says_which_one_it_is(file: Path) -> None:
    assert len(file.read_bytes()) <= 4096
    assert f"{PATH}/{file.relative_to(FOLDER).with_suffix('')}" in file.read_text().splitlines()[0]


def test_roles_of_other_accounts_are_ones_the_stack_may_assume() -> None:
    built = config.load(map(parameter, CLUSTERS), root=PATH, region="eu-central-1")
    roles = [cluster.role_arn for cluster in built.clusters if cluster.role_arn]
    assert roles
    assert all(role.endswith(":role/ecr-public-pusher-spoke") for role in roles)
    registries = [
        registry.role_arn for cluster in built.clusters for registry in cluster.private_registries
    ]
    assert registries
    assert all(role.endswith(":role/ecr-public-pusher-pull") for role in registries)


def test_the_pod_pulls_from_ecr_public_with_the_pushed_secret() -> None:
    (pod,) = documents("infra/examples/pod.yaml")
    assert pod["spec"]["imagePullSecrets"] == [{"name": schema.DEFAULT_SECRET_NAME}]
    assert all(
        container["image"].startswith("public.ecr.aws/") for container in pod["spec"]["containers"]
    )
