"""Who is measured with what, and in which order. Pure."""

from collections.abc import Iterator, Sequence

from benchmarks.patterns import CLIENTS, PATTERNS, QUICK, Pattern, pattern_of

__all__ = ['choose', 'order', 'plan']


def choose(only: str, *, is_quick: bool) -> list[tuple[Pattern, list[str]]]:
    """Patterns with their clients; `only` names some of either, with commas."""
    names = set(filter(None, only.split(',')))
    known = QUICK if is_quick and not names else {name: each.clients for name, each in PATTERNS.items()}
    clients = names & set(CLIENTS) or set(CLIENTS)
    patterns = names & set(PATTERNS) or set(known)
    chosen = []
    for name, each in known.items():
        left = [client for client in each if client in clients]
        if name in patterns and left:
            chosen.append((pattern_of(name, is_quick=is_quick), left))
    return chosen


def plan(chosen: Sequence[tuple[Pattern, Sequence[str]]], runs: int) -> Iterator[tuple[int, str, Pattern]]:
    """All in turn: no client has its runs one after the other.

    Except with the patterns of one group, which are compared with each other.
    """
    groups: dict[str, list[tuple[Pattern, Sequence[str]]]] = {}
    for pattern, clients in chosen:
        groups.setdefault(pattern.group or pattern.name, []).append((pattern, clients))
    for number in range(runs):
        for group in groups.values():
            everybody = list(dict.fromkeys(client for _, clients in group for client in clients))
            for client in order(everybody, number):
                for pattern, clients in group:
                    if client in clients:
                        yield number, client, pattern


def order(clients: Sequence[str], run: int) -> list[str]:
    """The clients of a run: another one first in each, and the other way round in every second one."""
    turn = run % len(clients)
    turned = [*clients[turn:], *clients[:turn]]
    return turned if run % 2 == 0 else [turned[0], *turned[:0:-1]]
