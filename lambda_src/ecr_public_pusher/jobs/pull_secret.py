"""Build a Secret that one document asks for, with the tokens of this run.

In a dry run it holds a placeholder.
"""

from datetime import datetime, timedelta

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.jobs.secret_manifest import SecretManifest
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.registries.registry import PLACEHOLDER, PUBLIC_HOSTS, docker_config
from ecr_public_pusher.registries.token_provider import TokenProvider

# An ECR token's usual life, for the annotation of a dry run.
TOKEN_LIFE = timedelta(hours=12)


async def pull_secret(
    config: ClusterConfig, tokens: TokenProvider, *, stack: Stack, now: datetime, dry_run: bool
) -> SecretManifest:
    """Return the manifest of the pull Secret, or of a repository's, if `config` is of one.

    Raise TokenError, RoleError, DeadlineReached if a token cannot be had.

    A dry run requests private tokens too, to find out whether they can be had (ECR Public's was
    requested before), but sends none.
    """
    if dry_run:
        private = await tokens.private_of(config)
        hosts = [
            *(PUBLIC_HOSTS if config.public_registry else ()),
            *(host for one in private for host in one.hosts),
        ]
        authorizations = dict.fromkeys(hosts, PLACEHOLDER)
        expires_at = now + TOKEN_LIFE
    else:
        had = await tokens.of(config)
        authorizations = {host: one.token.authorization for one in had for host in one.hosts}
        expires_at = min(one.token.expires_at for one in had)
    owner = stack.owner(config.id)
    if config.repository is not None:
        (authorization,) = set(authorizations.values())  # of its one registry
        return SecretManifest.of_repository(
            config,
            config.repository,
            authorization,
            owner=owner,
            expires_at=expires_at,
            pushed_at=now,
        )
    return SecretManifest.of(
        config, docker_config(authorizations), owner=owner, expires_at=expires_at, pushed_at=now
    )
