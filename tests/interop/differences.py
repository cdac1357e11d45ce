"""Where other people's programs differ from the reference server, or from each other, and why that is right.

A test that meets a difference names it here and expects it; it does not look away. The run prints the
list at its end.
"""

from dataclasses import dataclass

__all__ = ['KNOWN_DIFFERENCES', 'Difference', 'expects']


@dataclass(frozen=True, slots=True)
class Difference:
    """One known difference.

    Attributes:
        name: what tests call it.
        program: who differs.
        what: what it does.
        why: why it does, and why a test may expect it.
    """

    name: str
    program: str
    what: str
    why: str


KNOWN_DIFFERENCES = (
    Difference(
        'a copy per matching subscription',
        'cometd',
        'sends an event twice to a session that subscribed to both /a/b and /a/*',
        # The reference server and faye collect the sessions first; our fake does as the reference server.
        'its publish loops over the channel and its wildcards, and over the subscribers of each',
    ),
    Difference(
        'no server-side disconnect',
        'faye',
        'has no way to send a client away',
        'its API knows none; the test is for the CometD server alone',
    ),
    Difference(
        'no acknowledge extension',
        'faye',
        'ignores ext.ack, so that a client that asks for it works without',
        'ack is an extension of CometD, not part of Bayeux',
    ),
    Difference(
        'a broken response is only timed out',
        'faye',
        'has a client that waits 1.2 times the advised timeout when a response breaks off half-way',
        'it listens for the end of a response, which then never comes, and not for its abortion',
    ),
)


def expects(name: str, program: str) -> bool:
    """Whether this program has the difference of that name; the name must be known."""
    known = [each for each in KNOWN_DIFFERENCES if each.name == name]
    assert known, f'no known difference is called {name!r}'
    return any(each.program == program for each in known)
