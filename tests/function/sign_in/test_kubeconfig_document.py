"""The parts of a kubeconfig that may be used.

Everything else is refused by name, before anything is loaded, and nothing of it is repeated.
"""

import base64
import json
from typing import Any

import pytest
import yaml

from ecr_public_pusher.errors import KubeconfigError
from ecr_public_pusher.sign_in.kubeconfig_document import MAX_BYTES, read_kubeconfig
from infra.local.kube.auth.x509 import ClientAuthority
from infra.local.kube.certificates import Certificate, issue

SERVER = "https://10.0.0.1:6443"
AUTHORITY: Certificate = issue("edge")
CERTIFICATE, KEY = ClientAuthority("edge").issue("pusher", ("ecr-public-pushers",))
SECRET = "a-secret-that-must-not-show"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(
    user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "edge",
        "contexts": [
            {"name": "edge", "context": {"cluster": "c", "user": "u", "namespace": "default"}}
        ],
        "clusters": [
            {
                "name": "c",
                "cluster": (
                    {
                        "server": SERVER,
                        "certificate-authority-data": base64_of(AUTHORITY.ca_pem),
                    }
                    | (cluster or {})
                ),
            }
        ],
        "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
    } | more


def refusal(content: dict[str, Any] | str) -> str:
    with pytest.raises(KubeconfigError) as caught:
        read_kubeconfig(
            content if isinstance(content, str) else yaml.safe_dump(content), where="it"
        )
    said = f"{caught.value.message} {caught.value.remedy}"
    assert SECRET not in said
    assert caught.value.__cause__ is None
    return caught.value.message


def test_a_token() -> None:
    found = read_kubeconfig(yaml.safe_dump(config()), where="it")
    assert (found.server, found.ca_pem, found.token, found.certificate_pem) == (
        SERVER,
        AUTHORITY.ca_pem,
        SECRET,
        None,
    )


def test_a_client_certificate() -> None:
    user = {"client-certificate-data": base64_of(CERTIFICATE), "client-key-data": base64_of(KEY)}
    found = read_kubeconfig(json.dumps(config(user)), where="it")
    assert (found.certificate_pem, found.key_pem, found.token) == (CERTIFICATE, KEY, None)


@pytest.mark.parametrize(
    ("written", "server"),
    [
        (f"{SERVER}/", SERVER),
        (
            "https://ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
            "https://abcdef.gr7.eu-central-1.eks.amazonaws.com",
        ),
        ("HTTPS://Edge.example.com:443/", "https://edge.example.com"),
        (
            "https://rancher.example.com/k8s/clusters/c-M-x1/",
            "https://rancher.example.com/k8s/clusters/c-M-x1",
        ),
    ],
)
def test_a_server_is_one_however_kubectl_is_given_it(written: str, server: str) -> None:
    assert (
        read_kubeconfig(yaml.safe_dump(config(cluster={"server": written})), where="it").server
        == server
    )


def test_text_around_certificates_and_keys_is_no_part_of_them() -> None:
    """`openssl ca` and `openssl x509 -text` write such text."""
    around = "Certificate:\n    Issuer: CN=Bücher\n"
    user = {
        "client-certificate-data": base64_of(around + CERTIFICATE),
        "client-key-data": base64_of(f"# edge's\n{KEY}"),
    }
    found = read_kubeconfig(
        yaml.safe_dump(
            config(user, {"certificate-authority-data": base64_of(around + AUTHORITY.ca_pem)})
        ),
        where="it",
    )
    assert (found.ca_pem, found.certificate_pem) == (AUTHORITY.ca_pem, CERTIFICATE)


def test_only_the_current_context_counts() -> None:
    """A whole ~/.kube/config may hold what is not meant here."""
    other = config({"exec": {"command": "aws"}}, {"insecure-skip-tls-verify": True})
    whole = config()
    whole["users"].append({"name": "x", "user": other["users"][0]["user"]})
    whole["clusters"].append({"name": "x", "cluster": other["clusters"][0]["cluster"]})
    whole["contexts"].append({"name": "x", "context": {"cluster": "x", "user": "x"}})
    assert read_kubeconfig(yaml.safe_dump(whole), where="it").token == SECRET


