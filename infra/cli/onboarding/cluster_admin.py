"""A person's own access to a cluster: RBAC applied and deleted, namespaces listed."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecr_public_pusher.ownership import ANNOTATION_PREFIX
from ecr_public_pusher.results import Namespace

from ..errors import CliError, ExitCode
from ..follow_up import kubectl
from ..json_text import read_json
from .kubeconfig import UNREADABLE, merge, write_data_files
from .rbac_manifests import Manifest, described, dropped_names, role_names, with_names
from .step import Step, StepName, StepOutcome

APPLY = "application/apply-patch+yaml"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
TIMEOUTS = (10, 30)  # connect, read: seconds
MESSAGE_LENGTH = 300
PAGE = 500  # namespaces in an answer
# The calls that list each kind, bindings first: what they bind is deleted after them.
_LISTS = {
    "ClusterRoleBinding": "cluster_role_binding",
    "RoleBinding": "role_binding_for_all_namespaces",
    "ClusterRole": "cluster_role",
    "Role": "role_for_all_namespaces",
}
# Parts of the field managers of tools that restore what is deleted behind their back.
_TOOLS = ("argocd", "helm", "hashicorp", "terraform", "kustomize-controller", "pulumi")
_VOLATILE = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid")


@dataclass(frozen=True)
class Applied:
    """The outcome of one object, or the planned one."""

    object: str
    outcome: StepOutcome
    said: str = ""


class ClusterAdmin:
    """A person's access to one cluster, by a context of their kubeconfig.

    `kubeconfig` is the file that was given, which kubectl needs too; None when none was.
    """

    def __init__(
        self, files: str, context: str, *, field_manager: str, kubeconfig: Path | None = None
    ) -> None:
        from kubernetes import client, config
        from urllib3 import Retry

        settings = client.Configuration()
        # By default a redirect is followed, which would apply the objects elsewhere.
        settings.retries = Retry(total=0, redirect=False)
        self._manager = field_manager
        self.whoami = kubectl("auth", "whoami", context=context, kubeconfig=kubeconfig)
        words = ("get", "--raw", "/readyz")
        self._ready = kubectl(*words, context=context, kubeconfig=kubeconfig)
        try:
            merged = merge(files)
            write_data_files(merged, context)
            self._api = config.new_client_from_config_dict(
                config_dict=merged,
                context=context,
                client_configuration=settings,
                persist_config=False,
            )
        except (config.ConfigException, *UNREADABLE) as error:
            said = (
                str(error)[:MESSAGE_LENGTH]
                if isinstance(error, config.ConfigException)
                else type(error).__name__
            )
            raise CliError(
                f"The context {context} cannot be used: {said}",
                remedy=f"Try: {self.whoami}",
            ) from None
        _relax(self._api)
        self._rbac = client.RbacAuthorizationV1Api(self._api)

    def apply(self, one: Manifest, *, dry_run: bool, force: bool) -> Applied:
        """Apply an object, or plan that with `dry_run`.

        A repository's Secret that the documents no longer name keeps the rights to look at it and
        to delete it while it is there: without them, nobody would notice it. Raise CliError when
        the cluster does not answer.
        """
        from kubernetes.client.exceptions import ApiException

        try:
            before = self._read(one)
            dropped = dropped_names(before, one) if before else ()
            kept = [name for name in dropped if self._may_be_ours(one, name)]
            one = with_names(one, kept)
            after = self._patch(one, dry_run=dry_run, force=force)
        except ApiException as error:
            return Applied(described(one), StepOutcome.FAILED, _said(error))
        except Exception as error:  # noqa: BLE001 - urllib3's and ssl's many
            raise _no_answer(error, self._ready) from None
        if before is None:
            return Applied(described(one), StepOutcome.CREATED)
        unchanged = _content(before) == _content(after)
        return Applied(
            described(one),
            StepOutcome.UNCHANGED if unchanged else StepOutcome.UPDATED,
            f"keeps {', '.join(kept)}, which the documents no longer name: still there"
            if kept
            else "",
        )

    def namespaces(self) -> list[Namespace]:
        """Return the cluster's namespaces with their labels.

        Raise CliError when the cluster refuses, or does not answer.
        """
        from kubernetes import client
        from kubernetes.client.exceptions import ApiException

        core = client.CoreV1Api(self._api)
        found: list[Namespace] = []
        token = ""
        while True:
            try:
                page = core.list_namespace(
                    limit=PAGE, _continue=token or None, _request_timeout=TIMEOUTS
                )
            except ApiException as error:
                raise CliError(f"Namespaces cannot be listed: {_said(error)}") from None
            except Exception as error:  # noqa: BLE001 - urllib3's and ssl's many
                raise _no_answer(error, self._ready) from None
            found += [Namespace(one.metadata.name, one.metadata.labels or {}) for one in page.items]
            token = page.metadata._continue or ""  # noqa: SLF001 - the field's name in the client
            if not token:
                return found

    def find(self, label: str) -> list[Manifest]:
        """Return the bindings and roles with this label, bindings first.

        Bindings of infra/rbac's roles have it or not: `check` printed some without. Raise CliError
        when the cluster refuses, or does not answer.
        """
        from kubernetes.client.exceptions import ApiException

        found: list[Manifest] = []
        for kind, many in _LISTS.items():
            try:
                binds = kind.endswith("Binding")
                listed = getattr(self._rbac, f"list_{many}")(
                    **({} if binds else {"label_selector": label}), _request_timeout=TIMEOUTS
                )
            except ApiException as error:
                raise CliError(f"{kind}s cannot be listed: {_said(error)}") from None
            except Exception as error:  # noqa: BLE001 - urllib3's and ssl's many
                raise _no_answer(error, self._ready) from None
            # Objects in lists have no kind of their own.
            made = (self._api.sanitize_for_serialization(one) for one in listed.items)
            found += [{**one, "kind": kind} for one in made if not binds or _is_ours(one, label)]
        return found

    def delete(self, one: Manifest) -> Applied:
        """Delete an object; one that is gone already is deleted, too.

        Raise CliError when the cluster does not answer.
        """
        from kubernetes.client.exceptions import ApiException

        try:
            self._call("delete", one, {})
        except ApiException as error:
            if error.status != 404:
                return Applied(described(one), StepOutcome.FAILED, _said(error))
        except Exception as error:  # noqa: BLE001 - urllib3's and ssl's many
            raise _no_answer(error, self._ready) from None
        return Applied(described(one), StepOutcome.DELETED)

    def _may_be_ours(self, role: Manifest, name: str) -> bool:
        """Return whether the function may have left a Secret of that name in the role's namespace.

        Its metadata alone is asked for. Who may not see it cannot know.
        """
        from kubernetes.client.exceptions import ApiException

        try:
            found = self._api.call_api(
                f"/api/v1/namespaces/{role['metadata']['namespace']}/secrets/{name}",
                "GET",
                header_params={"Accept": METADATA},
                auth_settings=["BearerToken"],
                response_types_map={200: "object"},
                _return_http_data_only=True,
                _request_timeout=TIMEOUTS,
            )
        except ApiException as error:
            if error.status == 404:
                return False
            if error.status == 403:
                return True
            raise
        return f"{ANNOTATION_PREFIX}owner" in (found["metadata"].get("annotations") or {})

    def _read(self, one: Manifest) -> dict[str, Any] | None:
        from kubernetes.client.exceptions import ApiException

        try:
            return self._call("read", one, {})
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def _patch(self, one: Manifest, *, dry_run: bool, force: bool) -> dict[str, Any]:
        options: dict[str, Any] = {
            "body": one,
            "field_manager": self._manager,
            "_content_type": APPLY,
        }
        return self._call(
            "patch",
            one,
            options | ({"force": True} if force else {}) | ({"dry_run": "All"} if dry_run else {}),
        )

    def _call(self, verb: str, one: Manifest, options: dict[str, Any]) -> dict[str, Any]:
        kind = {
            "ClusterRole": "cluster_role",
            "ClusterRoleBinding": "cluster_role_binding",
            "Role": "namespaced_role",
            "RoleBinding": "namespaced_role_binding",
        }[one["kind"]]
        metadata = one["metadata"]
        place = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
        answer = getattr(self._rbac, f"{verb}_{kind}")(
            name=metadata["name"], **place, **options, _request_timeout=TIMEOUTS
        )
        return dict(self._api.sanitize_for_serialization(answer))


def apply_all(
    admin: ClusterAdmin,
    objects: Sequence[Manifest],
    where: str,
    *,
    dry_run: bool,
    force: bool = False,
) -> Step:
    """Apply all objects as one step. One that is refused does not stop the others."""
    done = [admin.apply(one, dry_run=dry_run, force=force) for one in objects]
    details = _details(done)
    outcomes = {one.outcome for one in done}
    if StepOutcome.FAILED in outcomes:
        return Step(
            StepName.RBAC,
            StepOutcome.FAILED,
            f"{where}: some objects could not be applied",
            "",
            details,
        )
    if outcomes <= {StepOutcome.UNCHANGED}:
        return Step(
            StepName.RBAC, StepOutcome.UNCHANGED, f"{where}: {len(done)} objects", "", details
        )
    return Step(
        StepName.RBAC,
        StepOutcome.CREATED if outcomes == {StepOutcome.CREATED} else StepOutcome.UPDATED,
        f"{where}: {len(done)} objects",
        "",
        details,
    )


def delete_all(admin: ClusterAdmin, label: str, where: str, *, dry_run: bool) -> Step:
    """Delete the function's RBAC, found by its label, as one step; with `dry_run`, only find it."""
    done = [_deleted(admin, one, dry_run=dry_run) for one in admin.find(label)]
    details = _details(done)
    count = sum(one.outcome is StepOutcome.DELETED for one in done)
    if any(one.outcome is StepOutcome.FAILED for one in done):
        said = f"{where}: some objects could not be deleted"
        return Step(StepName.RBAC, StepOutcome.FAILED, said, "", details)
    if count < len(done):
        said = f"{where}: {len(done) - count} objects belong to another tool; remove them there"
        return Step(StepName.RBAC, StepOutcome.FAILED, said, "", details)
    outcome = StepOutcome.DELETED if done else StepOutcome.UNCHANGED
    return Step(StepName.RBAC, outcome, f"{where}: {count} objects", "", details)


