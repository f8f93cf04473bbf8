"""The cluster that an invalid document refers to, by the parts of it that can be read."""

from typing import Any

import pytest

from ecr_public_pusher.configuration.claims import Claim
from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.loader import Parameter, load
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.errors import InvalidDocument

ROLE = "arn:aws:iam::444455556666:role/spoke"
REGIONS = ("us-east-1", "eu-west-1")


def claim(text: str, *, defaults: str = "{}") -> Claim:
    """Return what the document `mine` claims."""
    parameters = [Parameter("/r/defaults", defaults), Parameter("/r/clusters/mine", text)]
    configuration = load(
        parameters, root="/r", region="us-east-1", account="111122223333", regions=REGIONS
    )
    assert list(configuration.invalid) == ["mine"]
    (found,) = configuration.claimed
    assert found.document == "mine"
    return found


def found(name: str, *, region: str = "us-east-1", role: str | None = None) -> ClusterConfig:
    """Return a cluster that a discovery finds."""
    return ClusterConfig(
        f"fleet/{region}/{name}",
        name,
        region,
        Selection(("a",)),
        role,
        function_account="111122223333",
    )


@pytest.mark.parametrize(
    ("text", "names", "possible"),
    [
        ("{cluster: one, namespaces: [A]}", {"one"}, set()),
        ("{cluster: one, namspaces: [a]}", {"one"}, {"a"}),
        ("{clutser: one, namespaces: [a]}", {"mine"}, {"one"}),
        ("{Cluster: one, namespaces: [a]}", {"mine"}, {"one"}),
        ("{cluster: [one], namespaces: [a]}", {"one"}, set()),
        (
            "{cluster: 'arn:aws:eks:us-east-1:111122223333:cluster/one'}",
            {"arn", "aws", "eks", "us-east-1", "111122223333", "cluster", "one"},
            set(),
        ),
        ("{cluster: '', namespaces: [a]}", {"mine"}, set()),
        ("{namespaces: []}", {"mine"}, set()),
        ("cluster: one\nnamespaces: [*]", {"mine", "one"}, {"cluster", "one", "namespaces"}),
        (
            "namespaces: [*]\ncluster: 'one'  # this",
            {"mine", "one"},
            {"cluster", "one", "namespaces", "this"},
        ),
        (
            '{"namespaces": ["*"], "cluster": "one"',
            {"mine", "one"},
            {"cluster", "one", "namespaces"},
        ),
        (
            "{cluster: one, namespaces: [a], namespaces: [b]}",
            {"mine", "one"},
            {"cluster", "one", "namespaces", "a", "b"},
        ),
        (
            "cluster: one\ncluster: two\nnamespaces: [a]",
            {"mine", "one", "two"},
            {"cluster", "one", "two", "namespaces", "a"},
        ),
        ("clutser: one\nnamespaces: [*]", {"mine"}, {"clutser", "one", "namespaces"}),
        ("- one", {"mine"}, {"one"}),
        ("{", {"mine"}, set()),
        ("one", {"mine"}, {"one"}),
        ("{cluster: one, signIn: {type: EKS}, namespaces: [a]}", {"one"}, set()),
        ("{signIn: {type: EKS}, namespaces: [a]}", {"mine"}, set()),
        ("{signIn: eks, namespaces: [a]}", {"mine"}, set()),
        ("{endpoint: 'https://10.0.0.1', namespaces: [a]}", {"mine"}, set()),
        ("{signIn: {type: webIdentity}, namespaces: [a]}", set(), set()),
        ("{signIn: {type: webIdentity}, cluster: one, namespaces: [a]}", {"one"}, set()),
        ("{signIn: {type: kubeconfig}, namespaces: [a]}", set(), set()),
        ("{namespaces: {include: [a], cluster: one}}", {"mine"}, {"one"}),
        ("{signIn: {type: eks, cluster: one}, namespaces: [a]}", {"mine"}, {"one"}),
        ("{registries: [{cluster: one}, public], namespaces: [a]}", {"mine"}, {"one"}),
    ],
)
def test_an_invalid_document_claims_the_clusters_that_it_may_name(
    text: str, names: set[str], possible: set[str]
) -> None:
    made = claim(text)
    assert made.possible is not None
    assert (set(made.names), set(made.possible)) == (names, possible)


