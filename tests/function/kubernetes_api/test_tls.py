"""TLS to a cluster: what is verified, and what is not."""

import ssl

import pytest

from ecr_public_pusher.kubernetes_api.tls import verifying_context
from infra.local.kube.certificates import issue


@pytest.fixture
def context() -> ssl.SSLContext:
    return verifying_context(issue("cluster").ca_pem)


def test_only_the_strict_check_of_key_identifiers_is_left_out(context: ssl.SSLContext) -> None:
    """Many an EKS cluster's authority lacks them; all else that Python checks is checked."""
    usual = ssl.create_default_context().verify_flags
    assert usual & ssl.VERIFY_X509_STRICT
    assert context.verify_flags == usual & ~ssl.VERIFY_X509_STRICT
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_nothing_older_than_tls_1_2_is_accepted(context: ssl.SSLContext) -> None:
    """OpenSSL's own configuration may allow more on the machine that it runs on."""
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
