"""What the source sends, and who is measured with it. Pure.

A pattern has a warm-up, which is not measured, and events, which are. All clients of a pattern get the same
number of events in the same responses: `responses` says which.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

__all__ = [
    'CLIENTS',
    'OURS',
    'PATTERNS',
    'PEERS',
    'QUICK',
    'Pattern',
    'pattern_of',
    'quick',
]

PEERS = ('aiocometd', 'aiosfstream', 'cometd', 'faye')
OURS = ('ours', 'ours_service', 'ours_batches')
EVERYBODY = ('reference', *OURS, 'floor', *PEERS)
CLIENTS = (*EVERYBODY, 'fake')

# Seconds; a brisk client has long polled again when the next event is published.
PAUSE = 0.005
HOLD = 10.0

HELD_CLIENTS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Attributes:

    name: for `ONLY=`, and a key of figures.
    words: what it is, for whoever asks.
    clients: who is measured.
    events: measured ones.
    warm: events before them.
    per_response: events in each response.
    size: bytes of an event, about.
    channels: among which events go round.
    pause: seconds between one event and the next, each published on its own; 0: as fast as the client reads.
    hold: seconds that the poll is held whose answer is the first measured event.
    slow: the handlers take time: what arrives has to wait.
    fake: the fake is the server, not the source; or, as the only client, what is measured.
    group: patterns of one group are compared with each other, so a client has them one after the other.
    """

    name: str
    words: str
    clients: tuple[str, ...] = EVERYBODY
    events: int
    warm: int = 1000
    per_response: int
    size: int = 400
    channels: int = 1
    pause: float = 0.0
    hold: float = 0.0
    slow: bool = False
    fake: bool = False
    group: str = ''

    @property
    def total(self) -> int:
        return self.warm + self.events

    def responses(self) -> Iterator[tuple[int, int]]:
        """First event and the one behind the last of each response; the warm-up ends with one."""
        limits = (
            (0, self.warm, min(self.per_response, self.warm // 2)),
            (self.warm, self.total, self.per_response),
        )
        for begin, end, step in limits:
            for first in range(begin, end, step):
                yield first, min(first + step, end)


_INSIDE = ('reference', *OURS)
_WITHOUT_TWINS = ('reference', 'ours', 'ours_service', 'aiocometd', 'cometd', 'faye')

# The numbers of events make a run of the slowest take some seconds, and all five rounds 25 minutes.
PATTERNS: dict[str, Pattern] = {
    each.name: each
    for each in (
        Pattern(name='1', words='1 event a response', events=4_500, warm=300, per_response=1),
        Pattern(name='10', words='10 events a response', events=30_000, per_response=10),
        Pattern(name='100', words='100 events a response', events=60_000, per_response=100, group='channels'),
        Pattern(
            name='channels-10',
            words='100 events a response, of 10 channels',
            clients=_INSIDE,
            events=60_000,
            per_response=100,
            channels=10,
            group='channels',
        ),
        Pattern(
            name='channels-100',
            words='100 events a response, of 100 channels',
            clients=_INSIDE,
            events=60_000,
            per_response=100,
            channels=100,
            group='channels',
        ),
        Pattern(name='1000', words='1,000 events a response', events=20_000, per_response=1000),
        Pattern(
            name='large',
            words='100 events of 1,500 B a response',
            clients=_WITHOUT_TWINS,
            events=10_000,
            per_response=100,
            size=1500,
        ),
        Pattern(name='single', words='one event at a time', events=200, warm=50, per_response=1, pause=PAUSE),
        Pattern(
            name='idle',
            words=f'a poll held for {HOLD:g} s',
            clients=('ours', 'ours_service'),
            events=1,
            warm=20,
            per_response=1,
            hold=HOLD,
        ),
        Pattern(
            name='burst',
            words='50,000 events in one response',
            clients=(*_INSIDE, 'cometd', 'faye'),
            events=50_000,
            warm=200,
            per_response=50_000,
        ),
        Pattern(
            name='backlog',
            words='200,000 events, 1,000 a response',
            clients=_INSIDE,
            events=200_000,
            warm=200,
            per_response=1000,
        ),
        Pattern(
            name='backlog-slow',
            words='200,000 events, 1,000 a response, slow handlers',
            clients=OURS,
            events=200_000,
            warm=200,
            per_response=1000,
            slow=True,
        ),
        Pattern(
            name='from-fake',
            words='10 events every 10 ms, from the fake',
            clients=('reference', 'ours', 'aiocometd', 'cometd', 'faye'),
            events=1_000,
            warm=200,
            per_response=10,
            fake=True,
        ),
        Pattern(
            name='held',
            words='the fake with 2,000 held clients',
            clients=('fake',),
            events=HELD_CLIENTS,
            warm=2,
            per_response=1,
            fake=True,
        ),
    )
}

# Under a minute together.
QUICK: dict[str, tuple[str, ...]] = {
    '10': ('reference', 'ours', 'ours_service', 'floor', 'aiocometd', 'cometd'),
    '100': ('reference', 'ours', 'ours_service', 'ours_batches', 'floor', 'cometd'),
    'single': ('reference', 'ours', 'ours_service'),
    'idle': ('ours',),
    'burst': ('reference', 'ours'),
    'backlog-slow': OURS,
    'held': ('fake',),
}


def quick(pattern: Pattern) -> Pattern:
    """The same in a second: figures that say little, and a program that is seen to work."""
    return replace(
        pattern,
        events=min(pattern.events, max(2_000, 2 * pattern.per_response) if not pattern.pause else 60),
        hold=min(pattern.hold, 2.0),
    )


def pattern_of(name: str, *, is_quick: bool = False) -> Pattern:
    """Raises KeyError: there is none of this name."""
    pattern = PATTERNS[name]
    return quick(pattern) if is_quick else pattern
