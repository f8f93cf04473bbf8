"""Which regions there are, by the AWS SDK's own list: no call is made."""


def known_regions(region: str | None) -> frozenset[str]:
    """Return all regions of the region's partition; of every partition where the region is not
    known.
    """
    from boto3.session import Session
    from botocore.exceptions import UnknownRegionError

    session = Session()
    try:
        partitions = (
            [session.get_partition_for_region(region)]
            if region
            else session.get_available_partitions()
        )
    except UnknownRegionError:
        return frozenset()
    return frozenset(
        name
        for partition in partitions
        for name in session.get_available_regions("eks", partition_name=partition)
    )
