"""`diff --live`: the selections that a folder would change, asked of the clusters themselves.

The person's own kubeconfig is used, since the function knows only the stored documents.
"""

import base64
import binascii

from ecr_public_pusher.configuration.cluster_config import ClusterConfig
from ecr_public_pusher.results import Namespace

from ..command import Cli
from ..documents.changes import Kind
from ..documents.comparison import Comparison
from ..documents.document import DocumentName
from ..documents.live import LiveChange, live_change
from ..errors import CliError
from ..onboarding.access_entry import Admission, describe
from ..onboarding.cluster_admin import ClusterAdmin
from ..onboarding.kubeconfig import Context, kubeconfig_files, read_kubeconfig
from ..onboarding.rbac_step import FIELD_MANAGER
from ..onboarding.step import Step


def live_changes(cli: Cli, comparison: Comparison, *, show_secure: bool) -> list[LiveChange]:
    """Return the change of each cluster's document whose selection differs.

    Without `show_secure`, SecureStrings are left out.
    """
    secure = {change.name for change in comparison.changes if change.secure and not show_secure}
    renamed = {
        change.name: change.before.name
        for change in comparison.changes
        if change.kind is Kind.RENAMED and change.before
    }
    asked = [
        (name, old, new)
        for name in comparison.both.clusters
        for old in [comparison.both.cluster_before(renamed.get(name, name))]
        for new in [comparison.both.cluster_after(name)]
        if _differ(old, new)
    ]
    return [
        LiveChange(name, problem="a SecureString: --show-secure shows its selection")
        if name in secure
        else _ask(cli, name, old, new)
        for name, old, new in asked
    ]


def _differ(old: ClusterConfig | None, new: ClusterConfig | None) -> bool:
    if old is None or new is None:
        return (new or old) is not None
    return (old.selection, old.enabled, old.target) != (new.selection, new.enabled, new.target)


def _ask(
    cli: Cli, name: DocumentName, old: ClusterConfig | None, new: ClusterConfig | None
) -> LiveChange:
    config = new or old
    assert config is not None
    try:
        with cli.output.progress(f"asking the cluster of {name} for its namespaces"):
            return live_change(name, old, new, _namespaces(cli, config))
    except CliError as error:
        return LiveChange(name, problem=error.message)


def _namespaces(cli: Cli, config: ClusterConfig) -> list[Namespace]:
    """Return the cluster's namespaces. Raise CliError when they cannot be read."""
    files = kubeconfig_files(None)
    context = _context(cli, config, files)
    admin = ClusterAdmin(files, context.name, field_manager=FIELD_MANAGER)
    return admin.namespaces()


def _context(cli: Cli, config: ClusterConfig, files: str) -> Context:
    found = read_kubeconfig(files)
    if found is None:
        raise CliError(f"There is no kubeconfig ({files}).")
    endpoint, authority = _place(cli, config)
    context = found.leading_to(endpoint, authority)
    if context is None:
        raise CliError(f"No context of your kubeconfig leads to {endpoint}.")
    return context


def _place(cli: Cli, config: ClusterConfig) -> tuple[str, bytes]:
    """Return the cluster's endpoint and certificate authority.

    Raise CliError when they are not known.
    """
    if config.server is not None:
        return config.server.endpoint, config.server.ca_pem.encode()
    if config.sign_in.type != "eks":
        raise CliError("Only the function may read its kubeconfig.")
    admission = Admission(config, config.role_arn or cli.session.stack.role_arn)
    eks = cli.session.client("eks", region=config.region)
    seen = describe(eks, admission, lambda: cli.session.account)
    if isinstance(seen, Step):
        raise CliError(seen.message)
    try:
        return seen.endpoint, base64.b64decode(seen.ca_base64)
    except binascii.Error:
        return seen.endpoint, b""
