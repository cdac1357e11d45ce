"""A client's life beside the ordinary: halts, full mailboxes, preparations of channels, the log."""

import logging

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux import Client
from nameko_salesforce.bayeux.errors import SubscriptionRefused
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.preparation import NoPreparation, PreparationFailed, Prepared
from nameko_salesforce.bayeux.transitions import ChannelState, State
from tests.bayeux.client.conftest import QUICK, TICK, until


def collect(client, channel):
    got = []
    client.subscribe(channel, lambda event: got.append(event.data)).get(timeout=100 * TICK)
    return got


def test_a_with_block_starts_and_stops_the_client(fake, make_client):
    make_client(start=False)  # for its check that nothing survives
    with Client(fake.url, session=SessionOptions(**QUICK)) as client:
        assert client.wait_for_state(State.CONNECTED, 100 * TICK)
    assert client.state is State.HALTED
    until(lambda: fake.sessions() == [], 'the end of the session')


def test_a_client_that_the_server_has_halted_can_be_started_again(fake, make_client):
    fake.configure(deny_handshake=True)
    client = make_client()
    assert client.wait_for_state(State.HALTED, 100 * TICK)
    fake.configure(deny_handshake=False)
    client.start()
    assert client.wait_for_state(State.CONNECTED, 100 * TICK)


def test_a_client_that_the_server_has_halted_is_stopped_at_once(fake, make_client):
    fake.configure(deny_handshake=True)
    client = make_client()
    assert client.wait_for_state(State.HALTED, 100 * TICK)
    client.stop()
    assert fake.journal('request', channel='/meta/disconnect') == []


def test_after_a_halt_no_callback_is_called_and_the_session_goes_on(fake, make_client):
    client = make_client()
    got = collect(client, '/a')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')
    client.halt()
    client.halt()
    mark = fake.mark()
    fake.publish('/a', 2)
    until(lambda: fake.journal('held', channel='/meta/connect', after=mark), 'the next poll')
    assert got == [1]
    client.stop()
    assert [each.detail['why'] for each in fake.journal('closed')] == ['disconnect']


def test_a_stop_behind_a_full_mailbox_is_bounded(fake, make_client):
    client = make_client(client={'mailbox_limit': 1})
    client.subscribe('/a', lambda event: Event().wait()).get(timeout=100 * TICK)
    for number in range(5):
        fake.publish('/a', number)
    until(lambda: len(client._dispatcher._mailbox) > 1, 'a full mailbox')
    with eventlet.Timeout(100 * TICK):
        client.stop()
    assert client.state is not State.CONNECTED


def test_a_channel_whose_preparation_fails_is_refused_and_tried_again(fake, make_client, caplog):
    class Positions:
        failures = [RuntimeError('boom'), PreparationFailed('store is down')]
        refusals = []

        def prepare(self, *, login):
            return Prepared()

        def prepare_channel(self, channel, *, refusal):
            self.refusals.append(refusal)
            if self.failures:
                raise self.failures.pop()
            return {'replay': {channel: -1}}

    client = make_client(client={'preparation': Positions()})
    with pytest.raises(SubscriptionRefused, match='store is down'):
        client.subscribe('/a', print).get(timeout=100 * TICK)
    until(lambda: client.channels['/a'].state is ChannelState.ACTIVE, 'the subscription')
    assert 'the preparation of /a failed' in caplog.text
    assert Positions.refusals == ['', '', '']  # the server has refused nothing


def test_the_log_at_debug_level_is_a_trace_of_the_traffic_without_its_secrets(fake, make_client, caplog):
    caplog.set_level(logging.DEBUG, 'nameko_salesforce.bayeux')
    client = make_client(client={'headers': lambda: {'Authorization': 'Bearer s3cr3t'}})
    got = collect(client, '/a')
    fake.publish('/a', 'x' * 5000)
    until(lambda: got, 'the event')
    text = '\n'.join(caplog.messages)
    for part in (
        '> exchange 1: /meta/handshake id=1',
        '/meta/connect id=',
        "< exchange 1: Reply(channel='/meta/hand",
    ):
        assert part in text
    assert 's3cr3t' not in caplog.text
    assert max(map(len, caplog.messages)) < 300


def test_a_reply_that_belongs_to_nothing_is_logged_at_debug_level(fake, make_client, caplog):
    caplog.set_level(logging.DEBUG, 'nameko_salesforce.bayeux')
    fake.faults.add('duplicate', channel='/meta/connect')
    client = make_client(client={'preparation': NoPreparation()})
    until(lambda: 'ignored: exchange' in caplog.text, 'the log line')
    assert client.wait_for_state(State.CONNECTED, 100 * TICK)
