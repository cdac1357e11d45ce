"""The fake's side of the golden exchanges in tests/wire: brought into the situation, it answers as recorded.

Ids of messages and of the session are each side's own; everything else has to be as in the file.
"""

import json
from pathlib import Path

import pytest
from fake_salesforce.settings import PROFILES

FILES = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parents[1] / 'wire').glob('*.json')
}
IMITATED = sorted(stem for stem, exchange in FILES.items() if exchange['profile'] in PROFILES)

# Only the client's side is held by these. A profile that joins the fake takes its files off the list and
# makes them pass here.
NOT_IMITATED = {
    'faye': [
        'faye-message-without-its-data',
        'faye-poll-of-an-unknown-session',
        'faye-subscription-forbidden',
    ],
}

# What the server is told beforehand, by file.
SETTINGS = {
    'vanilla-handshake-denied': {'deny_handshake': True},
    'vanilla-poll-refused-beside-another-session-of-the-browser': {'multi_session_interval': 0},
    'vanilla-subscription-denied': {'deny_subscribe': {'/secret': 'not_yours'}},
    'vanilla-subscription-that-may-not-make-its-channel': {'deny_create': {'/**': 'no_new_channels'}},
    'vanilla-message-denied': {'deny_publish': {'/chat/*': 'read_only'}},
    'salesforce-handshake-above-the-limit-of-clients': {'client_limit': 0},
    'salesforce-handshake-above-the-limit-of-connections': {'too_many_connections': True},
    'salesforce-poll-of-a-busy-server': {'busy': ['/meta/connect']},
    'salesforce-poll-with-an-event': {'events_name_client': True},
    'salesforce-poll-with-a-generic-event': {'events_name_client': True},
}

# The request's `Authorization`, where it is not the good token that came with the handshake.
TOKENS = {
    'salesforce-handshake-with-an-invalid-token': 'Bearer dead',
    'salesforce-handshake-without-a-token': None,
    'salesforce-poll-whose-token-is-invalid': 'Bearer dead',
    'salesforce-poll-with-the-token-of-another-user': 'Bearer other',
}


POLLS_WITH_AN_EVENT = [
    'vanilla-poll-with-an-event',
    'salesforce-poll-with-a-change-event',
    'salesforce-poll-with-a-generic-event',
    'salesforce-poll-with-a-platform-event',
    'salesforce-poll-with-an-event',
]


def publish_the_event(stem):
    [event] = [each for each in FILES[stem]['reply'] if 'data' in each]
    return lambda world, peer: world.publish(event['channel'], event['data'])


def end_the_session(world, peer):
    world.broker.disconnect(world.now, peer.client_id)
    world.collect()


def end_the_token(world, peer):
    world.org.users.clear()
    world.wait(world.broker.settings.timeout)


# What happens while the request is held, by file; a held request without a line here waits its time out.
MEANWHILE = {
    **{stem: publish_the_event(stem) for stem in POLLS_WITH_AN_EVENT},
    'vanilla-poll-ended-by-the-server': end_the_session,
    'salesforce-poll-ended-by-the-server': end_the_session,
    'salesforce-poll-ended-for-its-token': end_the_token,
}


def before_the_session_expires(world, peer):
    world.wait(world.broker.settings.max_interval + 1)


def before_another_session_polls(world, peer):
    other = world.peer()
    other.cookies = peer.cookies
    other.handshake()
    other.connect()
    other.poll()


def before_the_event(stem):
    [channel] = [each['channel'] for each in FILES[stem]['reply'] if 'data' in each]
    return lambda world, peer: peer.subscribe(channel)


def before_the_channel_is_missed(stem):
    """The org says of a channel what the recorded one said."""
    [reply] = FILES[stem]['reply']
    return lambda world, peer: world.org.problems.update({reply['subscription']: reply['error']})


def before_the_day_is_over(world, peer):
    peer.subscribe('/event/Y__e')
    world.publish('/event/Y__e', {})
    peer.connect()
    world.broker.settings = world.broker.settings.changed({'daily_event_limit': 1})


# What happened just before the request, by file.
BEFORE = {
    'vanilla-poll-of-an-unknown-session': before_the_session_expires,
    'vanilla-subscription-of-an-unknown-session': before_the_session_expires,
    'vanilla-poll-beside-another-session-of-the-browser': before_another_session_polls,
    'vanilla-poll-refused-beside-another-session-of-the-browser': before_another_session_polls,
    **{stem: before_the_event(stem) for stem in POLLS_WITH_AN_EVENT},
    'vanilla-unsubscription-accepted': lambda world, peer: peer.subscribe('/chat'),
    'salesforce-poll-of-an-unknown-session': before_the_session_expires,
    'salesforce-poll-beside-another-session-of-the-browser': before_another_session_polls,
    'salesforce-subscription-above-the-daily-limit': before_the_day_is_over,
    **{
        stem: before_the_channel_is_missed(stem)
        for stem in (
            'salesforce-subscription-to-a-malformed-channel',
            'salesforce-subscription-to-no-channel',
        )
    },
}


def anonymous(message):
    return {name: '?' if name in ('id', 'clientId') else value for name, value in message.items()}


def answer(make_world, stem):
    """The messages that the fake answers the request of a file with."""
    exchange = FILES[stem]
    world = make_world(exchange['profile'], **SETTINGS.get(stem, {}))
    [request] = exchange['request']
    how = {'authorization': TOKENS[stem]} if stem in TOKENS else {}
    if exchange['situation'] == 'handshake':
        return world.receive([request], **how).messages
    peer = world.peer() if exchange['situation'] == 'first connect' else world.connected()
    BEFORE.get(stem, lambda *_: None)(world, peer)
    at_once = peer.send({**request, 'clientId': peer.client_id}, **how)
    if at_once is not None:
        return at_once.messages
    exchange_id = peer.exchange
    MEANWHILE.get(stem, lambda world, _: world.wait(world.broker.settings.timeout))(world, peer)
    return peer.released(exchange_id)


@pytest.mark.parametrize('stem', IMITATED)
def test_the_fake_answers_as_recorded(make_world, stem):
    replies = answer(make_world, stem)
    assert [anonymous(each) for each in replies] == [anonymous(each) for each in FILES[stem]['reply']]


@pytest.mark.parametrize('stem', IMITATED)
def test_ids_are_echoed_where_the_recorded_server_echoes_them(make_world, stem):
    replies = answer(make_world, stem)
    # A file has the id of its request as a text, for our session sends texts; one reply has kept a number.
    [request] = FILES[stem]['request']
    recorded = [each.get('id') for each in FILES[stem]['reply']]
    assert [each.get('id') for each in replies] == [
        request['id'] if str(each) == request['id'] else each for each in recorded
    ]


def test_what_the_fake_does_not_imitate_is_listed():
    for profile, stems in NOT_IMITATED.items():
        assert stems == sorted(stem for stem in FILES if FILES[stem]['profile'] == profile)


def test_every_exchange_is_held_or_listed():
    listed = {stem for stems in NOT_IMITATED.values() for stem in stems}
    assert set(IMITATED) | listed == set(FILES)
    assert {*SETTINGS, *MEANWHILE, *BEFORE, *TOKENS} <= set(IMITATED)
