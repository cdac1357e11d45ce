"""Where other people's programs differ from the reference server, or from each other, and why that is right.

A test that meets a difference names it here and expects it; it does not look away. The run prints the
list at its end.
"""

from dataclasses import dataclass

__all__ = ['KNOWN_DIFFERENCES', 'OTHER_ANSWERS', 'Difference', 'expects']


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
        'no array in an array',
        'java',
        'answers 400 to a message whose data holds an array inside an array',
        'the reader of its asynchronous transport fails at any inner array, and its blocking one does not',
    ),
    Difference(
        'a goodbye that is none',
        'cometd',
        'sends clients away without the advice to stay away, so that they come back',
        'its server-side disconnect sends no advice; the one for Java advises `none`, and clients obey',
    ),
    Difference(
        'names its old session',
        'java',
        'has a client that sends the clientId of the lost session in its next handshake',
        'it puts its id into every message; servers ignore it there, and our fake notes it as a violation',
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
    Difference(
        'a session lives for two holds',
        'faye',
        'forgets a session whose last connect is older than twice the time for which it holds one',
        'its memory engine knows no other deadline; a test that shortens the hold shortens the life as well',
    ),
    Difference(
        'a command polls at once',
        'faye',
        'has a client that ignores the advised interval for its next connect when it is asked for anything',
        'all its commands begin with connect(); the first of them takes the place of the handshake command',
    ),
)

# Requests (the scenarios of `test_fake_like_cometd.py`) that our fake answers otherwise than the CometD
# server for Node: it follows the reference server, CometD for Java (`BayeuxServerImpl`), where they differ.
OTHER_ANSWERS = {
    'first connect': 'Java answers the first connect of a session at once; Node holds it',
    'connect with company': 'Java gives advice if a connect has any; Node only if it may hold it',
    'connect with company in front': 'Java gives advice if a connect has any; Node only if it may hold it',
    'handshake with a numeric id': 'Java reads an id as text; Node returns what came',
    'subscribe to a name without slash': 'Java refuses the subscription; Node throws, which becomes a 400',
    'subscribe to a meta channel': 'Java refuses it by its security policy; Node only when it subscribes',
    'subscribe of an unknown session': 'Java returns `subscription` in every reply; Node does not',
    'unsubscribe what was never subscribed': 'Java misses a channel that does not exist; Node does not mind',
    'publish to two subscriptions of oneself': 'Java sends one copy; Node one for each subscription',
    'unknown meta channel': 'Java refuses by its security policy to create it; Node throws and answers 500',
    'no message': 'Java answers 500, Node 400',
    'a bare object': 'Java takes it for a list of one; Node expects a list',
}


def expects(name: str, program: str) -> bool:
    """Whether this program has the difference of that name; the name must be known."""
    known = [each for each in KNOWN_DIFFERENCES if each.name == name]
    assert known, f'no known difference is called {name!r}'
    return any(each.program == program for each in known)
