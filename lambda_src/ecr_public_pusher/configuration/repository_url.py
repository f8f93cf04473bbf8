"""The URL of a chart repository in ECR, as Argo CD reads it, and the registry it is in. Pure.

Argo CD takes a Helm repository in an OCI registry without a scheme, and an OCI repository with
`oci://` (its util/helm/client.go, `IsHelmOciRepo`, and docs/user-guide/oci.md).
"""

import re
from typing import NamedTuple

OCI = "oci://"
_PUBLIC = r"public\.ecr\.aws|ecr-public\.aws\.com"
# The domains of registries by their usual name and by their dual-stack one. Source: the hosts that
# amazon-ecr-credential-helper matches. No other host may get a token.
_USUAL = (
    r"amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk"
    r"|csp\.hci\.ic\.gov"
)
_DUAL_STACK = (
    r"on\.aws|on\.amazonwebservices\.com\.cn|on\.amazonwebservices\.eu|on\.aws\.ic\.gov"
    r"|on\.aws\.scloud|on\.cloud-aws\.adc-e\.uk|on\.aws\.hci\.ic\.gov"
)
_REGION = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}"
_PRIVATE = (
    rf"[0-9]{{12}}\.(?:dkr\.ecr(?:-fips)?\.{_REGION}\.(?:{_USUAL})"
    rf"|dkr-ecr(?:-fips)?\.{_REGION}\.(?:{_DUAL_STACK}))"
)
# One pattern for Python and for a JSON Schema (ECMA-262).
REPOSITORY_URL_PATTERN = rf"(?:{OCI})?(?:{_PUBLIC}|{_PRIVATE})(?:/[a-z0-9._/-]{{0,512}})?"


class Location(NamedTuple):
    """The account and region of a private registry."""

    account: str
    region: str

    def __str__(self) -> str:
        """Return it as a message shows it."""
        return f"{self.account} in {self.region}"


def location_of(url: str) -> Location | None:
    """Return the place of the private registry that a valid URL is in; None for ECR Public."""
    account, kind, *rest = url.removeprefix(OCI).split(".")
    if not re.fullmatch("[0-9]{12}", account):
        return None
    return Location(account, rest[0] if kind.startswith("dkr-") else rest[1])
