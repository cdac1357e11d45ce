"""Which way to log in the keys of the section mean. Floor 3: pure.

A flow is meant where every key that it needs is given, and no key that it has no use for. Nothing is
guessed: whoever adds keys of another flow and forgets to remove the former is told so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ['FLOW_KEYS', 'Flow', 'NoFlow', 'choose_flow']


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a flow reads.

    Attributes:
        words: its name in texts.
        needed: keys, each a tuple of those of which exactly one is needed.
        optional: further keys.
    """

    words: str
    needed: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()

    @property
    def used(self) -> set[str]:
        return {key for each in self.needed for key in each} | set(self.optional)


class Flow(Enum):
    """The flows, those to be preferred first."""

    CLIENT_CREDENTIALS = _Keys(
        'client credentials', (('CONSUMER_KEY',), ('CONSUMER_SECRET',), ('DOMAIN', 'LOGIN_URL'))
    )
    JWT_BEARER = _Keys(
        'JWT bearer', (('CONSUMER_KEY',), ('USERNAME',), ('PRIVATE_KEY', 'PRIVATE_KEY_FILE')), ('DOMAIN',)
    )
    OWN_TOKEN = _Keys('a token of your own', (('ACCESS_TOKEN',), ('INSTANCE_URL', 'LOGIN_URL')))
    TOKEN_PROVIDER = _Keys('a token provider', (('TOKEN_PROVIDER',),))
    SOAP = _Keys('SOAP login', (('USERNAME',), ('PASSWORD',), ('SECURITY_TOKEN',)), ('DOMAIN',))
    PASSWORD = _Keys(
        'OAuth username-password',
        (('USERNAME',), ('PASSWORD',), ('CONSUMER_KEY',), ('CONSUMER_SECRET',)),
        ('SECURITY_TOKEN', 'DOMAIN'),
    )


# Of no flow in particular. LOGIN_URL wins against a DOMAIN or INSTANCE_URL, which may stay.
_WHERE = frozenset(['LOGIN_URL', 'DOMAIN'])
FLOW_KEYS = frozenset(key for flow in Flow for key in flow.value.used)


class NoFlow(Exception):
    """The keys mean no flow, or none alone; the text says which keys to add or remove for which flow."""


def choose_flow(given: Collection[str]) -> Flow:
    """Choose.

    Args:
        given: the keys of the section; those of other purposes do not matter.
    Raises:
        NoFlow: names every given key, and all ways out that need additions alone, or else removals
            alone, or else both.
    """
    keys = set(given) & FLOW_KEYS
    if not keys - _WHERE:
        raise NoFlow(
            'the keys of a way to log in are missing: '
            + _joined([f'{_names(flow.value.needed)} for {flow.value.words}' for flow in Flow], '; ', '; or ')
        )
    ways = []
    for flow in Flow:
        needed = [each for each in flow.value.needed if not keys & set(each)]
        surplus = keys - flow.value.used - {'LOGIN_URL'}
        doubled = [each for each in flow.value.needed if len(keys & set(each)) > 1 and not _WHERE & set(each)]
        if not (needed or surplus or doubled):
            return flow
        if keys & flow.value.used - _WHERE:
            ways.append((flow, needed, surplus, doubled))
    complete = [way for way in ways if not way[1]]
    extendable = [way for way in ways if not (way[2] or way[3])]
    have = _joined(sorted(keys - {'LOGIN_URL'}))
    if extendable:
        said = [f'{_names(needed)} for {flow.value.words}' for flow, needed, _, _ in extendable]
        raise NoFlow(f'{have} alone: no way to log in, missing {_joined(said, "; ", "; or ")}')
    said = [_way_out(*way) for way in complete or ways]
    why = 'belong to more than one way to log in' if complete else 'are no way to log in together'
    raise NoFlow(f'{have} {why}: {_joined(said, "; ", "; or ")}')


def _way_out(
    flow: Flow,
    needed: Sequence[tuple[str, ...]],
    surplus: Collection[str],
    doubled: Sequence[tuple[str, ...]],
) -> str:
    steps = []
    if needed:
        steps.append(f'add {_names(needed)}')
    if surplus:
        steps.append(f'remove {_joined(sorted(surplus))}')
    if doubled:
        steps.append(f'remove {_names(doubled)}')
    return f'{_joined(steps)} for {flow.value.words}'


def _names(needed: Sequence[tuple[str, ...]]) -> str:
    return _joined([' or '.join(each) for each in needed])


def _joined(parts: Sequence[str], comma: str = ', ', last: str = ' and ') -> str:
    return last.join(filter(None, [comma.join(parts[:-1]), *parts[-1:]]))
