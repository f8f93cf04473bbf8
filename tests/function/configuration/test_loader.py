"""Documents to settings, and the messages about invalid ones."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecr_public_pusher.configuration import loader as config
from ecr_public_pusher.configuration import schema
from ecr_public_pusher.configuration.account_selector import AccountSelection
from ecr_public_pusher.configuration.cluster_config import (
    ClusterConfig,
    Eks,
    Google,
    Server,
    StoredKubeconfig,
    WebIdentity,
)
from ecr_public_pusher.configuration.json_schema import json_schemas
from ecr_public_pusher.configuration.loader import Configuration, Parameter
from ecr_public_pusher.configuration.namespace_selector import Selection
from ecr_public_pusher.errors import ConfigurationError
from infra.local.kube.certificates import issue

ROOT = "/ecr-public-pusher"


def build(**documents: str) -> Configuration:
    """Build a configuration from documents by name: `defaults`, or a cluster's id."""
    parameters = [
        Parameter(f"{ROOT}/defaults" if name == "defaults" else f"{ROOT}/clusters/{name}", text)
        for name, text in documents.items()
    ]
    return config.load(parameters, root=ROOT, region="us-east-1")


def complaint(text: str) -> str:
    """Return the message about the one document `text`."""
    configuration = build(prod=text)
    assert not configuration.clusters
    return configuration.invalid["prod"].message


def test_the_smallest_document_gets_the_defaults() -> None:
    assert build(prod="namespaces: [default]").clusters == (
        ClusterConfig("prod", "prod", "us-east-1", Selection(("default",))),
    )


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
        AccountSelection(("default", "build-*")),
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
        defaults=(
            "{region: eu-west-1, namespaces: [a], takeOwnership: true, labels: {x: '1', y: '1'},"
            " annotations: {a: b}}"
        ),
        prod="{namespaces: [b], takeOwnership: false, labels: {y: '2'}}",
    ).clusters
    assert (cluster.region, cluster.selection.include, cluster.take_ownership) == (
        "eu-west-1",
        ("b",),
        False,
    )
    assert (cluster.labels, cluster.annotations) == ({"x": "1", "y": "2"}, {"a": "b"})


@pytest.mark.parametrize(
    "text", ["cluster: x", "enabled: false", "- a", "namespaces: [Bad_]", "prune: maybe"]
)
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
        (
            "{namespaces: [a], secret_name: x}",
            "secret_name: unknown field (did you mean secretName?)",
        ),
        (
            "{namespaces: [a], region: Europe}",
            "region: expected an AWS region, like eu-central-1, found 'Europe'",
        ),
        (
            "{namespaces: [a], roleArn: spoke}",
            (
                "roleArn: expected a role's ARN, like arn:aws:iam::444455556666:role/NAME, found"
                " 'spoke'"
            ),
        ),
        ("{namespaces: [a], externalId: abc}", "externalId: belongs to a roleArn"),
        (
            "{namespaces: [a], enabled: perhaps}",
            "enabled: expected true or false (or yes, no, on, off), found 'perhaps'",
        ),
        (
            "{namespaces: [a], takeOwnership: [x]}",
            "takeOwnership: expected true or false (or yes, no, on, off), found a list",
        ),
        ("{namespaces: [a], secretName: Token}", "secretName: expected the name of a Secret"),
        (
            "{namespaces: [a], labels: {app.kubernetes.io/managed-by: me}}",
            "set by ecr-public-pusher itself",
        ),
        ("{namespaces: [a], labels: {x: not a label}}", "the value of 'x' is not a label value"),
        ("{namespaces: [a], labels: [x]}", "labels: expected a mapping of labels, found a list"),
        (
            "{namespaces: [a], annotations: {ecr-public-pusher/owner: me}}",
            "ecr-public-pusher's own",
        ),
        ("{namespaces: [a], prune: 3}", "prune: expected true or false"),
        ("{namespaces: [a], serviceAccounts: [Default]}", "'Default' is not a ServiceAccount name"),
        (
            "{namespaces: [a], serviceAccounts: ['build_*']}",
            "no ServiceAccount can match the glob 'build_*'",
        ),
        ("{namespaces: [a], cluster: my cluster}", "cluster: expected the name of an EKS cluster"),
        (
            "namespaces: [*]",
            (
                "line 1 is not YAML: text that begins with *, &, !, %, @ or ` must be quoted, as"
                " in namespaces: ['*']"
            ),
        ),
        ("namespaces: [*-dev, a]", "must be quoted"),
        ("namespaces: 'default,'", "names in one string are separated by spaces, not commas"),
        (
            "namespaces: {selector: {matchLabels: {team: web}}}",
            (
                "namespaces.selector: expected a label selector as for kubectl's -l, found"
                " matchLabels"
            ),
        ),
        (
            "namespaces: {selector: 'team=web, tier in (a'}",
            "'tier in (a', part 2 of 2, is not a label selector requirement",
        ),
        (
            "namespaces: {selector: 'tier > -1'}",
            "> and < compare with a whole number from 0 to 9223372036854775807",
        ),
        ("namespaces: {include: [], selector: x}", "namespaces.include: selects nothing"),
        (
            "namespaces: {include: [a], exclude: {a: b}}",
            "namespaces.exclude: expected names and globs of namespaces",
        ),
        ("namespaces: [{include: a}]", "expected a name or glob of namespaces, found a mapping"),
        (
            "{namespaces: [a], roleArn: x, externalId: my secret}",
            "externalId: expected 2 to 1224 letters, digits and _+=,.@:/-, found something else",
        ),
        ("{namespaces: [a], labels: {x: [y]}}", "'x': expected a string, found a list"),
        ("namespaces: " + "[" * 1000 + "]" * 1000, "nested more than 10 deep"),
        ("namespaces: [a]\nx:\n  " + "- " * 1000 + "y", "nested more than 10 deep"),
    ],
)
def test_a_bad_document_is_reported_by_parameter_field_and_expectation(
    text: str, said: str
) -> None:
    assert complaint(text).startswith("/ecr-public-pusher/clusters/prod: ")
    assert said in complaint(text)


