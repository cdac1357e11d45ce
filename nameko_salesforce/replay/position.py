"""Where a service is in one channel, as it is kept. Floor 3: pure.

Decides what is kept and how it is written; never which position is right, nor whether one is too old.
Replay ids are opaque: a number or a text comes back as what it was, whatever it looks like.

**Later versions.** The JSON object names the version that a reader has to know, `v`. Fields that are not
known here are ignored and not carried along: a position is written whole, and a field that was left from an
older id would say something about the wrong event. So a later version that only adds fields goes on writing
`"v": 1`, and one whose fields mean something else counts up: that is then refused here instead of being
guessed at.
"""

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any

__all__ = ['VERSION', 'Position', 'ReplayId', 'position_from_json', 'position_to_json']

VERSION = 1

ReplayId = int | str


@dataclass(frozen=True, slots=True)
class Position:
    """What is kept for one channel.

    Attributes:
        replay_id: of the last event that is done, with everything before it; None: only the mark, no event
            yet.
        event_time: seconds since 1970, when that event was created; None where it does not say.
        seen_until: seconds since 1970; all events from before it are handled, or were told as lost. Age is
            judged by this. 0.0: a mark that was never connected; with an id it is never that.
        marked_at: seconds since 1970; events created before it are not the service's, as a rule those from
            before its first start. 0.0: all are.
    """

    replay_id: ReplayId | None
    event_time: float | None
    seen_until: float
    marked_at: float

    def __post_init__(self) -> None:
        if self.replay_id is not None and not is_replay_id(self.replay_id):
            raise ValueError(f'a replay id is a whole number or a text, not {type(self.replay_id).__name__}')
        for each in (self.seen_until, self.marked_at, 0.0 if self.event_time is None else self.event_time):
            if not is_time(each):
                raise ValueError('times of a position are numbers of seconds')

    def age(self, now: float) -> float:
        """Seconds since the channel was last known to bring its events; 0 where clocks disagree.

        Args:
            now: seconds since 1970.
        """
        return max(0.0, now - self.seen_until)


def is_replay_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def is_time(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def position_to_json(position: Position) -> str:
    """ASCII, so that every id survives every store; JSON can hold lone surrogates, which UTF-8 cannot."""
    return json.dumps(
        {
            'v': VERSION,
            'replay_id': position.replay_id,
            'event_time': position.event_time,
            'seen_until': position.seen_until,
            'marked_at': position.marked_at,
        }
    )


def position_from_json(text: str) -> Position:
    """Read what `position_to_json` wrote, here or in a later version.

    Raises:
        ValueError: it is no position, or one that this version cannot read. Never a position that is wrong.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError('no position') from None
    if not isinstance(found, dict) or not isinstance(found.get('v'), int):
        raise ValueError('no position')
    if found['v'] > VERSION:
        raise ValueError(f'of version {str(found["v"])[:20]}; this library reads up to {VERSION}')
    try:
        return Position(
            found['replay_id'], found['event_time'], float(found['seen_until']), float(found['marked_at'])
        )
    except (KeyError, TypeError, OverflowError):
        raise ValueError('no position') from None
