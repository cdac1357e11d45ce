"""Draws the state tables of the session into docs/; `make diagram` runs it.

docs/session.md is drawn whole; docs/architecture.md holds the picture of the connection between two
markers. A test compares both with what this draws, so that they cannot grow stale.
"""

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from nameko_salesforce.bayeux.transitions import (
    CHANNEL,
    CONNECTION,
    ChannelInput,
    ChannelState,
    Do,
    Input,
    State,
)

DOCS = Path(__file__).parents[1] / 'docs'
TARGET = DOCS / 'session.md'
ARCHITECTURE = DOCS / 'architecture.md'
BEGIN, END = '<!-- drawn by make diagram -->\n', '<!-- end of the drawing -->'

# Not drawn: they lead from everywhere to where everybody expects, and would bury the rest.
SELF_EXPLANATORY = {Input.STOP, Input.HALT}
EVERYWHERE = {ChannelInput.SESSION_LOST}

HEAD = """\
# The session's states

Drawn by `make diagram` from the tables in `nameko_salesforce/bayeux/transitions.py`; edit those instead.
A pair of state and input that has no row is a mistake of the caller: it raises `LocalError` and changes
nothing. What no table can hold are the named functions listed at the top of `session.py`.
"""

CONNECTION_HEAD = """\
## The connection

Left out of the picture, because they explain themselves: *stop*, which says goodbye where there is a session
(to `DISCONNECTING`, drawn from `CONNECTED` alone) and ends at once where there is none (to `HALTED`), and
*verdict: halt*, which leads to `HALTED` from wherever something is judged. The table below has them all.
Inputs that take the same way share an arrow.
"""

CHANNEL_HEAD = """\
## One channel

Left out of the picture: inputs that change nothing, and *session lost*, after which a wanted channel is
`WANTED` again (a refused one sits out its pause, a paused one waits for the release) and an unwanted one is
gone. The table below has them all.

*pause* comes to the channels that are durable when the client was braked for too long, and to each of them
that changes meanwhile; *resume* is the release.

A state is written as in `Client.channels`; there, a refused channel reads `REFUSED` also while it is being
tried again or waits for a release.
"""


def document() -> str:
    """The whole file."""
    return '\n'.join(
        (
            HEAD,
            CONNECTION_HEAD,
            _mermaid(State.IDLE, _drawn_connection(), State.HALTED),
            _meanings(State),
            _connection_rows(),
            CHANNEL_HEAD,
            _mermaid(ChannelState.WANTED, _drawn_channel(), None),
            _meanings(ChannelState),
            _channel_rows(),
        )
    )


def architecture(text: str) -> str:
    """The architecture with the picture of the connection between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + _mermaid(State.IDLE, _drawn_connection(), State.HALTED) + END + after


Edge = tuple[str, str, str]  # from, to, input


def _drawn_connection() -> list[Edge]:
    return [
        (state.name, row.next.name, event.value)
        for (state, event), row in CONNECTION.items()
        if row.do is not Do.NOTHING
        and (event not in SELF_EXPLANATORY or (state, event) == (State.CONNECTED, Input.STOP))
    ]


def _drawn_channel() -> list[Edge]:
    return [
        (state.name, '[*]' if after is ChannelState.GONE else after.name, event.value)
        for (state, event), after in CHANNEL.items()
        if event not in EVERYWHERE and state is not after
    ]


def _mermaid(first: State | ChannelState, edges: Iterable[Edge], last: State | None) -> str:
    """A diagram with one arrow for all inputs between two states."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for start, end, label in edges:
        grouped.setdefault((start, end), []).append(label)
    lines = ['```mermaid', 'stateDiagram-v2', f'    [*] --> {first.name}']
    lines += [f'    {start} --> {end}: {_together(labels)}' for (start, end), labels in grouped.items()]
    if last is not None:
        lines.append(f'    {last.name} --> [*]')
    return '\n'.join([*lines, '```', ''])


def _together(labels: list[str]) -> str:
    """'verdict: retry' and 'verdict: login' as 'verdict retry, login': a colon ends a label in Mermaid."""
    verdicts = [label.removeprefix('verdict: ') for label in labels if label.startswith('verdict: ')]
    others = [label for label in labels if not label.startswith('verdict: ')]
    return ', '.join([*others, *(['verdict ' + ' / '.join(verdicts)] if verdicts else [])])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple('---' for _ in head), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def _meanings(states: type[State] | type[ChannelState]) -> str:
    """The comments behind the members of the enumeration."""
    meanings = dict(re.findall(r"^    (\w+) = '.*'  # (.+)$", inspect.getsource(states), re.MULTILINE))
    return _table(
        ('state', 'meaning'),
        ((f'`{state.name}`', meanings[state.name]) for state in states if state.name in meanings),
    )


def _connection_rows() -> str:
    return _table(
        ('state', 'input', 'next', 'what is done', 'why'),
        (
            (f'`{state.name}`', event.value, f'`{row.next.name}`', row.do.value, row.why)
            for (state, event), row in CONNECTION.items()
        ),
    )


def _channel_rows() -> str:
    return _table(
        ('state', 'input', 'next'),
        ((f'`{state.name}`', event.value, f'`{after.name}`') for (state, event), after in CHANNEL.items()),
    )


def main(arguments: list[str]) -> int:
    """Write the files; with `--check` only compare."""
    text = ARCHITECTURE.read_text()
    drawn = {TARGET: document(), ARCHITECTURE: architecture(text)}
    if arguments == ['--check']:
        stale = [path.name for path, new in drawn.items() if not path.exists() or path.read_text() != new]
        print(f'stale: {", ".join(stale)}; run make diagram' if stale else 'the drawings are up to date')
        return int(bool(stale))
    for path, new in drawn.items():
        path.write_text(new)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