def test_a_bad_document_leaves_the_others_good() -> None:
    configuration = build(a="namespaces: [x]", b="][", c="namespaces: [y]")
    assert [cluster.id for cluster in configuration.clusters] == ["a", "c"]
    assert list(configuration.invalid) == ["b"]


def test_parameters_that_nobody_knows_are_named() -> None:
    stray = [
        Parameter(f"{ROOT}/cluster/prod", "x"),
        Parameter(f"{ROOT}/clusters/a/b", "x"),
        Parameter(f"{ROOT}/clusters/prod", "namespaces: [a]"),
    ]
    configuration = config.load(stray, root=ROOT, region="us-east-1")
    assert configuration.unknown == (f"{ROOT}/cluster/prod", f"{ROOT}/clusters/a/b")
    assert len(configuration.clusters) == 1


def test_no_documents_at_all_is_unconfigured() -> None:
    assert build().unconfigured
    assert build(defaults="region: eu-west-1").unconfigured


def test_no_complaint_shows_a_regular_expression() -> None:
    for name in (
        "region",
        "roleArn",
        "externalId",
        "secretName",
        "cluster",
        "enabled",
        "serviceAccounts",
        "labels",
        "annotations",
    ):
        assert not re.search(
            r"\^|\?:|\[a-z0-9|\$$", complaint(f"{{namespaces: [a], {name}: [' !']}}")
        )


NULLS = ["null", "~", "Null", "NULL", ""]


@pytest.mark.parametrize("null", NULLS)
def test_a_null_is_a_field_that_is_not_given_at_every_depth(null: str) -> None:
    fields = (
        "cluster",
        "region",
        "roleArn",
        "externalId",
        "enabled",
        "secretName",
        "serviceAccounts",
        "takeOwnership",
        "prune",
        "allowEmpty",
    )
    text = "".join(f"{name}: {null}\n" for name in fields)
    text += f"labels:\n  a: {null}\n  b: c\nannotations: {null}\n"
    text += (
        f"namespaces:\n  include:\n  - team-*\n  - {null}\n  exclude: {null}\n  selector: {null}\n"
    )
    (cluster,) = build(prod=text).clusters
    assert cluster == ClusterConfig(
        "prod", "prod", "us-east-1", Selection(("team-*",)), labels={"b": "c"}
    )