@pytest.mark.parametrize(
    "harmless",
    [
        {"cluster": {"insecure-skip-tls-verify": False}},
        {
            "cluster": {
                "extensions": [
                    {"name": "minikube.sigs.k8s.io", "extension": {"provider": "minikube"}}
                ]
            }
        },
        {"cluster": {"proxy-url": "", "tls-server-name": ""}},
        {"user": {"token": SECRET, "tokenFile": "", "exec": None, "username": "", "as-groups": []}},
        {"preferences": {}},
        {"preferences": None},
    ],
)
def test_what_kubectl_writes_and_means_nothing(harmless: dict[str, Any]) -> None:
    assert read_kubeconfig(yaml.safe_dump(config(**harmless)), where="it").token == SECRET


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws"}},
            "exec runs a command",
        ),
        ({"token": SECRET, "exec": {"command": "aws"}}, "exec runs a command"),
        (
            {"auth-provider": {"name": "gcp", "config": {"access-token": SECRET}}},
            "auth-provider asks another service",
        ),
        ({"tokenFile": "/var/run/secrets/token"}, "tokenFile names a file"),
        ({"token": SECRET, "tokenFile": "/proc/self/environ"}, "tokenFile names a file"),
        (
            {"client-certificate": "/tmp/x", "client-key-data": base64_of(KEY)},
            "client-certificate names a file",
        ),
        (
            {"client-certificate-data": base64_of(CERTIFICATE), "client-key": "/tmp/x"},
            "client-key names a file",
        ),
        ({"username": "admin", "password": SECRET}, "username is basic authentication"),
        ({"token": SECRET, "password": SECRET}, "password is basic authentication"),
        ({"token": SECRET, "as": "system:admin"}, "as impersonates"),
        ({"token": SECRET, "as-groups": ["system:masters"]}, "as-groups impersonates"),
        ({"token": SECRET, "as-uid": "1"}, "as-uid impersonates"),
        ({"token": SECRET, "as-user-extra": {"a": ["b"]}}, "as-user-extra impersonates"),
        ({}, "neither a token nor a client certificate"),
        ({"token": None}, "neither a token nor a client certificate"),
        ({"token": f"{SECRET}\r\nX-Injected: 1"}, "token is not one word"),
        ({"token": f"{SECRET} {SECRET}"}, "token is not one word"),
        ({"token": f"{SECRET}ä"}, "token is not one word"),
        ({"token": [SECRET]}, "token is not one word"),
        ({"client-certificate-data": base64_of(CERTIFICATE)}, "belong together"),
        ({"client-key-data": base64_of(KEY)}, "belong together"),
        (
            {"client-certificate-data": "%%%", "client-key-data": base64_of(KEY)},
            "client-certificate-data is not PEM in base64",
        ),
        (
            {"client-certificate-data": base64_of(SECRET), "client-key-data": base64_of(KEY)},
            "client-certificate-data: expected a certificate",
        ),
        (
            {
                "client-certificate-data": base64_of(CERTIFICATE),
                "client-key-data": base64_of(SECRET),
            },
            "client-key-data is not a private key",
        ),
        (
            {
                "client-certificate-data": base64_of(CERTIFICATE + KEY),
                "client-key-data": base64_of(KEY),
            },
            (
                "client-certificate-data: expected a certificate in PEM, found a block of another"
                " kind, PRIVATE KEY"
            ),
        ),
        (
            {
                "client-certificate-data": base64_of(CERTIFICATE),
                "client-key-data": base64_of(KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")),
            },
            "client-key-data is not a private key without a passphrase",
        ),
    ],
)
def test_what_a_user_may_not_have(user: dict[str, Any], said: str) -> None:
    assert said in refusal(config(user))


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (
            {"insecure-skip-tls-verify": True},
            "insecure-skip-tls-verify would send tokens to any server that responds",
        ),
        (
            {"insecure-skip-tls-verify": "yes"},
            "insecure-skip-tls-verify would send tokens to any server that responds",
        ),
        (
            {"proxy-url": f"http://user:{SECRET}@proxy:3128"},
            "proxy-url would send tokens through a proxy",
        ),
        ({"tls-server-name": "kubernetes.default"}, "tls-server-name names another host"),
        (
            {"certificate-authority": "/etc/kubernetes/pki/ca.crt"},
            "certificate-authority names a file",
        ),
        ({"certificate-authority-data": "&&&"}, "certificate-authority-data is not PEM in base64"),
        (
            {"certificate-authority-data": base64_of(SECRET)},
            "certificate-authority-data: expected a certificate authority",
        ),
        (
            {"certificate-authority-data": AUTHORITY.ca_pem},
            "is not PEM in base64: it is PEM itself (`base64 -w 0 < FILE`",
        ),
        (
            {"certificate-authority-data": base64_of(base64_of(AUTHORITY.ca_pem))},
            "found base64 of PEM, as kubeconfigs and EKS hold it",
        ),
        (
            {"certificate-authority-data": base64_of(base64_of(AUTHORITY.key_pem))},
            "found a private key",
        ),
        (
            {"certificate-authority-data": AUTHORITY.ca_pem.split("-----")[2]},
            "certificate-authority-data is not PEM in base64",
        ),
        (
            {"certificate-authority-data": base64_of(AUTHORITY.ca_pem + AUTHORITY.key_pem)},
            "found a private key",
        ),
        (
            {"certificate-authority-data": base64_of(AUTHORITY.certificate_pem)},
            "found a server's or client's certificate",
        ),
        ({"server": None}, "the cluster of its current-context has no server"),
        ({"server": ""}, "the cluster of its current-context has no server"),
        ({"server": "http://10.0.0.1:6443"}, "found one that does not begin with https://"),
        ({"server": f"https://admin:{SECRET}@10.0.0.1"}, "found one with user info"),
        (
            {"server": f"https://10.0.0.1/k8s/{SECRET}/.."},
            "found one whose path has other characters",
        ),
        ({"server": f"https://10.0.0.1/k8s?{SECRET}"}, "found one with a query"),
        (
            {"server": "https://10.0.0.1:6443//"},
            "found one whose path does not begin with a letter",
        ),
        ({"server": "https://k8s.example.com."}, "found one whose host ends with a dot"),
        ({"server": "https://k8s.example.com:65536"}, "found one of another form"),
        ({"server": ["https://10.0.0.1"]}, "server: expected the API server's address"),
    ],
)
def test_what_a_cluster_may_not_have(cluster: dict[str, Any], said: str) -> None:
    assert said in refusal(config(cluster=cluster))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"current-context": None}, "has no current-context"),
        ({"current-context": ""}, "has no current-context"),
        (
            {"current-context": "another"},
            "the context of its current-context is not in its contexts",
        ),
        ({"current-context": ["edge"]}, "the context of its current-context"),
        ({"contexts": None}, "the context of its current-context"),
        ({"contexts": {"edge": {}}}, "the context of its current-context"),
        ({"contexts": [{"name": "edge"}]}, "the context of its current-context"),
        (
            {"contexts": [{"name": "edge", "context": {"user": "u"}}]},
            "the cluster of its current-context",
        ),
        ({"clusters": []}, "the cluster of its current-context is not in its clusters"),
        (
            {
                "clusters": (
                    [{"name": "c", "cluster": {"server": SERVER}}] * 1
                    + [{"name": "c", "cluster": {"server": "https://x"}}]
                )
            },
            "or not exactly once",
        ),
        ({"users": None}, "the user of its current-context is not in its users"),
        ({"users": ["u"]}, "the user of its current-context"),
    ],
)
def test_a_context_that_leads_nowhere(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(config(**changes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        SECRET,
        f"[{SECRET}]",
        f"{SECRET}: 1\n{SECRET}: 2",
        f"a: [{SECRET}",
        f"--- {{a: {SECRET}}}\n--- {{}}",
        f"a: &x {SECRET}\nb: *x",
        f"a: !!python/object/apply:os.system ['{SECRET}']\nb: [",
        f"a: \x01{SECRET}",
        "&a [*a]",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"b{n}: &b{n} [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" for n in range(9)),
        "[" * 100_0 + "]" * 100_0,
        "{a: " * 50_0 + "}" * 50_0,
    ],
)
def test_what_is_no_kubeconfig(text: str) -> None:
    assert "is not one YAML mapping" in refusal(text)


def test_a_line_is_named_where_it_is_known() -> None:
    assert "(line 2)" in refusal(f"a: b\n{SECRET}: [")[:200] or "(line 3)" in refusal(
        f"a: b\n{SECRET}: ["
    )


def test_a_kubeconfig_that_is_too_large_is_refused() -> None:
    assert (
        refusal("a: " + "x" * 5_000_000)
        == f"it cannot be used: it is 5000003 bytes long, of at most {MAX_BYTES}"
    )


def test_a_tag_is_no_command() -> None:
    """Scalars are strings, whatever their tag."""
    text = yaml.safe_dump(config()).replace(SECRET, f"!!python/name:os.system {SECRET}")
    assert read_kubeconfig(text, where="it").token == SECRET


def test_a_kubeconfig_is_as_long_as_a_secret_may_be_and_no_longer() -> None:
    text = yaml.safe_dump(config({"token": SECRET}))
    full = text + "#" * (MAX_BYTES - len(text))
    assert read_kubeconfig(full, where="it").token == SECRET
    assert "65537 bytes long, of at most 65536" in refusal(f"{full}#")
