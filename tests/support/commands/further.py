"""Programs of which the documents use a command or two: by a table of these, from their sources.

What else they can do is not known here.
"""

from tests.support.commands.options import Option, one_of, take_apart
from tests.support.commands.shell import Command

type Table = dict[tuple[str, ...], dict[str, Option]]

_ONE = Option()
_FLAG = Option(values=0)
# pkg/ctl/create/access_entry.go and pkg/ctl/cmdutils of eksctl, at the end of August 2026.
_EKSCTL: Table = {
    ("create", "accessentry"): dict.fromkeys(
        (
            *(
                "--principal-arn",
                "--type",
                "--kubernetes-groups",
                "--kubernetes-username",
                "--cluster",
                "--region",
                "-r",
                "--profile",
                "-p",
            ),
            *("--config-file", "-f", "--timeout", "--cfn-role-arn"),
        ),
        _ONE,
    ),
}
_AZ_OUTPUT = {"--query": _ONE, "--output": _ONE, "-o": _ONE, "--subscription": _ONE}
_AKS = {"--resource-group": _ONE, "-g": _ONE, "--name": _ONE, "-n": _ONE, **_AZ_OUTPUT}
# The Azure CLI, and src/aks-preview of Azure/azure-cli-extensions, at the end of November 2026.
_AZ: Table = {
    ("aks", "jwtauthenticator", "add"): {**_AKS, "--cluster-name": _ONE, "--config-file": _ONE},
    ("aks", "jwtauthenticator", "update"): {**_AKS, "--cluster-name": _ONE, "--config-file": _ONE},
    ("aks", "jwtauthenticator", "show"): {**_AKS, "--cluster-name": _ONE},
    ("aks", "jwtauthenticator", "list"): {**_AKS, "--cluster-name": _ONE},
    ("aks", "jwtauthenticator", "delete"): {**_AKS, "--cluster-name": _ONE},
    ("aks", "show"): _AKS,
    ("aks", "get-credentials"): {**_AKS, "--context": _ONE, "--file": _ONE, "-f": _ONE},
    ("extension", "add"): {"--name": _ONE, "-n": _ONE, "--upgrade": _FLAG},
    ("feature", "register"): {"--namespace": _ONE, "--name": _ONE, "-n": _ONE},
    ("feature", "show"): {"--namespace": _ONE, "--name": _ONE, "-n": _ONE, **_AZ_OUTPUT},
    ("provider", "register"): {"--namespace": _ONE, "-n": _ONE, "--wait": _FLAG},
}
# https://helm.sh/docs/helm/helm_upgrade/
_HELM: Table = {
    ("upgrade",): {
        "--install": _FLAG,
        "--kube-context": _ONE,
        "--namespace": _ONE,
        "--set": _ONE,
        "--values": _ONE,
        "--take-ownership": _FLAG,
    },
}
# https://developer.hashicorp.com/terraform/cli/commands
_TERRAFORM: Table = {
    ("init",): {"-upgrade": _FLAG, "-input": _ONE, "-backend": _ONE},
    ("plan",): {"-out": _ONE, "-input": _ONE, "-destroy": _FLAG},
    ("apply",): {"-auto-approve": _FLAG, "-input": _ONE},
    ("destroy",): {"-auto-approve": _FLAG},
    ("import",): {"-input": _ONE},
    ("output",): {"-raw": _FLAG, "-json": _FLAG},
    ("providers", "mirror"): {"-platform": _ONE},
    ("validate",): {"-json": _FLAG},
    ("fmt",): {"-check": _FLAG, "-recursive": _FLAG},
}
# https://cloud.google.com/sdk/gcloud/reference, at the end of November 2026.
_GCLOUD_WIDE = {"--project": _ONE, "--format": _ONE, "--quiet": _FLAG}
_PROVIDER = {
    **_GCLOUD_WIDE,
    "--location": Option(check=one_of(("global",))),
    "--workload-identity-pool": _ONE,
    "--issuer-uri": _ONE,
    "--allowed-audiences": _ONE,
    "--attribute-mapping": _ONE,
    "--attribute-condition": _ONE,
    "--display-name": _ONE,
}
_BINDING = {**_GCLOUD_WIDE, "--member": _ONE, "--role": _ONE, "--condition": _ONE}
_GCLOUD: Table = {
    ("services", "enable"): _GCLOUD_WIDE,
    ("projects", "describe"): _GCLOUD_WIDE,
    ("projects", "add-iam-policy-binding"): _BINDING,
    ("iam", "service-accounts", "create"): {**_GCLOUD_WIDE, "--display-name": _ONE},
    ("iam", "service-accounts", "add-iam-policy-binding"): _BINDING,
    ("iam", "workload-identity-pools", "delete"): {
        **_GCLOUD_WIDE,
        "--location": Option(check=one_of(("global",))),
    },
    ("iam", "workload-identity-pools", "create"): {
        **_GCLOUD_WIDE,
        "--location": Option(check=one_of(("global",))),
        "--display-name": _ONE,
    },
    ("iam", "workload-identity-pools", "providers", "create-oidc"): _PROVIDER,
    ("iam", "workload-identity-pools", "providers", "update-oidc"): _PROVIDER,
    ("iam", "workload-identity-pools", "providers", "describe"): {
        **_GCLOUD_WIDE,
        "--location": Option(check=one_of(("global",))),
        "--workload-identity-pool": _ONE,
    },
    ("container", "clusters", "describe"): {
        **_GCLOUD_WIDE,
        **dict.fromkeys(("--location", "--region", "--zone"), _ONE),
    },
    ("container", "clusters", "get-credentials"): {
        **_GCLOUD_WIDE,
        **dict.fromkeys(("--location", "--region", "--zone"), _ONE),
        "--dns-endpoint": _FLAG,
        "--internal-ip": _FLAG,
    },
}


def judge_az(command: Command) -> list[str]:
    return _judged(command, _AZ)


def judge_eksctl(command: Command) -> list[str]:
    return _judged(command, _EKSCTL)


def judge_helm(command: Command) -> list[str]:
    return _judged(command, _HELM)


def judge_terraform(command: Command) -> list[str]:
    return _judged(command, _TERRAFORM)


def judge_gcloud(command: Command) -> list[str]:
    found = _judged(command, _GCLOUD)
    named = any(word.text.partition("=")[0] == "--project" for word in command.words)
    # `projects` names its project itself.
    return found if named or command.words[0].text == "projects" else [*found, "names no project"]


def _judged(command: Command, table: Table) -> list[str]:
    words = [word.text for word in command.words]
    path = next((path for path in table if tuple(words[: len(path)]) == path), None)
    if path is None:
        return [f"{command.program} {' '.join(words[:2])} is not a command known here"]
    return list(take_apart(command.words[len(path) :], table[path]).problems)