@pytest.mark.parametrize("null", NULLS)
def test_a_null_leaves_the_defaults_as_they_are(null: str) -> None:
    defaults = f"namespaces: [a]\nprune: true\nlabels: {{x: y}}\nregion: {null}\n"
    (cluster,) = build(
        defaults=defaults, prod=f"prune: {null}\nlabels: {null}\nnamespaces: {null}\n"
    ).clusters
    assert (cluster.prune, cluster.labels, cluster.selection.include, cluster.region) == (
        True,
        {"x": "y"},
        ("a",),
        "us-east-1",
    )


def test_a_quoted_null_is_a_word() -> None:
    (cluster,) = build(prod="namespaces: ['null', \"null\"]").clusters
    assert cluster.selection.include == ("null", "null")


def test_nothing_but_nulls_selects_nothing() -> None:
    assert "selects nothing" in complaint("namespaces: {include: null, selector: null}")
    assert "selects nothing" in complaint("namespaces: [null]")
    assert "required here or in the defaults" in complaint("namespaces: null")


def test_the_defaults_external_id_is_for_the_clusters_that_have_a_role() -> None:
    role = "arn:aws:iam::444455556666:role/x"
    configuration = build(
        defaults="{namespaces: [a], externalId: one-for-all}", away=f"roleArn: {role}", home="{}"
    )
    assert [
        (cluster.id, cluster.role_arn, cluster.external_id) for cluster in configuration.clusters
    ] == [
        ("away", role, "one-for-all"),
        ("home", None, None),
    ]


def test_a_defect_that_one_document_brings_to_light_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    validated = schema.validated

    def broken(
        model: type[schema.ClusterDocument], plain: Mapping[str, Any], parameter: str
    ) -> Any:
        if parameter.endswith("/bad"):
            raise RuntimeError("never to be shown")
        return validated(model, plain, parameter)

    monkeypatch.setattr(config, "validated", broken)
    configuration = build(bad="namespaces: [a]", good="namespaces: [a]")
    assert [cluster.id for cluster in configuration.clusters] == ["good"]
    assert "unexpected RuntimeError" in configuration.invalid["bad"].message
    assert "never" not in configuration.invalid["bad"].message
    assert [claim.names for claim in configuration.claimed] == [{"bad"}]


def test_the_published_schemas_are_the_models() -> None:
    for name, made in json_schemas().items():
        assert json.loads((Path(__file__).parents[3] / "docs" / name).read_text()) == made, (
            "make schemas writes them anew"
        )


def test_what_is_wrong_is_reported_one_by_one_with_its_field() -> None:
    error = build(
        prod="namespaces: {include: [Team]}\nregistries: [{account: 1}]\nnamspaces: x"
    ).invalid["prod"]
    assert [problem.path for problem in error.problems] == [
        ("namespaces", "include"),
        ("registries", "0", "account"),
        ("registries", "0", "region"),
        ("registries", "0", "roleArn"),
        ("namspaces",),
    ]
    assert all(problem.message.startswith(".".join(problem.path)) for problem in error.problems)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\na: 2", 2), ("namespaces:\n  - [", 3), ("a: &x 1\nb: *x", 1), ("? [a]\n: b", 1)],
)
def test_what_is_no_document_is_reported_with_its_line(text: str, line: int) -> None:
    assert [problem.line for problem in build(prod=text).invalid["prod"].problems] == [line]


def test_what_is_wrong_with_the_defaults_is_reported_one_by_one() -> None:
    with pytest.raises(ConfigurationError) as raised:
        build(defaults="prune: maybe")
    assert [problem.path for problem in raised.value.problems] == [("prune",)]


# Clusters that are not EKS

AUTHORITY = issue("edge")
WEB = "{type: webIdentity}"
AUTHENTICATOR = "{type: iamAuthenticator, clusterId: edge.example.com}"
STORED = (
    "{type: kubeconfig, secretArn:"
    " 'arn:aws:secretsmanager:us-east-1:111122223333:secret:/ecr-public-pusher/edge-AbCdEf'}"
)


