"""What servers, clients and files may hold in place of what they should."""

from typing import Any

from hypothesis import strategies as st

__all__ = ['EVENTS', 'JSON', 'MESSAGES', 'MUTATIONS', 'ODD', 'Odd', 'mutated']

# Numbers that no float holds, NaN and infinities, lone surrogates, and what only looks like a number.
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.sampled_from([0, -1, -2, 2**53, 2**63, 1e308, -0.0]),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ['', '\0', '\ud800', '\ufeff', '1', 'NaN', '/', '/**', '/meta/connect', 'none', "'", '%s{}']
    ),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

_CHANNELS = st.sampled_from(
    [
        '/meta/handshake',
        '/meta/connect',
        '/meta/subscribe',
        '/meta/unsubscribe',
        '/meta/disconnect',
        '/a',
        '/b/c',
    ]
)
_ADVICE = st.fixed_dictionaries(
    {},
    optional={
        'reconnect': st.sampled_from(['retry', 'handshake', 'none', 'later']) | JSON,
        'interval': NUMBERS | JSON,
        'timeout': NUMBERS | JSON,
        'maxInterval': NUMBERS | JSON,
        'multiple-clients': st.booleans() | JSON,
        'long-polling': JSON,
    },
)
# Of a response: near to what is right, with something else in any place.
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        'channel': _CHANNELS | JSON,
        'id': st.integers(1, 30).map(str) | JSON,
        'successful': st.booleans() | JSON,
        'error': st.sampled_from(['401::Authentication invalid', '403::Unknown client', '503::Busy']) | JSON,
        'subscription': st.sampled_from(['/a', '/b/c']) | JSON,
        'clientId': st.just('c1') | JSON,
        'advice': _ADVICE | JSON,
        'ext': st.dictionaries(st.sampled_from(['ack', 'replay', 'sfdc']), JSON, max_size=2) | JSON,
        'data': JSON,
        'version': st.just('1.0') | JSON,
        'supportedConnectionTypes': st.just(['long-polling']) | JSON,
    },
)


class Odd(dict[str, Any]):
    """A message by its name, which a failing example shows."""

    def __init__(self, name: str) -> None:
        super().__init__(_ODD[name])
        self.name = name

    def __repr__(self) -> str:
        return f'Odd({self.name!r})'


# Each in place of the fields of a right reply, or beside it.
_ODD: dict[str, dict[str, Any]] = {
    'empty': {},
    'no verdict': {'successful': None},
    'verdict in words': {'successful': 'false'},
    'unknown id': {'id': '999'},
    'number for an id': {'id': 1},
    'no channel': {'channel': None},
    'channel of another request': {'channel': '/meta/handshake'},
    'disconnect by the server': {'channel': '/meta/disconnect', 'id': None, 'successful': None},
    'refused without a word': {'successful': False},
    'refused in a list': {'successful': False, 'error': ['403::Unknown client']},
    'authentication invalid': {'successful': False, 'error': '401::Authentication invalid'},
    'unknown client': {'successful': False, 'error': '403::Unknown client'},
    'unknown client, handshake': {
        'successful': False,
        'error': '403::Unknown client',
        'advice': {'reconnect': 'handshake', 'interval': 0},
    },
    'busy': {'successful': False, 'error': '503::Server is too busy', 'advice': {'reconnect': 'retry'}},
    'refused for good': {'successful': False, 'error': '404::No', 'advice': {'reconnect': 'none'}},
    'go away': {'advice': {'reconnect': 'none'}},
    'accepted, but handshake': {'advice': {'reconnect': 'handshake', 'interval': 0}},
    'advice of no kind': {'advice': {'reconnect': 'later', 'interval': 'soon', 'timeout': []}},
    'advice of huge numbers': {'advice': {'interval': 1e308, 'timeout': 10**400}},
    'advice of NaN': {'advice': {'interval': float('nan'), 'timeout': float('nan')}},
    'negative advice': {'advice': {'interval': -1, 'timeout': -1}},
    'advice is a text': {'advice': 'retry'},
    'several clients': {'advice': {'multiple-clients': True, 'interval': 60_000}},
    'no client id': {'clientId': None},
    'client id is a list': {'clientId': ['c1']},
    'unknown version': {'version': '9.9', 'minimumVersion': '9.0'},
    'no common transport': {'supportedConnectionTypes': ['websocket']},
    'subscription is another': {'subscription': '/other'},
    'ack of no kind': {'ext': {'ack': 'yes'}},
    'ack goes back': {'ext': {'ack': -5}},
    'event of a channel': {'channel': '/a', 'id': None, 'successful': None, 'data': {'n': 1}},
    'event without data': {'channel': '/a', 'id': None, 'successful': None, 'data': None},
    'event of a lone surrogate': {'channel': '/a', 'id': None, 'successful': None, 'data': '\ud800'},
}
ODD = st.sampled_from([Odd(name) for name in _ODD])

# The data of an event.
EVENTS = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            'event': JSON
            | st.fixed_dictionaries(
                {},
                optional={'replayId': st.integers(-3, 9) | JSON, 'createdDate': JSON, 'type': JSON},
            ),
            'sobject': JSON | st.fixed_dictionaries({}, optional={'Id': JSON, 'Name': JSON}),
            'schema': JSON,
            'payload': JSON
            | st.fixed_dictionaries(
                {},
                optional={
                    'ChangeEventHeader': JSON
                    | st.fixed_dictionaries(
                        {},
                        optional={
                            'recordIds': JSON | st.lists(TEXTS, max_size=3),
                            'changeType': st.sampled_from(['UPDATE', 'GAP_OVERFLOW']) | JSON,
                            'commitTimestamp': NUMBERS | JSON,
                        },
                    ),
                    'CreatedDate': JSON,
                },
            ),
        },
    ),
)

# Of bytes: (where, how many go, what comes), each as a share of the whole.
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.binary(max_size=6)), max_size=4)


def mutated(whole: bytes, mutations: list[tuple[float, int, bytes]]) -> bytes:
    """Bytes with some of them replaced."""
    for where, gone, come in mutations:
        place = int(where * len(whole))
        whole = whole[:place] + come + whole[place + gone :]
    return whole