def _is_ours(binding: Manifest, label: str) -> bool:
    name, _, value = label.partition("=")
    labels = binding["metadata"].get("labels") or {}
    return labels.get(name) == value or binding["roleRef"]["name"] in role_names()


def _deleted(admin: ClusterAdmin, one: Manifest, *, dry_run: bool) -> Applied:
    """Delete an object, unless a tool manages it that would make it again."""
    if tool := _tool(one):
        return Applied(described(one), StepOutcome.SKIPPED, f"managed by {tool}")
    return Applied(described(one), StepOutcome.DELETED) if dry_run else admin.delete(one)


def _tool(one: Manifest) -> str | None:
    managers = [str(field.get("manager")) for field in one["metadata"].get("managedFields") or ()]
    return next((name for name in managers if any(tool in name.lower() for tool in _TOOLS)), None)


def _details(done: Sequence[Applied]) -> tuple[str, ...]:
    return tuple(
        f"{one.object}: {one.outcome.value}{f' ({one.said})' if one.said else ''}" for one in done
    )


def _relax(api: Any) -> None:
    """Accept certificate authorities without the extensions that Python 3.13 demands.

    Many clusters' authorities lack them. Chain and host name are still verified.
    """
    configuration = api.configuration
    if not configuration.verify_ssl:
        return
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    api.rest_client.pool_manager.connection_pool_kw["ssl_context"] = context


