"""The entries of a report about one cluster."""

from typing import Any


def cluster_of(report: dict[str, Any], document_id: str = "edge") -> dict[str, Any]:
    found = next(cluster for cluster in report["clusters"] if cluster["id"] == document_id)
    assert isinstance(found, dict)
    return found


def findings(report: dict[str, Any], document_id: str = "edge") -> dict[str, dict[str, Any]]:
    """Return the findings of a check, by name."""
    return {finding["check"]: finding for finding in cluster_of(report, document_id)["findings"]}