MISLEADING = [
    "cluster:\u00a0one\nnamespaces: [default]\nlabels:\n  cluster: blue",
    "# cluster: the name in EKS\ncluster: @one\nnamespaces: [default]",
    "cluster:\n  one\nnamespaces: [*]\nlabels: {cluster: blue}",
    "labels: {cluster: blue}\ncluster: &n one\nroleArn: *n\nnamespaces: [a]",
    'clusters: one\nnamespaces: [*]\nannotations: {"team/cluster": blue, cluster: blue}',
    '{"cluster": "\\u006fne", "namespaces": [*]}',
    '{"cluster": "\\x6fne", "namespaces": [*]}',
    '{"cluster": "\\U0000006fne", "namespaces": [*]}',
    'cluster: "on\\\n  e"\nnamespaces: [*]\nlabels: {cluster: blue}',
]


@pytest.mark.parametrize("text", MISLEADING)
def test_another_cluster_in_a_text_that_is_not_yaml_clears_no_word_of_it(text: str) -> None:
    assert claim(text).may_name(found("one"))


@pytest.mark.parametrize("name", ["/r/cluster/one", "/r/clusters/team/one", "/r/clusters/a b"])
@pytest.mark.parametrize(
    "text", ["{cluster: one, namespaces: [a]}", "cluster: one\nnamespaces: [*]"]
)
def test_a_parameter_that_is_no_document_may_mean_what_it_names(name: str, text: str) -> None:
    configuration = load(
        [Parameter(name, text)],
        root="/r",
        region="us-east-1",
        account="111122223333",
        regions=REGIONS,
    )
    (made,) = configuration.claimed
    assert configuration.unknown == (name,)
    assert (made.document, made.intended) == (name, f"/r/clusters/{name.rpartition('/')[2]}")
    assert (made.names_cluster(found("one")), made.may_name(found("one"))) == (False, True)


@pytest.mark.parametrize(
    ("text", "account", "region"),
    [
        ("namespaces: []", "111122223333", "us-east-1"),
        ("{region: eu-west-1, namespaces: []}", "111122223333", "eu-west-1"),
        ("{region: Europe, namespaces: [a]}", "111122223333", None),
        ("{region: [eu-west-1], namespaces: [a]}", "111122223333", None),
        ("{region: eu-wset-1, namespaces: []}", "111122223333", None),
        ("{regoin: eu-west-1, namespaces: [a]}", None, None),
        ("{regoin: eu-west-1, region: us-east-1, namespaces: [a]}", None, "us-east-1"),
        (f"{{roleArn: '{ROLE}', namespaces: []}}", "444455556666", "us-east-1"),
        ("{roleArn: spoke, namespaces: [a]}", None, "us-east-1"),
        ("cluster: one\nregion: eu-west-1\nnamespaces: [*]", None, "eu-west-1"),
        ("cluster: one\nregion: eu-wset-1\nnamespaces: [*]", None, None),
        ("cluster: one\nnamespaces: [*]", None, None),
        ('{"namespaces": [*], "registries": [{\n"region": "eu-west-1"}]}', None, None),
        ("{namespaces: {include: [a], region: eu-west-1}}", None, None),
    ],
)
def test_an_invalid_document_claims_an_account_and_a_region(
    text: str, account: str | None, region: str | None
) -> None:
    made = claim(text)
    assert (made.account, made.region) == (account, region)


def test_what_the_defaults_say_counts_where_the_document_says_nothing() -> None:
    made = claim(
        "labels: x",
        defaults=f"{{region: eu-west-1, roleArn: '{ROLE}', secretName: pull, namespaces: [a]}}",
    )
    assert made == Claim(
        "mine",
        frozenset({"mine"}),
        frozenset(),
        "444455556666",
        "eu-west-1",
        None,
        "pull",
        Selection(("a",)),
    )


