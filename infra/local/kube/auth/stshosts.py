"""STS's hosts by partition: the only ones to which a cluster's verifier sends a presigned URL."""

import re
from dataclasses import dataclass

GLOBAL_REGION = "us-east-1"
"""The signing region of the global host."""


@dataclass(frozen=True)
class Partition:
    """The hosts of a partition's STS."""

    regions: str
    domain: str
    dual_stack: str
    global_host: str = ""

    def region_of(self, host: str) -> str | None:
        """Return the region that an STS host of this partition serves, else None."""
        if self.global_host and host == self.global_host:
            return GLOBAL_REGION
        domains = "|".join(map(re.escape, (self.domain, self.dual_stack)))
        match = re.fullmatch(rf"sts(?:-fips)?\.(?P<region>{self.regions})\.(?:{domains})", host)
        return match["region"] if match else None


PARTITIONS = {
    "aws": Partition(
        r"(us|eu|ap|sa|ca|me|af|il|mx)-(?!gov-|iso)[a-z]+-\d",
        "amazonaws.com",
        "api.aws",
        "sts.amazonaws.com",
    ),
    "aws-cn": Partition(r"cn-[a-z]+-\d", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "aws-us-gov": Partition(r"us-gov-[a-z]+-\d", "amazonaws.com", "api.aws"),
    "aws-iso": Partition(r"us-iso-[a-z]+-\d", "c2s.ic.gov", "api.aws.ic.gov"),
    "aws-iso-b": Partition(r"us-isob-[a-z]+-\d", "sc2s.sgov.gov", "api.aws.scloud"),
    "aws-eusc": Partition(
        r"eusc-[a-z]+-[a-z]+-\d|eusc-[a-z]+-\d", "amazonaws.eu", "api.amazonwebservices.eu"
    ),
}


def partition_of(region: str) -> Partition:
    """Return the partition of a region's name; `aws` when none matches."""
    return next(
        (p for p in PARTITIONS.values() if re.fullmatch(p.regions, region)), PARTITIONS["aws"]
    )
