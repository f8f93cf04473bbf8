"""An AWS for the local stack and the tests.

It is moto's server with ECR Public added, behind a gateway that refuses what AWS would refuse.
"""

from .deployed_stack import FunctionAnswer, LocalDeployment
from .ecr_public import EcrPublic
from .local import DEFAULT_ACCOUNT, DescribedCluster, LocalAws
from .wire import Answer, AwsCall, AwsRequest

__all__ = [
    "DEFAULT_ACCOUNT",
    "Answer",
    "AwsCall",
    "AwsRequest",
    "DescribedCluster",
    "EcrPublic",
    "FunctionAnswer",
    "LocalAws",
    "LocalDeployment",
]
