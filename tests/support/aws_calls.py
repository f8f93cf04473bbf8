"""The actions, resources and condition keys that a call of the function needs in IAM.

The source is AWS's Service Authorization Reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
A call that is not known here raises, so that a new one cannot go unjudged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.local.aws.wire import AwsCall
from tests.support.iam import Request

# "You can't set permissions for SendMessageBatch, DeleteMessageBatch, or
# ChangeMessageVisibilityBatch explicitly":
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
_QUEUE_ACTIONS = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
# For an encrypted queue its producer makes data keys and checks them, its consumer opens them:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
_QUEUE_KEY_ACTIONS = {
    "SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "ReceiveMessage": ("kms:Decrypt",),
}
# Parameters that need sts:SetSourceIdentity, sts:TagSession or sts:SetContext as well:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
_MORE_THAN_ASSUMING = ("SourceIdentity", "Tags", "ProvidedContexts")


def asked_of_iam(
    call: AwsCall,
    *,
    account: str,
    partition: str = "aws",
    config_key: str | None = None,
    queue_key: str | None = None,
) -> list[Request]:
    """Return the requests to judge, none for a call that needs no permission.

    `account`: the caller's. Keys: ARNs of the customer keys in use.
    """
    if call.account not in (None, account):
        raise ValueError(f"a call of {call.account}, not of {account}")
    asked = _SERVICES.get(call.service)
    if asked is None:
        raise _unknown(call)
    return asked(_Asking(call, account, partition, config_key, queue_key))


@dataclass(frozen=True)
class _Asking:
    """A call, and where it was made."""

    call: AwsCall
    account: str
    partition: str
    config_key: str | None
    queue_key: str | None

    def arn(self, resource: str) -> str:
        return (
            f"arn:{self.partition}:{self.call.service}:{self.call.region}:{self.account}:{resource}"
        )

    def via(self) -> dict[str, str]:
        """Return the context key of a service that uses a key on the caller's behalf.

        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
        """
        if self.partition != "aws":
            raise ValueError(f"nobody said how services are named to KMS in {self.partition}")
        return {"kms:ViaService": f"{self.call.service}.{self.call.region}.amazonaws.com"}


def _ssm(asking: _Asking) -> list[Request]:
    """Return the request of a call to SSM.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    """
    parameters = asking.call.parameters
    decrypts = parameters.get("WithDecryption") == "True" and asking.config_key is not None
    match asking.call.action:
        case "GetParametersByPath":
            if decrypts:
                raise ValueError(
                    "which parameters a path holds, and so which are decrypted, cannot be read from"
                    " the call"
                )
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policy-conditions.html#recursive-condition
            recursive = {"ssm:Recursive": parameters.get("Recursive", "False").lower()}
            return [
                Request(
                    "ssm:GetParametersByPath",
                    asking.arn(f"parameter{parameters['Path']}"),
                    recursive,
                )
            ]
        case "GetParameter" | "GetParameters" as action:
            arns = [
                _parameter(asking, name)
                for name in parameters["Name" if action == "GetParameter" else "Names"].split(",")
            ]
            return [Request(f"ssm:{action}", arn) for arn in arns] + [
                _decryption(asking, arn) for arn in arns if decrypts
            ]
    raise _unknown(asking.call)


def _parameter(asking: _Asking, name: str) -> str:
    """Return the ARN of a parameter.

    A name may go without its first slash, and be followed by a version or label; an ARN is of
    somebody else's.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    """
    if name.startswith("arn:"):
        raise ValueError(f"nobody said what the shared parameter {name} asks of IAM")
    return asking.arn(f"parameter/{name.split(':')[0].removeprefix('/')}")


