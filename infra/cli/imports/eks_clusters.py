"""EKS clusters as a person's profiles see them: listed, or described for a context."""

import base64
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..aws_errors import explain
from ..errors import CliError
from ..onboarding.found_clusters import cluster_names
from ..onboarding.side_by_side import side_by_side
from ..session import Session
from .contexts import EksName, ImportedContext

type Target = tuple[str, str, str]


@dataclass(frozen=True)
class FoundEks:
    """An EKS cluster as EKS describes it to `profile`, None for the command's own credentials."""

    name: str
    region: str
    account: str
    partition: str
    endpoint: str
    ca: bytes = field(repr=False)
    tags: Mapping[str, str]
    profile: str | None

    @property
    def target(self) -> Target:
        return self.account, self.region, self.name


@dataclass(frozen=True)
class Unseen:
    """A part of the import that could not be read: what, why, and what to do about it.

    `certain`: EKS has answered, and it is certainly not there.
    """

    what: str
    message: str
    remedy: str = ""
    certain: bool = False

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "message": self.message, "remedy": self.remedy}


class Profiles:
    """The person's AWS access, by profile; None is that of the command itself."""

    def __init__(self, own: Session) -> None:
        self._sessions: dict[str | None, Session] = {None: own}
        self._lock = threading.Lock()

    def session(self, profile: str | None) -> Session:
        """Return a profile's session. Raise CliError when there is no such profile."""
        with self._lock:
            if profile not in self._sessions:
                self._sessions[profile] = Session(profile=profile)
            return self._sessions[profile]

    def eks(self, profile: str | None, region: str) -> Any:
        """Return an EKS client; making one is not safe in several threads."""
        session = self.session(profile)
        with self._lock:
            return session.client("eks", region=region)

    def listed(
        self, profiles: Sequence[str | None], regions: Sequence[str]
    ) -> tuple[list[FoundEks], list[Unseen]]:
        """Return the clusters of all profiles and regions, each once, and what cannot be seen.

        Without `regions`, each profile's own region counts.
        """
        names: list[tuple[str | None, str, str]] = []
        unseen: list[Unseen] = []
        for profile in profiles:
            what = f"profile {profile}" if profile else "your own credentials"
            try:
                for region in regions or (self.session(profile).region,):
                    eks = self.eks(profile, region)
                    found = cluster_names(eks, region, option="--from-profile")
                    names += [(profile, region, name) for name in found]
            except CliError as error:
                unseen.append(Unseen(what, error.message, error.remedy))

        def look(place: tuple[str | None, str, str]) -> FoundEks | Unseen:
            try:
                return self._described(*place)
            except (ClientError, BotoCoreError) as error:
                profile, region, name = place
                said = explain(error, profile=profile)
                return Unseen(f"{name} in {region}", said.message, said.remedy)

        seen: dict[Target, FoundEks] = {}
        for one in side_by_side(look, names):
            if isinstance(one, Unseen):
                unseen.append(one)
            else:
                seen.setdefault(one.target, one)
        return list(seen.values()), unseen

    def of_context(self, context: ImportedContext) -> FoundEks | Unseen:
        """Return the EKS cluster that the context leads to; or why EKS shows none."""
        named = context.eks or EksName()
        why = Unseen(context.name, "the context does not tell the name of its EKS cluster")
        for profile in dict.fromkeys((named.profile or None, None)) if named.name else ():
            try:
                region = named.region or self.session(profile).region
                found = self._described(profile, region, named.name)
            except CliError as error:
                why = Unseen(context.name, error.message, error.remedy)
            except (ClientError, BotoCoreError) as error:
                explained = explain(error, profile=profile)
                why = Unseen(context.name, explained.message, explained.remedy)
            else:
                if _leads_to(context, found):
                    return found
                said = f"EKS has {found.name} in {region} at {found.endpoint}, not at its server"
                remedy = f"Is the context of an older cluster? {self._update(found)}"
                why = Unseen(context.name, said, remedy, certain=True)
        return why

    def _update(self, found: FoundEks) -> str:
        """Return the command that writes the cluster's context."""
        own = self.session(None).follow_up
        follow_up = replace(own, profile=found.profile or own.profile)
        words = ("eks", "update-kubeconfig", "--name", found.name)
        return f"To get a new one: {follow_up.aws(*words, region=found.region)}"

    def _described(self, profile: str | None, region: str, name: str) -> FoundEks:
        found = self.eks(profile, region).describe_cluster(name=name)["cluster"]
        _, partition, _, _, account, _ = found["arn"].split(":", 5)
        ca = base64.b64decode(found.get("certificateAuthority", {}).get("data", ""))
        tags = found.get("tags", {})
        endpoint = found.get("endpoint", "")
        return FoundEks(name, region, account, partition, endpoint, ca, tags, profile)


def _leads_to(context: ImportedContext, found: FoundEks) -> bool:
    return bool(found.endpoint) and context.place.leads_to(found.endpoint, found.ca)
