"""The allowed endpoints: those that the stack's owner names, and none that only look like them."""

import ipaddress
import re

import pytest

from ecr_public_pusher.configuration.endpoint_form import ENDPOINT_PATTERN
from ecr_public_pusher.configuration.endpoints import (
    ALLOWED_FORM,
    allowing,
    is_allowed,
    not_allowed,
)
from tests.stack.template import ROOT, source
from tests.support.hosts import ALLOWING, ALLOWING_NOTHING

HOSTS = (
    "k8s.example.com",
    "*.clusters.example.com",
    "edge-?.example.org",
    "10.0.0.1",
    "[2001:db8::1]",
)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://k8s.example.com",
        "https://k8s.example.com:6443",
        "https://a.clusters.example.com",
        "https://edge-1.example.org",
        "https://10.0.0.1:6443",
        "https://[2001:db8::1]:6443",
    ],
)
def test_a_host_that_is_named(endpoint: str) -> None:
    assert is_allowed(endpoint, HOSTS)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://example.com",
        "https://k8s.example.com.evil.example",
        "https://evil-k8s.example.com",
        "https://k8s.example.comm",
        "https://k8sxexample.com",
        "https://clusters.example.com",
        "https://a.b.clusters.example.com",
        "https://edge-10.example.org",
        "https://edge-.example.org",
        "https://10.0.0.10",
        "https://10.0.0.2",
        "https://167772161",
        "https://0xa000001",
        "https://0x0a.0.0.1",
        "https://012.0.0.1",
        "https://10.1",
        "https://10.0.1",
        "https://[::ffff:a00:1]",
        "https://[2001:db8::2]",
        "https://[2001:db8:0::1]",
        "https://localhost",
    ],
)
def test_a_host_that_only_looks_like_it(endpoint: str) -> None:
    assert not is_allowed(endpoint, HOSTS)


# The owner must allow a path, too: below an API server's own paths lies everything that it proxies.
PATHS = (
    "rancher.example.com/k8s/clusters/*",
    "loft.example.com/kubernetes/project/web/virtualcluster/v?",
    "10.0.0.1/k8s",
    "[2001:db8::1]/k8s",
)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://rancher.example.com/k8s/clusters/c-m-x1",
        "https://rancher.example.com:8443/k8s/clusters/local",
        "https://loft.example.com/kubernetes/project/web/virtualcluster/v1",
        "https://10.0.0.1:6443/k8s",
        "https://[2001:db8::1]:6443/k8s",
    ],
)
def test_a_path_that_is_named(endpoint: str) -> None:
    assert is_allowed(endpoint, PATHS)
    assert is_allowed(endpoint, [allowing(endpoint)])
    assert not is_allowed(endpoint, [allowing(endpoint).partition("/")[0]])


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://rancher.example.com",
        "https://rancher.example.com/k8s",
        "https://rancher.example.com/k8s/clusters",
        "https://rancher.example.com/K8s/clusters/local",
        "https://rancher.example.com/k8s/clusters/local/api",
        "https://rancher.example.com/k8s/clusters/local/api/v1/namespaces/mine/services/mine/proxy",
        "https://rancher.example.com/v3/clusters/local",
        "https://other.example.com/k8s/clusters/local",
        "https://loft.example.com/kubernetes/project/other/virtualcluster/v1",
        "https://10.0.0.1",
        "https://10.0.0.2/k8s",
        "https://[2001:db8::1]/k8s/x",
    ],
)
def test_a_path_that_only_looks_like_it(endpoint: str) -> None:
    assert not is_allowed(endpoint, PATHS)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_without_a_path_allows_no_path(host: str) -> None:
    assert not is_allowed("https://k8s.example.com/k8s", [host])
    assert not is_allowed("https://10.0.0.1/k8s", [host])


def test_what_is_reported_of_a_path_repeats_none_of_it() -> None:
    """A kubeconfig's stands in a secret."""
    assert not_allowed("https://k8s.example.com/k8s/x").startswith(
        "nothing is sent to this path of k8s.example.com, which"
    )


def test_without_a_name_nothing_is_allowed() -> None:
    assert not is_allowed("https://k8s.example.com", ())


@pytest.mark.parametrize("host", ["*.*.*.1", "10.*.0.1", "*.0.0.1", "1?.0.0.1"])
def test_a_glob_is_no_address(host: str) -> None:
    assert not is_allowed("https://10.0.0.1", [host])


@pytest.mark.parametrize("pattern", ALLOWING_NOTHING)
@pytest.mark.parametrize(
    "endpoint",
    [
        *(
            "https://k8s.example.com",
            "https://example.com",
            "https://com",
            "https://k8s",
            "https://10.0.0.1",
        ),
        *(
            "https://rancher.example.com",
            "https://rancher.example.com/k8s",
            "https://rancher.example.com/k8s/x",
        ),
    ],
)
def test_an_entry_that_the_template_would_refuse_allows_nothing(
    pattern: str, endpoint: str
) -> None:
    assert not is_allowed(endpoint, [pattern])


@pytest.mark.parametrize("pattern", [" k8s.example.com", "k8s.example.com "])
def test_blanks_around_a_name_are_no_part_of_it(pattern: str) -> None:
    """So does CloudFormation read a list."""
    assert is_allowed("https://k8s.example.com", [pattern])


def test_there_are_entries_of_every_form() -> None:
    assert len(ALLOWING) >= 5


def test_the_form_is_the_templates() -> None:
    assert source()["Parameters"]["AllowedEndpoints"]["AllowedPattern"] == f"^({ALLOWED_FORM})?$"


def test_terraform_says_it_before_anything_is_made() -> None:
    variables = (ROOT / "infra/terraform/variables.tf").read_text()
    assert f'can(regex("^{ALLOWED_FORM.replace("\\", 2 * "\\")}$", entry))' in variables


@pytest.mark.parametrize("before", range(9))
@pytest.mark.parametrize("after", [None, *range(9)])
def test_the_form_takes_every_ipv6_address_in_groups_and_nothing_else(
    before: int, after: int | None
) -> None:
    """`after`: the groups after "::"; None without it."""
    text = ":".join(["2001"] * before)
    if after is not None:
        text += "::" + ":".join(["db8"] * after)
    try:
        valid = bool(ipaddress.IPv6Address(text))
    except ValueError:
        valid = False
    assert bool(re.fullmatch(ENDPOINT_PATTERN, f"https://[{text}]:6443")) is valid
