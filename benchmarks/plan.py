"""Who is measured with what, and in which order. Pure."""

from collections.abc import Iterator, Sequence

from benchmarks.patterns import CLIENTS, PATTERNS, QUICK_CLIENTS, QUICK_PATTERNS, Pattern, pattern_of

__all__ = ['choose', 'order', 'plan']


def choose(only: str, *, is_quick: bool) -> list[tuple[Pattern, list[str]]]:
    """Patterns with their clients."""
    names = set(filter(None, only.split(',')))
    patterns = [each for each in PATTERNS if each in names] or list(QUICK_PATTERNS if is_quick else PATTERNS)
    clients = [each for each in CLIENTS if each in names] or list(QUICK_CLIENTS if is_quick else CLIENTS)
    chosen = [pattern_of(name, is_quick=is_quick) for name in patterns]
    both = [(pattern, [each for each in pattern.clients if each in clients]) for pattern in chosen]
    return [(pattern, left) for pattern, left in both if left]


def plan(chosen: Sequence[tuple[Pattern, Sequence[str]]], runs: int) -> Iterator[tuple[int, str, Pattern]]:
    """All in turn: no client has its runs one after the other."""
    for number in range(runs):
        for pattern, clients in chosen:
            for client in order(clients, number):
                yield number, client, pattern


def order(clients: Sequence[str], run: int) -> list[str]:
    """The clients of a run: another one first in each, and the other way round in every second one."""
    turn = run % len(clients)
    turned = [*clients[turn:], *clients[:turn]]
    return turned if run % 2 == 0 else [turned[0], *turned[:0:-1]]
