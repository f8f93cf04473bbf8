"""Documents -> settings, and what is said of a bad one."""

import json
from pathlib import Path

import pytest

from ecr_public_pusher.configuration import loader as config
from ecr_public_pusher.configuration import schema
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.loader import Configuration, Parameter
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.errors import ConfigurationError

ROOT = "/ecr-public-pusher"


def build(**documents: str) -> Configuration:
    """A configuration from documents by name: `defaults`, or a cluster's id."""
    parameters = [Parameter(f"{ROOT}/defaults" if name == "defaults" else f"{ROOT}/clusters/{name}", text) for name, text in documents.items()]
    return config.load(parameters, root=ROOT, region="us-east-1")


def complaint(text: str) -> str:
    """What is said of the one document `text`."""
    configuration = build(prod=text)
    assert not configuration.clusters
    return configuration.invalid["prod"].message


def test_the_smallest_document() -> None:
    assert build(prod="namespaces: [default]").clusters == (ClusterConfig("prod", "prod", "us-east-1", Selection(("default",))),)


def test_every_field() -> None:
    (cluster,) = build(
        prod="""
        cluster: main
        region: eu-central-1
        roleArn: arn:aws-cn:iam::111122223333:role/path/spoke
        externalId: some-id
        enabled: "no"
        namespaces: {include: [team-*], exclude: team-x, selector: "pull in (yes)"}
        secretName: pull
        takeOwnership: true
        labels: {team: web}
        annotations: {example.com/why: because}
        serviceAccounts: default build-*
        prune: on
        allowEmpty: yes
        """
    ).clusters
    assert cluster == ClusterConfig(
        "prod",
        "main",
        "eu-central-1",
        Selection(("team-*",), ("team-x",), "pull in (yes)"),
        "arn:aws-cn:iam::111122223333:role/path/spoke",
        "some-id",
        False,
        "pull",
        ("default", "build-*"),
        True,
        True,
        True,
        {"team": "web"},
        {"example.com/why": "because"},
    )


def test_a_string_of_namespaces_as_the_cronjob_had_it() -> None:
    (cluster,) = build(prod='namespaces: "default prometheus  my-app"').clusters
    assert cluster.selection == Selection(("default", "prometheus", "my-app"))


def test_defaults_merge_shallowly_and_labels_key_by_key() -> None:
    (cluster,) = build(
        defaults="{region: eu-west-1, namespaces: [a], takeOwnership: true, labels: {x: '1', y: '1'}, annotations: {a: b}}",
        prod="{namespaces: [b], takeOwnership: false, labels: {y: '2'}}",
    ).clusters
    assert (cluster.region, cluster.selection.include, cluster.take_ownership) == ("eu-west-1", ("b",), False)
    assert (cluster.labels, cluster.annotations) == ({"x": "1", "y": "2"}, {"a": "b"})


@pytest.mark.parametrize("text", ["cluster: x", "enabled: false", "- a", "namespaces: [Bad_]", "prune: maybe"])
def test_bad_defaults_fail_the_run(text: str) -> None:
    with pytest.raises(ConfigurationError, match="/ecr-public-pusher/defaults"):
        build(defaults=text, prod="namespaces: [a]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "namespaces: required here or in the defaults"),
        ("namespaces: []", "selects nothing"),
        ('namespaces: ""', "selects nothing"),
        ("namespaces: {exclude: [a]}", "selects nothing"),
        ("namespaces: {selector: '=='}", "not a label selector requirement"),
        ("namespaces: [team_*]", "no namespace can match the glob 'team_*'"),
        ("namespaces: {includ: [a]}", "did you mean include?"),
        ("{namespace: [a]}", "namespace: unknown field (did you mean namespaces?)"),
        ("{namespaces: [a], zebra: 1}", "zebra: unknown field (known: region"),
        ("{namespaces: [a], secret_name: x}", "secret_name: unknown field (did you mean secretName?)"),
        ("{namespaces: [a], region: Europe}", "region: String should match pattern"),
        ("{namespaces: [a], roleArn: spoke}", "roleArn: String should match pattern"),
        ("{namespaces: [a], externalId: abc}", "externalId: means nothing without roleArn"),
        ("{namespaces: [a], enabled: perhaps}", "enabled: Input should be a valid boolean"),
        ("{namespaces: [a], takeOwnership: [x]}", "takeOwnership: Input should be a valid boolean"),
        ("{namespaces: [a], secretName: Token}", "secretName: String should match pattern"),
        ("{namespaces: [a], labels: {app.kubernetes.io/managed-by: me}}", "set by ecr-public-pusher itself"),
        ("{namespaces: [a], labels: {x: not a label}}", "the value of 'x' is not a label value"),
        ("{namespaces: [a], labels: [x]}", "labels: Input should be a valid dictionary"),
        ("{namespaces: [a], annotations: {ecr-public-pusher/owner: me}}", "ecr-public-pusher's own"),
        ("{namespaces: [a], prune: 3}", "prune: Input should be a valid boolean"),
        ("{namespaces: [a], serviceAccounts: [Default]}", "'Default' is not a ServiceAccount name"),
        ("{namespaces: [a], serviceAccounts: ['build_*']}", "no ServiceAccount can match the glob 'build_*'"),
        ("{namespaces: [a], cluster: my cluster}", "cluster: String should match pattern"),
    ],
)
def test_a_bad_document_is_reported_by_parameter_field_and_expectation(text: str, said: str) -> None:
    assert complaint(text).startswith("/ecr-public-pusher/clusters/prod: ")
    assert said in complaint(text)


def test_a_bad_document_leaves_the_others_good() -> None:
    configuration = build(a="namespaces: [x]", b="][", c="namespaces: [y]")
    assert [cluster.id for cluster in configuration.clusters] == ["a", "c"]
    assert list(configuration.invalid) == ["b"]


def test_parameters_that_nobody_knows_are_named() -> None:
    stray = [Parameter(f"{ROOT}/cluster/prod", "x"), Parameter(f"{ROOT}/clusters/a/b", "x"), Parameter(f"{ROOT}/clusters/prod", "namespaces: [a]")]
    configuration = config.load(stray, root=ROOT, region="us-east-1")
    assert configuration.unknown == (f"{ROOT}/cluster/prod", f"{ROOT}/clusters/a/b")
    assert len(configuration.clusters) == 1


def test_no_documents_at_all_is_unconfigured() -> None:
    assert build().unconfigured
    assert build(defaults="region: eu-west-1").unconfigured


def test_the_published_schema_is_the_models() -> None:
    published = json.loads((Path(__file__).parents[3] / "docs" / "cluster.schema.json").read_text())
    assert published == schema.json_schema()
