"""The client, with nothing of Salesforce but a token and replay, against the fake Salesforce."""

import json
import urllib.request
from urllib.parse import urlencode

import pytest

from nameko_salesforce.bayeux.preparation import Prepared
from tests.bayeux.client.conftest import until

TOPIC = '/topic/InvoiceStatementUpdates'  # one of the built-in seed


class Positions:
    """Begins each subscription after the last event that came."""

    def __init__(self):
        self.last = -2

    def prepare(self, *, login):
        return Prepared(ext={'replay': True})

    def prepare_channel(self, channel, *, refusal):
        return {'replay': {channel: self.last}}


@pytest.fixture
def fake(fake_salesforce):
    return fake_salesforce


@pytest.fixture
def token(fake):
    section = fake.section()
    form = {
        'grant_type': 'client_credentials',
        'client_id': section['CONSUMER_KEY'],
        'client_secret': section['CONSUMER_SECRET'],
    }
    url = f'{fake.base_url}/services/oauth2/token'
    with urllib.request.urlopen(url, urlencode(form).encode(), timeout=10) as response:
        return json.load(response)['access_token']


@pytest.fixture
def stream(fake, make_client, token):
    """A client that is subscribed, and the numbers that it is given."""
    positions, got = Positions(), []

    def take(delivery):
        positions.last = delivery.data['event']['replayId']
        got.append(delivery.data['n'])

    client = make_client(
        client={'headers': lambda: {'Authorization': f'Bearer {token}'}, 'preparation': positions}
    )
    client.subscribe(TOPIC, take).get(timeout=10)
    return got


def handshakes(fake):
    return len(fake.journal('reply', channel='/meta/handshake', successful=True))


def test_events_before_and_after_the_subscription_arrive(fake, make_client, token):
    fake.publish(TOPIC, {'n': 1})
    got = []
    client = make_client(
        client={'headers': lambda: {'Authorization': f'OAuth {token}'}, 'preparation': Positions()}
    )
    client.subscribe(TOPIC, lambda delivery: got.append(delivery.data['n'])).get(timeout=10)
    fake.publish(TOPIC, {'n': 2})
    until(lambda: got == [1, 2], 'both events')
    assert fake.violations() == []


def expire_routing(fake):
    fake.expire_routing_cookies()
    fake.publish(TOPIC, {'n': 1})  # answers the held connect; the next one meets another server


def restart(fake):
    fake.restart()


def disconnect(fake):
    fake.disconnect_all()


@pytest.mark.parametrize('end', [expire_routing, restart, disconnect])
def test_after_the_end_of_a_session_nothing_is_lost(fake, stream, end):
    end(fake)
    for number in (2, 3):
        fake.publish(TOPIC, {'n': number})
    until(lambda: stream[-2:] == [2, 3], 'the events')
    until(lambda: handshakes(fake) == 2, 'the second session')
    assert stream == sorted(set(stream))
    assert fake.violations() == []


def test_a_busy_server_is_left_alone_for_a_while(fake, stream):
    fake.configure(busy=['/meta/handshake', '/meta/connect', '/meta/subscribe'])
    fake.publish(TOPIC, {'n': 1})
    until(lambda: fake.journal('reply', channel='/meta/connect', successful=False), 'the refusal')
    assert stream == [1]
    assert fake.violations() == []