def _content(one: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        name: value for name, value in one.get("metadata", {}).items() if name not in _VOLATILE
    }
    return {**one, "metadata": metadata}


def _said(error: Any) -> str:
    """Return the API server's message of a refusal; it holds no credential, headers may."""
    status = _status(error.body)
    causes = (status.get("details") or {}).get("causes") or ()
    if managers := sorted(
        {_manager(cause) for cause in causes if cause.get("reason") == "FieldManagerConflict"}
    ):
        return f"held by {', '.join(managers)}: --force-conflicts takes it over"
    return f"{error.status} {status.get('message') or error.reason}"[:MESSAGE_LENGTH]


def _status(body: Any) -> dict[str, Any]:
    """Return a Kubernetes Status; empty when a proxy answered in the server's place."""
    try:
        status = read_json(body)
    except (ValueError, TypeError):
        return {}
    return status if isinstance(status, dict) and status.get("kind") == "Status" else {}


def _manager(cause: dict[str, Any]) -> str:
    """Return NAME of `conflict with "NAME" using rbac.authorization.k8s.io/v1`."""
    parts = str(cause.get("message", "")).split('"')
    return parts[1] if len(parts) > 1 else "another manager"


def _no_answer(error: Exception, ready: str) -> CliError:
    reason = getattr(error, "reason", error)
    return CliError(
        f"The cluster does not respond ({type(reason).__name__}).",
        remedy=f"Does kubectl reach it? {ready}",
        exit_code=ExitCode.AWS,
    )
