"""What can strike where, and whether it did: so that a run that shows nothing is not taken for a proof.

`hits` counts each fault by the state in which the service was. A pair that never came up fails a run, unless
it is named here with the reason why it need not.
"""

from collections.abc import Iterable, Iterator, Mapping

__all__ = ['ENOUGH', 'EXEMPT', 'FAULTS', 'SIGHTS', 'STATES', 'missing', 'table']

# Schedules from which on every pair has to come up: the rarest does about ten times.
ENOUGH = 100_000

# Of the session, with `connected` in three: as it is, with the brake on, and with channels paused by it.
STATES = (
    'preparing',
    'handshaking',
    'connecting',
    'connected',
    'braked',
    'paused',
    'reconnecting',
    'pausing',
    'disconnecting',
    'halted',
    'down',
)
ENDING = ('disconnecting', 'halted')

NETWORK = ('drop_before', 'drop_after', 'truncate', 'empty', 'status', 'never', 'delay')
SERVER = ('server restart', 'server disconnects', 'server busy', 'token dies', 'routing ends')
HANDLERS = ('handler failed', 'handler lost', 'handler timed out', 'handler not run')
LETTERS = ('letter fails', 'letter is unsure')
SAVES = ('save fails', 'save is unsure')
TORN = ('crash before save', 'crash after save')
LIFE = ('crash', *TORN, 'kill', 'stop')
FAULTS = (*NETWORK, *SERVER, *HANDLERS, *SAVES, *LETTERS, 'load fails', 'login fails', *LIFE)

# What has to be seen as well.
SIGHTS = (
    'braked',
    'channel paused',
    'no room',
    'event beside a poll',
    'poll lost beside events',
    'event in front of its replay',
    're-delivery dropped',
    'dead letter',
    'event skipped',
    'channel stopped',
    'stopped channel goes on',
    'gap told, earliest',
    'gap told, latest',
    'gap told, fail',
)


def _exempt() -> Iterator[tuple[tuple[str, str], str]]:
    def pairs(
        faults: Iterable[str], states: Iterable[str], why: str
    ) -> Iterator[tuple[tuple[str, str], str]]:
        for fault in faults:
            for state in states:
                yield (fault, state), why

    silent = ('preparing', 'reconnecting', 'pausing', 'halted', 'down')
    yield from pairs(NETWORK, silent, 'no request is sent there')
    yield from pairs((*HANDLERS, *LETTERS, *LIFE), ['down'], 'there is no process')
    yield from pairs(['kill', 'stop'], ENDING, 'the service ends already')
    yield from pairs(['handler not run'], ENDING, 'a stop begins no run')
    others = [each for each in STATES if each != 'connected']
    yield from pairs(['load fails'], others, 'positions are asked for by a session that is connected')
    others = [each for each in STATES if each != 'preparing']
    yield from pairs(['login fails'], others, 'a session that has its token does not log in')
    short = (*HANDLERS, *LETTERS, *SAVES, *TORN, 'kill', 'stop')
    yield from pairs(short, ['reconnecting'], 'rare: lasts a second, and something has to end in it')
    yield from pairs((*LETTERS, *TORN), ['connecting'], 'rare: lasts 40 ms')
    yield from pairs(
        (*HANDLERS, *LETTERS, *TORN), ENDING, 'rare: lasts a moment, and nothing is begun in it any more'
    )


# (fault, state) -> why it need not come up.
EXEMPT: Mapping[tuple[str, str], str] = dict(_exempt())


def missing(hits: Mapping[tuple[str, str], int], sights: Mapping[str, int]) -> list[str]:
    """What should have come up and did not."""
    pairs = [(fault, state) for fault in FAULTS for state in STATES]
    never = [
        f'{fault} while {state}'
        for fault, state in pairs
        if not hits.get((fault, state), 0) and (fault, state) not in EXEMPT
    ]
    return never + [each for each in SIGHTS if not sights.get(each, 0)]


def table(hits: Mapping[tuple[str, str], int], sights: Mapping[str, int]) -> str:
    """How often each fault struck in each state; a dot where it did not and need not."""
    width = max(map(len, FAULTS))
    columns = [max(len(each), 8) for each in STATES]
    lines = ['  '.join([' ' * width, *(each.rjust(n) for each, n in zip(STATES, columns, strict=True))])]
    for fault in FAULTS:
        cells = []
        for state, size in zip(STATES, columns, strict=True):
            count = hits.get((fault, state), 0)
            cells.append((str(count) if count or (fault, state) not in EXEMPT else '.').rjust(size))
        lines.append('  '.join([fault.ljust(width), *cells]))
    lines.append('')
    lines += [f'{sights.get(each, 0):10}  {each}' for each in SIGHTS]
    return '\n'.join(lines)
