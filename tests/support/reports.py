"""The entries of a report, by cluster."""

from typing import Any


def entry(report: dict[str, Any], document_id: str = "prod") -> dict[str, Any]:
    """Return the entry of a document's cluster."""
    found = next(cluster for cluster in report["clusters"] if cluster["id"] == document_id)
    assert isinstance(found, dict)
    return found


def cluster_of(report: dict[str, Any], document_id: str = "edge") -> dict[str, Any]:
    """Return the entry of a cluster that is not EKS."""
    return entry(report, document_id)


def findings(report: dict[str, Any], document_id: str = "edge") -> dict[str, dict[str, Any]]:
    """Return the findings of a check, by name."""
    return {finding["check"]: finding for finding in entry(report, document_id)["findings"]}