def _decryption(asking: _Asking, parameter: str) -> Request:
    """Return the request to decrypt a SecureString under a customer key.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    return Request(
        "kms:Decrypt",
        asking.config_key or "",
        asking.via() | {"kms:EncryptionContext:PARAMETER_ARN": parameter},
    )


def _ecr_public(asking: _Asking) -> list[Request]:
    """Return the requests of a call to ECR Public.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistrypublic.html

    ECR Public gets a bearer token on the caller's behalf:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_bearer.html What it says there
    of sts:AWSServiceName and sts:DurationSeconds is in no call, and so is no key here: a policy
    that allows by them is not met.
    """
    if asking.call.action != "GetAuthorizationToken":
        raise _unknown(asking.call)
    return [Request("ecr-public:GetAuthorizationToken"), Request("sts:GetServiceBearerToken")]


def _ecr(asking: _Asking) -> list[Request]:
    """Return the request of a call to ECR.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    """
    if asking.call.action != "GetAuthorizationToken":
        raise _unknown(asking.call)
    return [Request("ecr:GetAuthorizationToken")]


def _eks(asking: _Asking) -> list[Request]:
    """Return the request of a call to EKS.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
    """
    if asking.call.action == "ListClusters":
        return [Request("eks:ListClusters")]
    if asking.call.action != "DescribeCluster":
        raise _unknown(asking.call)
    return [Request("eks:DescribeCluster", asking.arn(f"cluster/{asking.call.parameters['name']}"))]


def _sts(asking: _Asking) -> list[Request]:
    """Return the requests of a call to STS.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    """
    parameters = asking.call.parameters
    if asking.call.action == "GetCallerIdentity":
        # "No permissions are required":
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        return []
    if asking.call.action == "GetWebIdentityToken" and "Tags" not in parameters:
        context: dict[str, Any] = {
            f"sts:{name}": parameters[name] for name in ("SigningAlgorithm", "DurationSeconds")
        }
        return [
            Request(
                "sts:GetWebIdentityToken",
                context=context | {"sts:IdentityTokenAudience": parameters["Audience"].split(",")},
            )
        ]
    if asking.call.action != "AssumeRole" or set(parameters) & set(_MORE_THAN_ASSUMING):
        raise _unknown(asking.call)
    context = {
        f"sts:{name}": parameters[name]
        for name in ("RoleSessionName", "ExternalId")
        if name in parameters
    }
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
    return [
        Request(
            "sts:AssumeRole",
            parameters["RoleArn"],
            context | {"aws:ResourceAccount": parameters["RoleArn"].split(":")[4]},
        )
    ]


def _secretsmanager(asking: _Asking) -> list[Request]:
    """Return the requests of a call to Secrets Manager.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html

    A secret under a customer key:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    if asking.call.action != "GetSecretValue":
        raise _unknown(asking.call)
    secret = asking.call.parameters["SecretId"]
    key = asking.config_key
    opened = (
        [Request("kms:Decrypt", key, asking.via() | {"kms:EncryptionContext:SecretARN": secret})]
        if key
        else []
    )
    return [Request("secretsmanager:GetSecretValue", secret), *opened]


def _sqs(asking: _Asking) -> list[Request]:
    """Return the request of a call to SQS.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    action = asking.call.action.removesuffix("Batch")
    if action not in _QUEUE_ACTIONS:
        raise _unknown(asking.call)
    _, owner, name = urlsplit(asking.call.parameters["QueueUrl"]).path.split("/")
    queue = Request(
        f"sqs:{action}", f"arn:{asking.partition}:sqs:{asking.call.region}:{owner}:{name}"
    )
    key = asking.queue_key
    return [queue] + [
        Request(used, key, asking.via()) for used in _QUEUE_KEY_ACTIONS.get(action, ()) if key
    ]


def _unknown(call: AwsCall) -> ValueError:
    return ValueError(
        f"nobody said what {call.service}:{call.action} with {sorted(call.parameters)} asks of IAM"
    )


_SERVICES: dict[str, Callable[[_Asking], list[Request]]] = {
    "ssm": _ssm,
    "ecr-public": _ecr_public,
    "ecr": _ecr,
    "eks": _eks,
    "sts": _sts,
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
}
