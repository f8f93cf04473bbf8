"""The EKS clusters that a discovery finds now, and their access, made side by side.

With a person's credentials, before the document is written: its change event pushes to all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.configuration.loader import Configuration, Discovery

from ..aws_errors import explain
from ..choices import Grant
from ..documents.document import DocumentName
from ..errors import CliError, ExitCode
from .access_entry import AccessEntryStep, Admission, EksCluster, describe
from .document_step import NewCluster
from .rbac_manifests import manifests
from .rbac_step import Choice, RbacStep
from .side_by_side import side_by_side
from .step import Step, StepName, StepOutcome


@dataclass(frozen=True)
class FoundCluster:
    """A cluster that a discovery finds.

    `configs` holds its settings, first those of the discovery. `seen` is the cluster as EKS
    describes it, or the step that tells why EKS could not.
    """

    configs: Sequence[ClusterConfig]
    seen: EksCluster | Step

    @property
    def config(self) -> ClusterConfig:
        return self.configs[0]


@dataclass(frozen=True)
class Prepared:
    """The steps of one cluster, done or planned."""

    id: str
    steps: Sequence[Step]

    @property
    def failed(self) -> bool:
        return any(step.failed for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "steps": [step.as_json() for step in self.steps]}


@dataclass(frozen=True)
class Access:
    """The access to make in each cluster.

    `client` returns an EKS client for a region, `caller` the account of its credentials; `own_role`
    is the function's.
    """

    client: Callable[[str], Any]
    caller: Callable[[], str]
    own_role: str
    admit: bool
    grant: Grant
    removal: bool
    choice: Choice

    def find(self, discovery: Discovery, configuration: Configuration) -> list[FoundCluster]:
        """Return the clusters with the discovery's tags that no document of their own names.

        Raise CliError when they cannot be listed.
        """
        clients = {region: self.client(region) for region in discovery.regions}
        names = [
            (region, name) for region, eks in clients.items() for name in cluster_names(eks, region)
        ]
        taken = {config.target for config in configuration.clusters}

        def look(place: tuple[str, str]) -> FoundCluster | None:
            region, name = place
            config = discovery.cluster(region, name)
            if config.target in taken:
                return None
            seen = describe(clients[region], self._admission(config), self.caller)
            tags = {} if isinstance(seen, Step) else seen.tags
            if not isinstance(seen, Step) and not discovery.holds(tags):
                return None
            others = [
                other.cluster(region, name)
                for other in configuration.discoveries
                if other.id != discovery.id and region in other.regions and other.holds(tags)
            ]
            same = [one for one in others if one.target == config.target]
            return FoundCluster([config, *same], seen)

        return [found for found in side_by_side(look, names) if found is not None]

    def prepare(self, found: Sequence[FoundCluster], *, dry_run: bool) -> list[Prepared]:
        """Make the access of each cluster, or plan it with `dry_run`, in order of id."""
        # All of them before any is changed: a mistake in the options raises here.
        wanted = [(one, manifests(one.configs, self.grant, removal=self.removal)) for one in found]
        clients = {one.config.region: self.client(one.config.region) for one in found}

        def prepare(item: tuple[FoundCluster, list[Any]]) -> Prepared:
            one, objects = item
            access = self._entry(clients[one.config.region], one, dry_run=dry_run)
            rbac = Step(StepName.RBAC, StepOutcome.SKIPPED, "--rbac none")
            if objects:
                cluster = NewCluster(
                    DocumentName.cluster(one.config.cluster), "", None, one.config, one.configs
                )
                step = RbacStep(cluster, objects, self.choice, one.seen)
                rbac = step.plan() if dry_run else step.do()
            return Prepared(one.config.id, [access, rbac])

        return sorted(side_by_side(prepare, wanted), key=lambda one: one.id)

    def _entry(self, eks: Any, found: FoundCluster, *, dry_run: bool) -> Step:
        if isinstance(found.seen, Step):
            return found.seen
        step = AccessEntryStep(eks, self._admission(found.config), found.seen)
        if not self.admit:
            return step.look()
        return step.plan() if dry_run else step.do()

    def _admission(self, config: ClusterConfig) -> Admission:
        return Admission(config, config.role_arn or self.own_role)


def cluster_names(eks: Any, region: str, *, option: str = "--cluster-profile") -> Iterator[str]:
    """Yield the names of a region's EKS clusters. Raise CliError when they cannot be listed.

    `option` is the one that chooses other credentials.
    """
    try:
        for page in eks.get_paginator("list_clusters").paginate():
            yield from page["clusters"]
    except (ClientError, BotoCoreError) as error:
        raise CliError(
            f"The clusters in {region} cannot be listed: {explain(error).message}",
            remedy=f"You need eks:ListClusters. Credentials of another account: {option}.",
            exit_code=ExitCode.AWS,
        ) from None
