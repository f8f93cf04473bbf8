"""All targets, by name."""

from tests.fuzz import aws_answers, cluster_answers, credentials, documents, events

MODULES = (events, documents, credentials, cluster_answers, aws_answers)
TARGETS = {target.name: target for module in MODULES for target in module.TARGETS}
