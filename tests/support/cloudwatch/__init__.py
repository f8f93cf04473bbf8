"""Amazon CloudWatch's alarm evaluation, simulated from its documentation.

Metrics go in, an alarm's state changes come out.

No local AWS evaluates alarms over time, and waiting for the real one to see a month go by is no
test. Where AWS's pages leave a thing open, `Readings` says which way it is read here, and a test
can ask for the other way.
"""

from tests.support.cloudwatch.alarms import Alarm, AlarmError
from tests.support.cloudwatch.evaluation import State
from tests.support.cloudwatch.expressions import ExpressionError
from tests.support.cloudwatch.insights import QueryError
from tests.support.cloudwatch.readings import Readings, every_reading
from tests.support.cloudwatch.series import DAY, HOUR, MINUTE, Metrics
from tests.support.cloudwatch.simulation import Transition, simulate

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "Alarm",
    "AlarmError",
    "ExpressionError",
    "Metrics",
    "QueryError",
    "Readings",
    "State",
    "Transition",
    "every_reading",
    "simulate",
]