def elsewhere(
    documents: dict[str, str], *, hosts: tuple[str, ...] = ("10.0.0.1", "10.0.0.2")
) -> Any:
    parameters = [Parameter(f"/ecr/{name}", text) for name, text in documents.items()]
    return config.load(
        parameters, root="/ecr", region="us-east-1", account="111122223333", allowed_endpoints=hosts
    )


def only(documents: dict[str, str]) -> ClusterConfig:
    configuration = elsewhere(documents)
    assert not configuration.invalid
    (found,) = configuration.clusters
    assert isinstance(found, ClusterConfig)
    return found


def refused(documents: dict[str, str], document_id: str = "edge") -> str:
    return str(elsewhere(documents).invalid[document_id].message)


PROVIDER = (
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/a-pool"
    "/providers/a-provider"
)


@pytest.mark.parametrize("account", [None, "gke@my-project.iam.gserviceaccount.com"])
def test_a_document_that_signs_in_by_google(account: str | None) -> None:
    sign_in = {"type": "google", "provider": PROVIDER, "serviceAccount": account}
    document = {"namespaces": ["a"], "endpoint": "https://10.0.0.1", "signIn": sign_in}
    found = only({"clusters/edge": json.dumps(document)})
    assert found.sign_in == Google(Server("https://10.0.0.1"), PROVIDER, account)
    assert (found.target, found.place) == (("", "", "https://10.0.0.1"), "https://10.0.0.1")


def test_a_google_document_without_an_endpoint() -> None:
    document = f"{{namespaces: [a], signIn: {{type: google, provider: '{PROVIDER}'}}}}"
    assert "endpoint: required where signIn is google" in refused({"clusters/edge": document})


def test_googles_name_of_a_role() -> None:
    role = "arn:aws:iam::111122223333:role/pusher"
    of_the_pool = Google(Server("https://10.0.0.1"), PROVIDER)
    assert of_the_pool.user(role) == (
        "principal://iam.googleapis.com/projects/123456789012/locations/global"
        f"/workloadIdentityPools/a-pool/subject/{role}"
    )
    account = Google(Server("https://10.0.0.1"), PROVIDER, "gke@p.iam.gserviceaccount.com")
    assert account.user(role) == "gke@p.iam.gserviceaccount.com"
    assert account.member(role) == of_the_pool.member(role)


def test_a_documents_endpoint_and_the_defaults_sign_in() -> None:
    found = only(
        {
            "defaults": f"{{namespaces: [a], signIn: {WEB}}}",
            "clusters/edge": "endpoint: https://10.0.0.1",
        }
    )
    assert found.sign_in == WebIdentity(Server("https://10.0.0.1"))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://10.0.0.1/", "https://10.0.0.1"),
        ("https://10.0.0.1:443/", "https://10.0.0.1"),
        ("https://10.0.0.1:6443/", "https://10.0.0.1:6443"),
        (
            "HTTPS://ABCDEF.gr7.eu-central-1.EKS.amazonaws.com",
            "https://abcdef.gr7.eu-central-1.eks.amazonaws.com",
        ),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
        (
            "https://Rancher.example.com:443/k8s/clusters/c-M-1/",
            "https://rancher.example.com/k8s/clusters/c-M-1",
        ),
    ],
)
def test_an_endpoint_is_one_however_it_is_written(written: str, normal: str) -> None:
    hosts = (
        "10.0.0.1",
        "abcdef.gr7.*.eks.amazonaws.com",
        "[2001:db8::1]",
        "rancher.example.com/k8s/clusters/*",
    )
    document = f"{{namespaces: [a], signIn: {WEB}, endpoint: '{written}'}}"
    (found,) = elsewhere({"clusters/edge": document}, hosts=hosts).clusters
    assert (found.sign_in, found.target) == (WebIdentity(Server(normal)), ("", "", normal))


def test_the_defaults_path_is_not_for_an_authenticator() -> None:
    documents = {
        "defaults": "{namespaces: [a], endpoint: https://10.0.0.1/k8s}",
        "clusters/edge": f"signIn: {AUTHENTICATOR}",
    }
    assert "endpoint: only signIn webIdentity allows one with a path" in refused(documents)


