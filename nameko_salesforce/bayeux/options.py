"""What a session may be told; each default with its reason. Floor 0: values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nameko_salesforce.bayeux.backoff import Backoff

__all__ = [
    'LARGEST_COUNT',
    'LONGEST_WAIT',
    'SessionOptions',
    'is_count',
    'is_file_name',
    'is_wait',
    'waitable',
]

# Seconds, a week: the hub waits in milliseconds of 31 bits, 24 days, and raises beyond.
LONGEST_WAIT = 604_800.0
# What stores, queues and databases can count to.
LARGEST_COUNT = 2**31 - 1


def is_wait(value: Any) -> bool:
    """Whether it is a time in seconds that can be waited: 0 to `LONGEST_WAIT`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_WAIT


def waitable(timeout: float | None) -> float | None:
    """What the hub can wait of a timeout: None, which is for ever, where it is above `LONGEST_WAIT`."""
    return None if timeout is None or timeout > LONGEST_WAIT else timeout


def is_file_name(name: str) -> bool:
    """Whether the system can have it: no NUL, and no lone surrogates but those that stand for bytes."""
    try:
        return b'\0' not in name.encode('utf-8', 'surrogateescape')
    except UnicodeEncodeError:
        return False


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 1 to `LARGEST_COUNT`."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """What a session may be told. Durations in seconds.

    Attributes:
        version, minimum_version: of the Bayeux protocol, as sent in the handshake.
        ext: `ext` of every handshake.
        ack: ask for the acknowledge extension, under which a CometD server keeps events until the
            next connect has confirmed them.
        network_allowance: added to how long the server holds a connect, and the limit for every
            other answer. 15 s is EMP-Connector's.
        assumed_hold: how long a server is taken to hold a connect until it says so. 120 s: longer
            than any known server's default (Salesforce 110, faye 60, CometD 30).
        handshake_distance: least time between two handshakes. 5 s: in ordinary life they are hours
            apart, and a sick server is asked no more than twelve times a minute.
        disconnect_timeout: how long a stop waits for the server's answer.
        longest_brake: seconds after the last answered connect at which the next one goes out although the
            client is braked: a server forgets a client that stays away. 7: CometD's `maxInterval` of 10 less
            a margin for the way there.
        settling: seconds after the last answered connect for which the next one waits while durable channels
            are being subscribed to. What their log brings comes with the answer to the subscription; beside
            a poll nobody would know, until that ends, whether it has taken earlier events with it. 5: the
            other channels wait as well.
        backoff: pauses after failures, of the connection and of refused channels alike.
    """

    version: str = '1.0'
    minimum_version: str = '1.0'
    ext: Mapping[str, Any] | None = None
    ack: bool = False
    network_allowance: float = 15.0
    assumed_hold: float = 120.0
    handshake_distance: float = 5.0
    disconnect_timeout: float = 5.0
    longest_brake: float = 7.0
    settling: float = 5.0
    backoff: Backoff = Backoff()
