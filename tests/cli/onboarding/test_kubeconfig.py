"""The context of a kubeconfig that leads to a given cluster."""

import base64
import json
from pathlib import Path

import pytest

from infra.cli.errors import CliError
from infra.cli.onboarding.kubeconfig import Context, Kubeconfig, kubeconfig_files, read_kubeconfig
from infra.local.kube.certificates import issue

EKS = "https://ABC.gr7.us-east-1.eks.amazonaws.com"
CA = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


def write(file: Path, *contexts: tuple[str, str, dict[str, str]], current: str = "") -> Path:
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "users": [{"name": "u", "user": {"token": "t"}}],
        "clusters": [
            {"name": name, "cluster": {"server": server, **more}} for name, server, more in contexts
        ],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "u"}} for name, _, _ in contexts
        ],
    }
    file.write_text(json.dumps(whole))
    return file


def read(file: Path) -> Kubeconfig:
    found = read_kubeconfig(str(file))
    assert found is not None
    return found


def test_a_context_has_its_server_and_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(CA)
    data = {"certificate-authority-data": base64.b64encode(CA).decode()}
    file = write(
        tmp_path / "config",
        ("a", EKS, data),
        ("b", EKS, {"certificate-authority": "ca.pem"}),
        current="b",
    )
    assert read(file) == Kubeconfig([Context("a", EKS, CA), Context("b", EKS, CA)], "b")


@pytest.mark.parametrize(
    ("context", "leads"),
    [
        (Context("c", EKS.lower() + ":443/"), True),
        (Context("c", "https://localhost:8443", CA), True),
        (Context("c", "https://localhost:8443"), False),
        (Context("c", EKS + ":8443"), False),
        (Context("c", "https://other.example.com", b"another"), False),
    ],
)
def test_it_is_the_cluster_by_address_or_by_authority(context: Context, leads: bool) -> None:
    assert context.leads_to(EKS, CA) is leads


RANCHER = "https://rancher.example.com/k8s/clusters/"


@pytest.mark.parametrize(
    ("server", "leads"),
    [
        (f"{RANCHER}c-1", True),
        ("https://Rancher.example.com:443/k8s/clusters/c-1/", True),
        (f"{RANCHER}c-2", False),
        ("https://rancher.example.com", False),
        ("https://localhost:8443", False),
    ],
)
def test_clusters_behind_one_host_are_distinguished_by_their_paths(
    server: str, leads: bool
) -> None:
    """They have one authority, that of the gateway before them."""
    assert Context("c", server, CA).leads_to(f"{RANCHER}c-1", CA) is leads


def test_an_authority_is_one_however_it_is_written() -> None:
    ca = issue("edge").ca_pem
    written = f"# the authority\n{ca}".replace("\n", "\r\n").encode()
    assert Context("c", "https://localhost:8443", written).leads_to(EKS, ca.encode())


def test_the_current_context_comes_first_among_those_that_lead_there() -> None:
    contexts = [Context("a", EKS), Context("b", EKS), Context("c", "https://other")]
    for current, chosen in (("b", "b"), ("c", "a")):
        found = Kubeconfig(contexts, current).leading_to(EKS, b"")
        assert found is not None
        assert found.name == chosen


@pytest.mark.parametrize(
    "authority",
    [{"certificate-authority": "missing.pem"}, {"certificate-authority-data": "x"}],
)
def test_an_authority_that_cannot_be_read_leaves_the_address(
    tmp_path: Path, authority: dict[str, str]
) -> None:
    assert read(write(tmp_path / "config", ("a", EKS, authority))).contexts == [Context("a", EKS)]


def test_a_context_without_its_cluster_leads_nowhere(tmp_path: Path) -> None:
    file = write(tmp_path / "config", ("a", EKS, {}))
    whole = json.loads(file.read_text())
    whole["contexts"][0]["context"]["cluster"] = "gone"
    file.write_text(json.dumps(whole))
    found = read(file)
    assert found.contexts == [Context("a", "")]
    assert found.leading_to(EKS, CA) is None


@pytest.mark.parametrize("server", ["https://[::1", "https://host:port"])
def test_a_context_with_an_invalid_address_leads_to_no_other(server: str) -> None:
    assert not Context("a", server).leads_to(EKS, CA)
    assert not Context("a", server).leads_to("https://[", CA)


def test_an_unknown_context_is_reported_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no context x") as raised:
        read(write(tmp_path / "config", ("a", EKS, {}))).find("x")
    assert "Contexts: a." in raised.value.remedy


def test_several_files_are_merged_into_one_kubeconfig(tmp_path: Path) -> None:
    one = write(tmp_path / "1", ("a", EKS, {}), current="a")
    other = write(tmp_path / "2", ("b", EKS, {}))
    found = read_kubeconfig(f"{one}:{tmp_path / 'none'}:{other}")
    assert found is not None
    assert [context.name for context in found.contexts] == ["a", "b"]


def test_no_file_is_no_kubeconfig(tmp_path: Path) -> None:
    assert read_kubeconfig(str(tmp_path / "none")) is None


@pytest.mark.parametrize("text", ["", "[]", "x", "a: [", "clusters: 1\ncontexts: [{}]", "[" * 5000])
def test_nonsense_is_reported_without_its_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(CliError, match="cannot be read"):
        read_kubeconfig(str(tmp_path / "config"))


def test_the_option_takes_precedence_over_the_environment() -> None:
    assert kubeconfig_files(Path("/a"), {"KUBECONFIG": "/b"}) == "/a"
    assert kubeconfig_files(None, {"KUBECONFIG": "/b:/c"}) == "/b:/c"