def test_a_documents_sign_in_and_the_defaults_endpoint() -> None:
    found = only(
        {
            "defaults": "{namespaces: [a], endpoint: https://10.0.0.1}",
            "clusters/edge": f"signIn: {WEB}",
        }
    )
    assert found.sign_in == WebIdentity(Server("https://10.0.0.1"))


def test_the_defaults_endpoint_is_not_of_a_cluster_that_takes_none() -> None:
    """An estate may have clusters of every kind."""
    defaults = f"{{namespaces: [a], signIn: {WEB}, endpoint: https://10.0.0.1}}"
    assert only({"defaults": defaults, "clusters/edge": "signIn: {type: eks}"}).sign_in == Eks()
    assert isinstance(
        only({"defaults": defaults, "clusters/edge": f"signIn: {STORED}"}).sign_in, StoredKubeconfig
    )


def test_a_discovery_takes_no_sign_in_of_the_defaults() -> None:
    configuration = elsewhere(
        {
            "defaults": f"{{namespaces: [a], signIn: {WEB}, endpoint: https://10.0.0.1}}",
            "discover/fleet": "{regions: [us-east-1], tags: {a: b}}",
        }
    )
    assert configuration.discoveries[0].settings.sign_in == Eks()


def test_a_document_without_its_endpoint_anywhere() -> None:
    assert "endpoint: required where signIn is webIdentity" in refused(
        {"clusters/edge": f"{{namespaces: [a], signIn: {WEB}}}"}
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("endpoint: https://10.0.0.1", "EKS provides them for its clusters"),
        ("{endpoint: https://10.0.0.1, signIn: {type: eks}}", "EKS provides them for its clusters"),
        (f"{{endpoint: https://10.0.0.1, signIn: {STORED}}}", "the kubeconfig has them"),
        (
            f"{{cluster: main, endpoint: https://10.0.0.1, signIn: {WEB}}}",
            "cluster: the name of an EKS cluster",
        ),
        (
            "signIn: {type: eks, clusterId: x}",
            "clusterId: required with type iamAuthenticator, and not allowed with any other",
        ),
        (
            "signIn: {type: iamAuthenticator, clusterId: a b}",
            "clusterID (letters, digits, '.', '_' and '-', at most 253), found 'a b'",
        ),
        (
            "signIn: webIdentity",
            (
                "signIn: expected a mapping with a type, like {type: webIdentity}, found a single"
                " value"
            ),
        ),
        (
            "signIn: [{type: webIdentity}]",
            "signIn: expected a mapping with a type, like {type: webIdentity}, found a list",
        ),
        ("signIn: {type: webIdentity, secretArn: x}", "expected a secret's complete ARN"),
        ("signIn: {type: google}", "provider: required with type google"),
        (
            "signIn: {type: google, provider: projects/p/locations/global}",
            "expected a workload identity provider's full name with the project's number",
        ),
        (
            f"signIn: {{type: google, provider: '{PROVIDER}', serviceAccount: me@example.com}}",
            "expected a service account's email, like NAME@PROJECT.iam.gserviceaccount.com",
        ),
        (
            "signIn: {type: eks, serviceAccount: gke@p.iam.gserviceaccount.com}",
            "serviceAccount: allowed with type google only",
        ),
        (f"{{endpoint: 'https://me:hunter2@10.0.0.1', signIn: {WEB}}}", "found one with user info"),
        (
            f"{{endpoint: 'http://me:hunter2@10.0.0.1', signIn: {WEB}}}",
            "found one that does not begin with https://",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1?x', signIn: {WEB}}}",
            "found one with a query or a fragment",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s?x', signIn: {WEB}}}",
            "found one with a query or a fragment",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s/%2e%2e/x', signIn: {WEB}}}",
            "found one with a backslash or an escape",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s/../x', signIn: {WEB}}}",
            "found one whose path has other characters",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s.d', signIn: {WEB}}}",
            "found one whose path has other characters",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1//k8s', signIn: {WEB}}}",
            "does not begin with a letter, or has an empty part",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s//x', signIn: {WEB}}}",
            "does not begin with a letter, or has an empty part",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/8', signIn: {WEB}}}",
            "does not begin with a letter, or has an empty part",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s', signIn: {WEB}}}",
            "nothing is sent to this path of 10.0.0.1, which the stack's",
        ),
        (
            f"{{endpoint: 'https://10.0.0.1/k8s', signIn: {AUTHENTICATOR}}}",
            "endpoint: only signIn webIdentity allows one with a path",
        ),
        (f"{{endpoint: 'https://10.0.0.1/k8s', signIn: {STORED}}}", "the kubeconfig has them"),
        (
            f"{{endpoint: 'https://10.0.0.1#me:hunter2@evil', signIn: {WEB}}}",
            "found one with user info",
        ),
        (
            f"{{endpoint: 'https://k8s.example.com.:6443', signIn: {WEB}}}",
            "found one whose host ends with a dot",
        ),
        (
            f"{{endpoint: 'https://10.0.0.3', signIn: {WEB}}}",
            "nothing is sent to 10.0.0.3, which the stack's AllowedEndpoints does not name",
        ),
        (f"{{endpoint: 'https://0xa.0.0.1', signIn: {WEB}}}", "nothing is sent to 0xa.0.0.1"),
        (f"{{endpoint: 'https://167772161', signIn: {WEB}}}", "nothing is sent to 167772161"),
    ],
)
def test_what_a_document_may_not_say(fields: str, said: str) -> None:
    message = refused({"defaults": "namespaces: [a]", "clusters/edge": fields})
    assert said in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (AUTHORITY.key_pem, "found a private key"),
        (AUTHORITY.ca_pem + AUTHORITY.key_pem, "found a private key"),
        (AUTHORITY.certificate_pem, "found a server's or client's certificate"),
        (AUTHORITY.ca_pem + AUTHORITY.certificate_pem, "found a server's or client's certificate"),
        (AUTHORITY.ca_pem.replace("MII", "AAA", 1), "is not a valid certificate"),
        ("secret-text", "found something else"),
    ],
    ids=["key", "with a key", "leaf", "authority and leaf", "broken", "no PEM"],
)
def test_what_is_no_certificate_authority(pem: str, said: str) -> None:
    document = json.dumps(
        {
            "namespaces": ["a"],
            "endpoint": "https://10.0.0.1",
            "certificateAuthority": pem,
            "signIn": {"type": "webIdentity"},
        }
    )
    message = refused({"clusters/edge": document})
    assert said in message
    assert "secret-text" not in message
    assert pem.splitlines()[1 if "\n" in pem else 0] not in message


