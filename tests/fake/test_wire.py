"""The fake's side of the golden exchanges in tests/wire: brought into the situation, it answers as recorded.

Ids of messages and of the session are each side's own; everything else has to be as in the file.
"""

import json
from pathlib import Path

import pytest

FILES = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parents[1] / 'wire').glob('*.json')
}
VANILLA = sorted(stem for stem, exchange in FILES.items() if exchange['profile'] == 'vanilla')

# Only the client's side is held by these. A profile that joins the fake takes its files off the list and
# makes them pass here.
NOT_IMITATED = {
    'faye': [
        'faye-message-without-its-data',
        'faye-poll-of-an-unknown-session',
        'faye-subscription-forbidden',
    ],
    'salesforce': [
        'salesforce-first-connect-answered-at-once',
        'salesforce-handshake-above-the-limit-of-clients',
        'salesforce-handshake-above-the-limit-of-connections',
        'salesforce-handshake-accepted',
        'salesforce-handshake-with-an-invalid-token',
        'salesforce-handshake-without-a-token',
        'salesforce-poll-beside-another-session-of-the-browser',
        'salesforce-poll-ended-by-the-server',
        'salesforce-poll-ended-for-its-token',
        'salesforce-poll-of-a-busy-server',
        'salesforce-poll-of-an-unknown-session',
        'salesforce-poll-whose-token-is-invalid',
        'salesforce-poll-with-an-event',
        'salesforce-poll-with-the-token-of-another-user',
        'salesforce-poll-without-events',
        'salesforce-subscription-above-the-daily-limit',
        'salesforce-subscription-accepted',
        'salesforce-subscription-from-a-lost-position',
        'salesforce-subscription-that-its-replay-map-misses',
        'salesforce-subscription-to-a-malformed-channel',
        'salesforce-subscription-to-no-channel',
    ],
}

# What the server is told beforehand, by file.
SETTINGS = {
    'vanilla-handshake-denied': {'deny_handshake': True},
    'vanilla-poll-refused-beside-another-session-of-the-browser': {'multi_session_interval': 0},
    'vanilla-subscription-denied': {'deny_subscribe': {'/secret': 'not_yours'}},
    'vanilla-subscription-that-may-not-make-its-channel': {'deny_create': {'/**': 'no_new_channels'}},
    'vanilla-message-denied': {'deny_publish': {'/chat/*': 'read_only'}},
}


def publish_the_event(world, peer):
    [event] = [each for each in FILES['vanilla-poll-with-an-event']['reply'] if 'data' in each]
    world.publish(event['channel'], event['data'])


def end_the_session(world, peer):
    world.broker.disconnect(world.now, peer.client_id)
    world.collect()


# What happens while the request is held, by file; a held request without a line here waits its time out.
MEANWHILE = {
    'vanilla-poll-with-an-event': publish_the_event,
    'vanilla-poll-ended-by-the-server': end_the_session,
}


def before_the_session_expires(world, peer):
    world.wait(world.broker.settings.max_interval + 1)


def before_another_session_polls(world, peer):
    other = world.peer()
    other.cookies = peer.cookies
    other.handshake()
    other.connect()
    other.poll()


# What happened just before the request, by file.
BEFORE = {
    'vanilla-poll-of-an-unknown-session': before_the_session_expires,
    'vanilla-subscription-of-an-unknown-session': before_the_session_expires,
    'vanilla-poll-beside-another-session-of-the-browser': before_another_session_polls,
    'vanilla-poll-refused-beside-another-session-of-the-browser': before_another_session_polls,
    'vanilla-poll-with-an-event': lambda world, peer: peer.subscribe('/chat/*'),
    'vanilla-unsubscription-accepted': lambda world, peer: peer.subscribe('/chat'),
}


def anonymous(message):
    return {name: '?' if name in ('id', 'clientId') else value for name, value in message.items()}


def answer(world, stem):
    """The messages that the fake answers the request of a file with."""
    exchange = FILES[stem]
    [request] = exchange['request']
    peer = world.connected() if exchange['situation'] not in ('handshake', 'first connect') else None
    if exchange['situation'] == 'first connect':
        peer = world.peer()
    elif peer is None:
        return world.receive([request]).messages
    BEFORE.get(stem, lambda *_: None)(world, peer)
    at_once = peer.send({**request, 'clientId': peer.client_id})
    if at_once is not None:
        return at_once.messages
    exchange_id = peer.exchange
    MEANWHILE.get(stem, lambda world, _: world.wait(world.broker.settings.timeout))(world, peer)
    return peer.released(exchange_id)


@pytest.mark.parametrize('stem', VANILLA)
def test_the_vanilla_profile_answers_as_recorded(make_world, stem):
    world = make_world(**SETTINGS.get(stem, {}))
    replies = answer(world, stem)
    assert [anonymous(each) for each in replies] == [anonymous(each) for each in FILES[stem]['reply']]


@pytest.mark.parametrize('stem', VANILLA)
def test_ids_are_echoed_where_the_recorded_server_echoes_them(make_world, stem):
    replies = answer(make_world(**SETTINGS.get(stem, {})), stem)
    assert [each.get('id') for each in replies] == [each.get('id') for each in FILES[stem]['reply']]


@pytest.mark.parametrize('profile', NOT_IMITATED)
def test_what_the_fake_does_not_imitate_is_listed(profile):
    assert NOT_IMITATED[profile] == sorted(stem for stem in FILES if FILES[stem]['profile'] == profile)


def test_every_exchange_is_held_or_listed():
    listed = {stem for stems in NOT_IMITATED.values() for stem in stems}
    assert set(VANILLA) | listed == set(FILES)
    assert {*SETTINGS, *MEANWHILE, *BEFORE} <= set(VANILLA)
