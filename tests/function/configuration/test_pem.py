"""Certificates in PEM: a fault is named, and nothing of the text is repeated."""

import pytest

from ecr_public_pusher.configuration.pem import certificates


def test_a_certificate_that_is_no_base64_is_refused_without_its_text() -> None:
    text = "-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(ValueError, match=r"^a certificate that is not base64$"):
        certificates(text)
