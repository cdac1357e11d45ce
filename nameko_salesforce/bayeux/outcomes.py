"""How an attempt to handle an event ended. Floor 0: values only."""

from enum import Enum
from typing import NamedTuple

__all__ = ['HANDLED', 'NOT_RUN', 'Ended', 'Failed', 'Outcome']


class Ended(Enum):
    """How an attempt ended that raised nothing which could be seen.

    `LOST` is a worker that began and ended without a result (`eventlet.Timeout`, `SystemExit`, a kill). It
    counts as a failed attempt and not as one that did not take place: a handler that always ends so would
    otherwise run for ever. `NOT_RUN` is for a worker that could not be started; it costs no attempt.
    """

    HANDLED = 'handled'
    TIMED_OUT = 'took longer than its timeout'
    LOST = 'ended without a result'
    NOT_RUN = 'did not begin'


# For what is done with each event: Python 3.11 takes 0.2 us to look up a member of an Enum.
HANDLED = Ended.HANDLED
NOT_RUN = Ended.NOT_RUN


class Failed(NamedTuple):
    """The handler raised.

    Attributes:
        error: what it raised; kept no longer than until the event's fate is known.
    """

    error: BaseException


Outcome = Ended | Failed
