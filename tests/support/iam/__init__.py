"""IAM's policy evaluation, as far as the stack's policies use it.

What is not known here raises, so that no policy is ever judged by half.

Rules: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements"; each module names
the page that it follows. Not known, hence refused: NotPrincipal, federated and canonical
principals, dates, binary values, and the policy language of 2008.
"""

from .decision import Decision, Request, Values, Verdict
from .evaluation import evaluate, evaluate_resource_policy

__all__ = ["Decision", "Request", "Values", "Verdict", "evaluate", "evaluate_resource_policy"]
