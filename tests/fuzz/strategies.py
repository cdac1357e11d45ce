"""What servers, clients and files may hold in place of what they should."""

from typing import Any

from hypothesis import strategies as st

__all__ = ['EVENTS', 'JSON', 'MESSAGES', 'MUTATIONS', 'mutated']

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
