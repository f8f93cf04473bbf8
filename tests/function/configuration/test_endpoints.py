"""Where anything may be sent: what the stack's owner says outright, and nothing that only looks like it."""

import pytest

from ecr_public_pusher.configuration.endpoints import ALLOWED_FORM, is_allowed
from tests.stack.template import source
from tests.support.hosts import ALLOWING, ALLOWING_NOTHING

HOSTS = ("k8s.example.com", "*.clusters.example.com", "edge-?.example.org", "10.0.0.1", "[2001:db8::1]")


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


def test_without_a_name_nothing_is_allowed() -> None:
    assert not is_allowed("https://k8s.example.com", ())


@pytest.mark.parametrize("host", ["*.*.*.1", "10.*.0.1", "*.0.0.1", "1?.0.0.1"])
def test_a_glob_is_no_address(host: str) -> None:
    assert not is_allowed("https://10.0.0.1", [host])


@pytest.mark.parametrize("pattern", ALLOWING_NOTHING)
@pytest.mark.parametrize("endpoint", ["https://k8s.example.com", "https://example.com", "https://com", "https://k8s", "https://10.0.0.1"])
def test_an_entry_that_the_template_would_refuse_allows_nothing(pattern: str, endpoint: str) -> None:
    assert not is_allowed(endpoint, [pattern])


@pytest.mark.parametrize("pattern", [" k8s.example.com", "k8s.example.com "])
def test_blanks_around_a_name_are_no_part_of_it(pattern: str) -> None:
    """So does CloudFormation read a list."""
    assert is_allowed("https://k8s.example.com", [pattern])


def test_there_are_entries_of_every_form() -> None:
    assert len(ALLOWING) >= 5


def test_the_form_is_the_templates() -> None:
    assert source()["Parameters"]["AllowedEndpoints"]["AllowedPattern"] == f"^{ALLOWED_FORM}?$"
