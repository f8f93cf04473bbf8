"""The table of faults: how often each was met at each target, so that an idle one shows."""

from collections.abc import Iterator, Mapping, Sequence

from tests.chaos import aws_faults, cluster_faults
from tests.chaos.aws_faults import IN_PART
from tests.chaos.cluster_faults import CONNECTION_FAULTS, GOOGLE, POSITIONS, STAGES
from tests.chaos.rounds import PROCESSES

SHORT = {
    ("ssm", "GetParametersByPath"): "SSM list",
    ("ssm", "GetParameters"): "SSM get",
    ("ecr-public", "GetAuthorizationToken"): "ECR Public",
    ("ecr", "GetAuthorizationToken"): "ECR",
    ("sts", "AssumeRole"): "STS role",
    ("sts", "GetWebIdentityToken"): "STS JWT",
    ("eks", "ListClusters"): "EKS list",
    ("eks", "DescribeCluster"): "EKS describe",
    ("secretsmanager", "GetSecretValue"): "Secrets",
    ("sqs", "SendMessageBatch"): "SQS",
}
_NEVER = "."
_IMPOSSIBLE = ""


def coverage(met: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Return the lines of the table: a dot where a fault was never met, blank where it cannot be.

    `met`: the rounds by target and fault.
    """
    of_clusters = (*CONNECTION_FAULTS, *cluster_faults.ANSWER_FAULTS)
    yield from _table("clusters", (*STAGES, *POSITIONS, GOOGLE), of_clusters, met)
    of_aws = (*aws_faults.ENDPOINTS, *aws_faults.ANSWERS, IN_PART)
    by_stage = {
        (name, fault): rounds
        for stage, name in SHORT.items()
        for (target, fault), rounds in met.items()
        if target == " ".join(stage)
    }
    yield from _table("AWS", tuple(SHORT.values()), of_aws, by_stage)
    for (target, name), rounds in sorted(met.items()):
        if target == PROCESSES:
            yield f"{name:<32}{rounds:>6}"
    idle = {
        "clusters": [name for name in of_clusters if not _rounds(name, met, of_aws=False)],
        "AWS": [name for name in of_aws if not _rounds(name, met, of_aws=True)],
    }
    for what, names in idle.items():
        yield f"never met, {what}: {'; '.join(names) or 'none'}"


def _rounds(fault: str, met: Mapping[tuple[str, str], int], *, of_aws: bool) -> int:
    """Return the rounds in which that fault was met at any target of the kind."""
    targets = {" ".join(stage) for stage in aws_faults.STAGES}
    return sum(
        rounds
        for (target, name), rounds in met.items()
        if name == fault and (target in targets) == of_aws
    )


def _table(
    title: str, targets: Sequence[str], faults: Sequence[str], met: Mapping[tuple[str, str], int]
) -> Iterator[str]:
    widths = [max(len(target), 5) + 2 for target in targets]
    yield f"{title:<32}" + "".join(
        f"{target:>{width}}" for target, width in zip(targets, widths, strict=True)
    )
    for fault in faults:
        cells = [_cell(target, fault, met) for target in targets]
        yield f"{fault:<32}" + "".join(
            f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
        )
    yield ""


def _cell(target: str, fault: str, met: Mapping[tuple[str, str], int]) -> str:
    if rounds := met.get((target, fault)):
        return str(rounds)
    connection = fault in CONNECTION_FAULTS
    if target in (*STAGES, *POSITIONS) and connection != (target == "connect"):
        return _IMPOSSIBLE
    if fault == IN_PART and target != SHORT["sqs", "SendMessageBatch"]:
        return _IMPOSSIBLE
    return _NEVER
