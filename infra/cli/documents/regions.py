"""AWS's regions, from the SDK's own list, without a call."""


def known_regions(region: str | None) -> frozenset[str]:
    """Return all regions of the region's partition; of every partition when `region` is None.

    Return none for a region that is in no partition.
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