@pytest.mark.parametrize(
    ("text", "secret_name", "selection"),
    [
        ("{namespaces: 'a b', prune: perhaps}", "ecr-public-token", Selection(("a", "b"))),
        (
            "{namespaces: {selector: team}, secretName: pull, prune: perhaps}",
            "pull",
            Selection(selector="team"),
        ),
        ("{namespaces: [A], secretName: Pull}", None, None),
        ("{namspaces: [a]}", None, None),
        ("namespaces: [*]", None, None),
    ],
)
def test_an_invalid_document_claims_a_secret_name_and_a_selection(
    text: str, secret_name: str | None, selection: Selection | None
) -> None:
    made = claim(text)
    assert (made.secret_name, made.selection) == (secret_name, selection)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (
            "{endpoint: 'https://10.0.0.1:443', signIn: {type: webIdentity}, namespaces: []}",
            "https://10.0.0.1",
        ),
        (
            "{endpoint: 'https://10.0.0.1', signIn: {type: webIdentity}, namespaces: [a]}",
            "https://10.0.0.1",
        ),
        ("{endpoint: 'http://10.0.0.1', signIn: {type: webIdentity}, namespaces: [a]}", None),
        (
            (
                "{signIn: {type: kubeconfig, secretArn:"
                " 'arn:aws:secretsmanager:us-east-1:111122223333:secret:edge-AbCdEf'},"
                " namespaces: []}"
            ),
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:edge-AbCdEf",
        ),
    ],
    ids=["invalid", "not allowed", "not readable", "kubeconfig"],
)
def test_an_invalid_document_claims_a_server(text: str, server: str | None) -> None:
    assert claim(text).server == server


def test_a_document_that_cannot_be_read_may_mean_any_cluster_and_its_ids_namesake_first() -> None:
    unread = Parameter(
        "/r/clusters/mine",
        "AQICAHhciphertext",
        error=InvalidDocument("not decrypted", remedy="kms:Decrypt"),
    )
    (made,) = load([unread], root="/r", region="us-east-1").claimed
    assert made == Claim("mine", frozenset({"mine"}), None)
    assert (
        made.names_cluster(found("mine", region="eu-west-1")),
        made.names_cluster(found("one")),
        made.may_name(found("one")),
    ) == (
        True,
        False,
        True,
    )


def test_a_valid_document_of_a_region_that_nobody_knows_claims_its_cluster_in_every_region() -> (
    None
):
    document = Parameter("/r/clusters/mine", "{cluster: one, region: eu-wset-1, namespaces: [a]}")
    configuration = load(
        [document], root="/r", region="us-east-1", account="111122223333", regions=REGIONS
    )
    assert [config.id for config in configuration.clusters] == ["mine"]
    assert [
        one.names_cluster(found("one", region="eu-west-1")) for one in configuration.claimed
    ] == [True]


@pytest.mark.parametrize(
    ("cluster", "named"),
    [
        ({"name": "one"}, False),
        ({"name": "one", "region": "eu-west-1"}, False),
        ({"name": "one", "role": ROLE}, False),
        ({"name": "two", "region": "eu-west-1", "role": ROLE}, False),
        ({"name": "one", "region": "eu-west-1", "role": ROLE}, True),
    ],
)
def test_it_names_the_cluster_of_that_name_there_and_no_other(
    cluster: dict[str, Any], named: bool
) -> None:
    made = claim(f"{{cluster: one, region: eu-west-1, roleArn: '{ROLE}', namespaces: []}}")
    assert made.names_cluster(found(**cluster)) is named


def test_a_valid_document_needs_no_claim() -> None:
    configuration = load(
        [Parameter("/r/clusters/mine", "namespaces: [a]")],
        root="/r",
        region="us-east-1",
        regions=REGIONS,
    )
    assert configuration.claimed == ()


def test_a_valid_document_claims_its_cluster_only_in_its_own_region_and_account() -> None:
    claimed = Claim.of(found("one", region="eu-west-1"))
    assert claimed.names_cluster(found("one", region="eu-west-1"))
    assert not claimed.names_cluster(found("one"))
    assert not claimed.names_cluster(found("one", region="eu-west-1", role=ROLE))
    assert not claimed.names_cluster(found("two", region="eu-west-1"))
