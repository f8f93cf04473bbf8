"""What a call that the function made asks of IAM: actions, resources and condition keys, by AWS's Service Authorization Reference.

A call that is not known here raises, so that a new one cannot go unjudged.
"""

from urllib.parse import urlsplit

from infra.local.aws.wire import AwsCall
from tests.support.iam import Request


def asked_of_iam(call: AwsCall, *, account: str, config_key: str | None = None, queue_key: str | None = None) -> list[Request]:
    """The requests to judge, none for a call that needs no permission. Keys: ARNs of the customer keys in use."""
    told, region = call.parameters, call.region
    match call.service, call.action:
        case "ssm", "GetParametersByPath":
            return [Request("ssm:GetParametersByPath", f"arn:aws:ssm:{region}:{account}:parameter{told['Path']}")]
        case "ssm", "GetParameter":
            parameter = f"arn:aws:ssm:{region}:{account}:parameter{told['Name']}"
            # A SecureString under a customer key is decrypted on the caller's behalf ("How Parameter Store uses AWS KMS").
            context = {"kms:ViaService": f"ssm.{region}.amazonaws.com", "kms:EncryptionContext:PARAMETER_ARN": parameter}
            decrypts = told.get("WithDecryption") == "True" and config_key
            return [Request("ssm:GetParameter", parameter)] + ([Request("kms:Decrypt", config_key, context)] if decrypts and config_key else [])
        case "ecr-public", "GetAuthorizationToken":
            # ECR Public asks for the second one on the caller's behalf (ECR Public API reference, GetAuthorizationToken).
            return [
                Request("ecr-public:GetAuthorizationToken"),
                Request("sts:GetServiceBearerToken", context={"sts:AWSServiceName": "ecr-public.amazonaws.com"}),
            ]
        case "eks", "DescribeCluster":
            return [Request("eks:DescribeCluster", f"arn:aws:eks:{region}:{call.account}:cluster/{call.path.rsplit('/', 1)[-1]}")]
        case "sts", "AssumeRole":
            context = {"sts:RoleSessionName": told["RoleSessionName"]} | ({"sts:ExternalId": told["ExternalId"]} if "ExternalId" in told else {})
            return [Request("sts:AssumeRole", told["RoleArn"], context)]
        case "sts", "GetCallerIdentity":
            return []  # "No permissions are required to perform this operation."
        case "sqs", "SendMessage" | "SendMessageBatch":
            _, owner, name = urlsplit(told["QueueUrl"]).path.split("/")
            via = {"kms:ViaService": f"sqs.{region}.amazonaws.com"}
            # An encrypted queue has its producer make data keys, and decrypt them (SQS, "Configure KMS permissions for AWS services").
            encrypted = [Request("kms:GenerateDataKey", queue_key, via), Request("kms:Decrypt", queue_key, via)] if queue_key else []
            return [Request("sqs:SendMessage", f"arn:aws:sqs:{region}:{owner}:{name}"), *encrypted]
    raise ValueError(f"nobody said what {call.service}:{call.action} asks of IAM")
