"""The check of roles in documents against those that the stack's owner allows. Pure.

IAM refuses the same, but later and in fewer words. A document's author must not be able to have
tokens sent to a cluster in an account of their own, nor have a role that signs in to clusters stand
in for a registry's, whose token lies in every selected namespace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecr_public_pusher.configuration.cluster_config import ClusterConfig, StoredKubeconfig
from ecr_public_pusher.errors import DocumentProblem, InvalidDocument
from ecr_public_pusher.role_use import PULL, SIGN_IN, RoleUse

ACCOUNTS = "AllowedAccounts"
ANY_ACCOUNT = ("*",)
SHOWN = 5  # refusals of one document
LONGEST = 200  # characters of a name in them
_TEMPLATES = {SIGN_IN: "infra/spoke-role.yaml", PULL: "infra/pull-role.yaml"}


type _Refusal = tuple[DocumentProblem, str]  # what is wrong, and what to do about it


@dataclass(frozen=True)
class AllowedRoles:
    """The template parameters about roles.

    `account`: the function's.
    `accounts`: as in AllowedAccounts; empty means the function's own, and `*` any.
    `sign_in`, `pull`: the names, with their paths, of the only roles for either use; empty where
    they are not known, and then no name is refused.
    """

    account: str
    accounts: Sequence[str] = ()
    sign_in: str = ""
    pull: str = ""

    def refused(self, config: ClusterConfig) -> InvalidDocument | None:
        """Return the error for a document that names a forbidden role or account, else None."""
        refusals = list(self._refusals(config))
        if not refusals:
            return None
        problems = tuple(problem for problem, _ in refusals)
        said = "; ".join(problem.message for problem in problems[:SHOWN])
        remedies = list(dict.fromkeys(remedy for _, remedy in refusals))[:SHOWN]
        return InvalidDocument(f"{config.id}: {said}", remedy=" ".join(remedies), problems=problems)

    def allows(self, account: str) -> bool:
        """Return whether roles of an account may be assumed."""
        return tuple(self.accounts) == ANY_ACCOUNT or account in (self.accounts or (self.account,))

    def _refusals(self, config: ClusterConfig) -> Iterator[_Refusal]:
        if config.role_arn:
            yield from self._of_role(config.role_arn, SIGN_IN, ("roleArn",))
            # Without a role, IAM lets the function read only the secrets of its own account.
            if isinstance(config.sign_in, StoredKubeconfig):
                yield from self._of_account(config.sign_in.secret_arn, ("signIn", "secretArn"))
        for registry in config.private_registries:
            yield from self._of_role(registry.role_arn, PULL, ("registries",))

    def _of_role(self, arn: str, use: RoleUse, path: tuple[str, ...]) -> Iterator[_Refusal]:
        yield from self._of_account(arn, path)
        names = {SIGN_IN: self.sign_in, PULL: self.pull}
        name = arn.partition(":role/")[2]
        if not names[use] or name == names[use]:
            return
        said = f"is not {names[use]}, the stack's {use.parameter}"
        if name == names[PULL]:
            said = f"is for registries ({PULL.parameter}), not for signing in to clusters"
        elif name == names[SIGN_IN]:
            said = f"is for signing in to clusters ({SIGN_IN.parameter}), not for registries"
        problem = DocumentProblem(f"{'.'.join(path)}: the role {name[:LONGEST]} {said}", path)
        remedy = (
            f"Name a role called {names[use]} ({use.parameter}): {_TEMPLATES[use]} creates one."
        )
        yield problem, remedy

    def _of_account(self, arn: str, path: tuple[str, ...]) -> Iterator[_Refusal]:
        account = arn.split(":")[4]
        if self.allows(account):
            return
        said = f"the stack's {ACCOUNTS} does not name the account {account}"
        problem = DocumentProblem(f"{'.'.join(path)}: {said} of {arn[:LONGEST]}", path)
        yield problem, self._remedy(account)

    def _remedy(self, account: str) -> str:
        if self.accounts:
            owner = f"add {account} to the template parameter {ACCOUNTS}"
        else:
            both = ",".join(filter(None, (self.account, account)))
            owner = f"set the template parameter {ACCOUNTS} (empty: only its own account) to {both}"
        return f"Ask the stack's owner to {owner}."