def test_several_authorities_are_trusted_together() -> None:
    """While one is renewed."""
    both = AUTHORITY.ca_pem + issue("next").ca_pem
    document = json.dumps(
        {
            "namespaces": ["a"],
            "endpoint": "https://10.0.0.1",
            "certificateAuthority": both,
            "signIn": {"type": "webIdentity"},
        }
    )
    assert only({"clusters/edge": document}).server == Server("https://10.0.0.1", both)


def test_an_id_with_a_dot_is_one_of_a_cluster_that_is_not_eks() -> None:
    """EKS names have none, but the document's id is no EKS cluster's name there."""
    assert (
        only(
            {"clusters/edge.1": f"{{namespaces: [a], endpoint: https://10.0.0.1, signIn: {WEB}}}"}
        ).id
        == "edge.1"
    )


def test_two_documents_of_one_endpoint_are_of_one_cluster() -> None:
    document = f"{{namespaces: [a], endpoint: https://10.0.0.1, signIn: {WEB}}}"
    configuration = elsewhere(
        {
            "clusters/one": document,
            "clusters/two": document,
            "clusters/three": document.replace("0.1", "0.2"),
        }
    )
    assert len({config.target for config in configuration.clusters}) == 2


def test_two_documents_of_one_kubeconfig_are_of_one_cluster() -> None:
    document = f"{{namespaces: [a], signIn: {STORED}}}"
    configuration = elsewhere(
        {
            "clusters/one": document,
            "clusters/two": document,
            "clusters/three": document.replace("AbCdEf", "GhIjKl"),
        }
    )
    assert len({config.target for config in configuration.clusters}) == 2
