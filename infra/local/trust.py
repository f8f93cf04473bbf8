"""What makes a local cluster trust the local AWS's issuer: the one thing that both must know of."""

from .aws import LocalAws
from .kube.auth.jwts import TrustedIssuer


def trusted_issuer(aws: LocalAws, *, audience: str, subject: str) -> TrustedIssuer:
    """The issuer of the account of `subject` (a role's ARN), for tokens of that role and audience
    alone.
    """
    account = subject.split(":")[4]
    issuer, site = aws.web_identity_of(account), aws.issuer_site(account)
    return TrustedIssuer(
        issuer.url,
        issuer.keys,
        audience,
        subject,
        account,
        discovery_url=site.discovery_url,
        ca_pem=site.ca_pem,
    )
