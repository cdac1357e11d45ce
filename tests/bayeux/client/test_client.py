"""The client on real sockets: what a user asks, what a server does, and what is left afterwards."""

import contextlib
import logging
import time
from typing import get_args

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.effects import Effect
from nameko_salesforce.bayeux.errors import (
    ExchangeFailed,
    LocalError,
    MessageTooLarge,
    NotAnswered,
    PublishRefused,
    Stopped,
    SubscriptionRefused,
)
from nameko_salesforce.bayeux.messages import Reply
from nameko_salesforce.bayeux.policy import GenericPolicy
from nameko_salesforce.bayeux.preparation import PreparationFailed, Prepared
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.bayeux.transport import TransportOptions
from tests.bayeux.client.conftest import TICK, until


def collect(client, channel):
    """Subscribe; the list that grows with each event's data."""
    got = []
    client.subscribe(channel, lambda event: got.append(event.data)).get(timeout=100 * TICK)
    return got


def connected(client):
    assert client.wait_for_state(State.CONNECTED, 100 * TICK), f'{client.state}: {client.why}'
    return client


def held(fake):
    """Wait until a poll is held at the server."""
    until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')


# --- what users ask -----------------------------------------------------------------------------


@pytest.mark.defect('D11')
def test_an_event_reaches_its_callback(fake, make_client):
    got = collect(make_client(), '/a')
    fake.publish('/a', {'n': 1})
    until(lambda: got == [{'n': 1}], 'the event')


def test_events_arrive_in_order(fake, make_client):
    got = collect(make_client(), '/a')
    fake.publish_many([('/a', number) for number in range(1000)])
    until(lambda: len(got) == 1000, '1,000 events')
    assert got == list(range(1000))


@pytest.mark.defect('D8')
def test_wildcards_bring_each_event_once_to_every_callback(fake, make_client):
    client = make_client()
    one, deep, plain = collect(client, '/a/*'), collect(client, '/a/**'), collect(client, '/a/b')
    fake.publish('/a/b', 1)
    fake.publish('/a/b/c', 2)
    until(lambda: len(deep) == 2, 'both events')
    assert (one, deep, plain) == ([1], [1, 2], [1])


@pytest.mark.defect('D13')
def test_callbacks_of_one_channel_are_called_in_declared_order(fake, make_client):
    client, order = make_client(), []
    for name in ('first', 'second', 'third'):
        client.subscribe('/a', lambda event, name=name: order.append(name)).get(timeout=100 * TICK)
    fake.publish('/a', 1)
    until(lambda: len(order) == 3, 'three calls')
    assert order == ['first', 'second', 'third']


@pytest.mark.defect('D13')
def test_subscribe_unsubscribe_and_publish_work_while_a_poll_is_held(fake, make_client):
    client = connected(make_client())
    held(fake)
    got = collect(client, '/a')
    client.publish('/a', 'x').get(timeout=100 * TICK)
    until(lambda: got == ['x'], 'our own message')
    client.unsubscribe('/a').get(timeout=100 * TICK)
    client.publish('/a', 'y').get(timeout=100 * TICK)
    assert fake.sessions()[0]['subscriptions'] == []
    assert client.channels == {}


@pytest.mark.defect('D14')
def test_a_command_does_not_wait_for_the_held_poll(fake, make_client):
    client = connected(make_client())
    held(fake)
    began = time.monotonic()
    client.subscribe('/a', print).get(timeout=100 * TICK)
    assert time.monotonic() - began < fake.settings()['timeout'] / 10


def test_unsubscribing_one_callback_keeps_the_others(fake, make_client):
    client, got = make_client(), []
    client.subscribe('/a', got.append).get(timeout=100 * TICK)
    other = collect(client, '/a')
    client.unsubscribe('/a', got.append).get(timeout=100 * TICK)
    fake.publish('/a', 1)
    until(lambda: other == [1], 'the event')
    assert got == []


def test_unsubscribing_what_is_not_subscribed_is_a_mistake(make_client):
    with pytest.raises(LocalError, match="'/a' is not subscribed to"):
        make_client().unsubscribe('/a')


def test_a_refused_subscription_raises_is_visible_and_is_tried_again(fake, make_client):
    fake.configure(deny_subscribe={'/a': 'not_yours'})
    client = make_client()
    with pytest.raises(SubscriptionRefused, match='not_yours'):
        client.subscribe('/a', print).get(timeout=100 * TICK)
    assert client.channels['/a'].state is ChannelState.REFUSED
    assert 'not_yours' in client.channels['/a'].reason
    fake.configure(deny_subscribe={})
    until(lambda: client.channels['/a'].state is ChannelState.ACTIVE, 'the next attempt')


def test_a_refused_channel_is_logged_once(fake, make_client, caplog):
    caplog.set_level(logging.WARNING, 'nameko_salesforce')
    fake.configure(deny_subscribe={'/a': 'not_yours'})
    client = make_client()
    client.subscribe('/a', print)
    until(lambda: client.channels['/a'].failures >= 3, 'three refusals')
    assert len([each for each in caplog.messages if 'channel /a is refused' in each]) == 1


def test_a_refused_message_raises(fake, make_client):
    fake.configure(deny_publish={'/a': 'read_only'})
    with pytest.raises(PublishRefused, match='read_only'):
        make_client().publish('/a', 1).get(timeout=100 * TICK)


def test_what_cannot_be_called_is_refused_at_once(fake, make_client):
    client = make_client()
    with pytest.raises(LocalError, match="'/a': None cannot be called"):
        client.subscribe('/a', None)
    with pytest.raises(LocalError, match='cannot be called'):
        client.listen('/meta/connect', 'x')
    with pytest.raises(LocalError, match='headers: a function'):
        make_client(start=False, client={'headers': {'Authorization': 'x'}})


def test_who_waits_in_vain_learns_where_the_client_stands(fake, make_client):
    client = make_client(url='http://127.0.0.1:9/cometd')
    with pytest.raises(
        NotAnswered, match=r'the client is PAUSING, no connection: 127.0.0.1:9: Connection refused'
    ):
        client.publish('/a', 1).get(timeout=4 * TICK)


def test_a_message_that_is_no_json_or_too_large_is_refused_at_once(make_client):
    client = make_client()
    with pytest.raises(LocalError, match='/a: the data is no JSON'):
        client.publish('/a', object())
    with pytest.raises(MessageTooLarge, match='does not fit into a request of 32768 bytes'):
        client.publish('/a', 'x' * 33_000)


def test_requests_stay_below_the_limit(fake, make_client):
    client = connected(make_client())
    client.publish('/a', 'x' * 32_600).get(timeout=100 * TICK)
    with pytest.raises(MessageTooLarge):
        client.publish('/a', 'x' * 32_700)  # and some 100 around it
    results = [client.publish('/a', 'x' * 10_000) for _ in range(10)]
    for result in results:
        result.get(timeout=100 * TICK)
    assert fake.violations() == []


def test_a_result_that_is_not_waited_for_any_longer_withdraws_its_message(fake, make_client):
    fake.faults.add('never', channel='/meta/handshake', processed=False)
    client = make_client()
    with pytest.raises(NotAnswered, match='publish on /a: no answer within'):
        client.publish('/a', 1).get(timeout=2 * TICK)
    connected(client)
    client.publish('/b', 1).get(timeout=100 * TICK)
    assert fake.journal('request', channel='/a') == []


def test_giving_up_on_a_result_leaves_the_session_alone(fake, make_client, caplog):
    client = connected(make_client())
    fake.faults.add('never', channel='/a')
    with pytest.raises(NotAnswered):
        client.publish('/a', 1).get(timeout=TICK)
    with pytest.raises(NotAnswered):
        client.subscribe('/b', print).get(timeout=TICK)
    until(lambda: client.channels['/b'].state is ChannelState.ACTIVE, 'the subscription')
    assert fake.wait_for('request', channel='/meta/handshake', count=1)
    assert len(fake.journal('request', channel='/meta/handshake')) == 1
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_one_who_gives_up_does_not_take_the_answer_from_another(fake, make_client):
    fake.faults.add('never', channel='/meta/handshake', processed=False)
    client = make_client()
    result, heard = client.publish('/a', 1), []
    waiting = eventlet.spawn(lambda: heard.append(pytest.raises(NotAnswered, result.get)))
    with pytest.raises(NotAnswered):
        result.get(timeout=2 * TICK)
    until(lambda: heard, 'the other to hear that the message was withdrawn')
    waiting.wait()


def test_a_message_whose_answer_is_lost_raises_and_is_not_sent_twice(fake, make_client):
    client = connected(make_client())
    fake.faults.add('drop_after', channel='/a')
    with pytest.raises(ExchangeFailed):
        client.publish('/a', 1).get(timeout=100 * TICK)
    client.publish('/b', 1).get(timeout=100 * TICK)
    assert len(fake.journal('request', channel='/a')) == 1


def test_meta_replies_reach_their_listeners(fake, make_client):
    client, replies = make_client(start=False), []
    client.listen('/meta/handshake', replies.append)
    client.start()
    until(lambda: replies, 'the handshake reply')
    assert isinstance(replies[0], Reply)
    assert replies[0].successful
    with pytest.raises(LocalError, match='use subscribe'):
        client.listen('/a', print)


def test_headers_are_asked_for_with_each_request(fake, make_client):
    asked = []

    def headers():
        asked.append(1)
        return {'X-Number': str(len(asked))}

    connected(make_client(client={'headers': headers}))
    held(fake)
    assert len(asked) >= 3


def test_a_timeout_that_leaks_out_of_headers_does_not_end_the_stream(fake, make_client, caplog):
    leaks = [eventlet.Timeout(None), RuntimeError('boom')]

    def headers():
        if leaks:
            raise leaks.pop()
        return {}

    connected(make_client(client={'headers': headers}))
    assert leaks == []
    assert 'failed from within' in caplog.text
    caplog.clear()


def test_extensions_see_and_change_every_message(fake, make_client):
    class Stamp:
        seen = []

        def outgoing(self, message):
            return {**message, 'ext': {**message.get('ext', {}), 'stamp': 1}}

        def incoming(self, message):
            self.seen.append(message['channel'])
            return None if message.get('data') == 'drop me' else message

    stamp = Stamp()
    client = make_client(client={'extensions': [stamp]})
    got = collect(client, '/a')
    fake.publish('/a', 'drop me')
    fake.publish('/a', 'keep me')
    until(lambda: got, 'the event')
    assert got == ['keep me']
    requests = fake.journal('request')
    assert all(entry.detail['ext']['stamp'] == 1 for entry in requests)
    assert {'/meta/handshake', '/meta/connect', '/meta/subscribe', '/a'} <= set(stamp.seen)


@pytest.mark.defect('D8')
def test_an_event_on_a_channel_that_nobody_asked_for_is_logged_and_dropped(fake, make_client, caplog):
    class Astray:
        def outgoing(self, message):
            return message

        def incoming(self, message):
            return {**message, 'channel': '/x/y'} if message.get('data') == 'stray' else message

    caplog.set_level(logging.INFO, 'nameko_salesforce')
    got = collect(make_client(client={'extensions': [Astray()]}), '/a')
    fake.publish_many([('/a', 'stray'), ('/a', 'good')])
    until(lambda: got == ['good'], 'the event behind it')
    assert 'events on /x/y have no callback and are dropped' in caplog.text


def test_an_extension_that_fails_is_logged_and_left_out(fake, make_client, caplog):
    class Broken:
        def outgoing(self, message):
            raise RuntimeError('boom')

        incoming = outgoing

    got = collect(make_client(client={'extensions': [Broken()]}), '/a')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')
    assert 'boom' in caplog.text


@pytest.mark.defect('D2')
def test_a_callback_that_raises_is_logged_and_the_next_event_is_handled(fake, make_client, caplog):
    client, got = make_client(), []

    def fragile(event):
        got.append(event.data)
        if event.data == 1:
            raise RuntimeError('boom')
        if event.data == 2:
            raise eventlet.Timeout(1)

    client.subscribe('/a', fragile).get(timeout=100 * TICK)
    fake.publish_many([('/a', 1), ('/a', 2), ('/a', 3)])
    until(lambda: got == [1, 2, 3], 'all events')
    assert 'boom' in caplog.text


def test_a_slow_callback_does_not_keep_the_next_poll_back(fake, make_client):
    client, release = connected(make_client()), eventlet.event.Event()
    client.subscribe('/a', lambda event: release.wait()).get(timeout=100 * TICK)
    mark = fake.mark()
    fake.publish('/a', 1)
    until(lambda: fake.journal('held', after=mark), 'the next poll, while the callback still runs')
    release.send()


def test_a_backlog_that_outruns_its_callbacks_does_not_grow_memory(fake, make_client):
    # Small pieces of one long response: the lane stops reading while more than ten events wait.
    client, release, most = make_client(client={'mailbox_limit': 10}), eventlet.event.Event(), []
    got = []

    def slow(event):
        release.wait()
        got.append(event.data)
        most.append(len(client._dispatcher._mailbox))

    client.subscribe('/a', slow).get(timeout=100 * TICK)
    fake.publish_many([('/a', 'x' * 1000)] * 2000)
    until(lambda: len(client._dispatcher._mailbox) > 10, 'a full mailbox')
    release.send()
    until(lambda: len(got) == 2000, '2,000 events')
    assert max(most) <= 10 + 2 * 65_536 // 1000


class Durable(GenericPolicy):
    def is_durable(self, channel):
        return channel == '/a'


def test_events_held_back_for_the_answer_to_their_subscribe_do_not_grow_memory(fake, make_client):
    client = connected(make_client(client={'mailbox_limit': 10, 'policy': Durable()}, settling=0.0))
    most, got = [], []
    held(fake)
    fake.faults.add('delay', channel='/meta/subscribe', seconds=10 * TICK)
    subscribed = client.subscribe('/a', lambda event: got.append(len(event.data)))
    until(lambda: fake.journal('reply', channel='/meta/subscribe'), 'the subscription')
    fake.publish_many([('/a', 'x' * 1000)] * 2000)

    def watch():
        most.append(client._session.held_back[0])
        return subscribed.done

    until(watch, 'the answer to the subscribe')
    subscribed.get()
    until(lambda: len(got) == 2000, '2,000 events')
    assert 10 < max(most) <= 10 + 2 * 65_536 // 1000


def test_changes_are_told_to_the_observer(fake, make_client):
    told = []
    client = make_client(client={'observe': told.append})
    client.subscribe('/a', print).get(timeout=100 * TICK)
    until(lambda: any(getattr(each, 'channel', '') == '/a' for each in told), 'the channel')
    assert [each.new for each in told if hasattr(each, 'new')] == [
        State.PREPARING,
        State.HANDSHAKING,
        State.CONNECTING,
        State.CONNECTED,
    ]


# --- what servers do ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    'fault',
    [
        'drop_before',
        'drop_after',
        'truncate',
        'html',
        'empty',
        'reorder',
        'no_channel',
        'no_successful',
        'no_id',
        'garbage',
        'reset',
        'delay',
        'drip',
    ],
)
@pytest.mark.parametrize('channel', ['/meta/handshake', '/meta/connect', '/meta/subscribe'])
def test_a_fault_of_the_network_is_survived(fake, make_client, fault, channel):
    fake.faults.add(fault, channel=channel, count=2, seconds=0.001)
    client, got = make_client(), []
    client.subscribe('/a', lambda event: got.append(event.data)).get(timeout=200 * TICK)
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')
    assert any(each['struck'] for each in fake.faults.list())


@pytest.mark.parametrize('status', [401, 403, 413, 500, 503])
def test_an_http_status_is_survived(fake, make_client, status):
    got = collect(make_client(), '/a')
    fake.faults.add('status', status=status, count=3)
    fake.restart()
    until(lambda: len(fake.journal('fault')) == 3, 'three refusals')
    until(lambda: fake.sessions() and fake.sessions()[0]['subscriptions'] == ['/a'], 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


@pytest.mark.defect('D1')
def test_a_poll_that_is_never_answered_is_given_up_after_hold_and_allowance(fake, make_client):
    fake.configure(timeout=10 * TICK)
    client = make_client(network_allowance=10 * TICK)
    fake.faults.add('never', channel='/meta/connect', nth=2)
    connected(client)
    began = time.monotonic()
    until(lambda: client.state is State.RECONNECTING, 'the end of the poll')
    assert 19 * TICK < time.monotonic() - began < 40 * TICK
    assert 'answer took too long' in client.why
    until(lambda: client.state is State.CONNECTED, 'the way back')


@pytest.mark.defect('D1')
def test_a_command_that_is_never_answered_is_given_up_after_the_allowance(fake, make_client):
    client = connected(make_client(network_allowance=10 * TICK))
    fake.faults.add('never', channel='/a')
    began = time.monotonic()
    with pytest.raises(ExchangeFailed, match='answer took too long'):
        client.publish('/a', 1).get(timeout=100 * TICK)
    assert 9 * TICK < time.monotonic() - began < 30 * TICK


@pytest.mark.defect('D3')
@pytest.mark.parametrize('error', ['403::Unknown client', '401::Authentication invalid'])
def test_a_server_disconnect_is_answered_with_a_new_session(fake, make_client, error):
    got = collect(make_client(), '/a')
    mark = fake.mark()
    fake.faults.add('server_disconnect', channel='/meta/connect', error=error, processed=False)
    fake.publish('/b', 1)
    fake.advance(31)
    until(lambda: fake.journal('request', channel='/meta/handshake', after=mark), 'a handshake')
    until(lambda: fake.journal('reply', channel='/meta/subscribe', after=mark), 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


def test_an_expired_session_is_replaced_and_subscribed_again(fake, make_client):
    got = collect(make_client(), '/a')
    fake.restart()
    until(lambda: fake.sessions() and fake.sessions()[0]['subscriptions'] == ['/a'], 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


def test_a_server_that_starts_again_is_found_again(fake, make_client):
    got = collect(make_client(), '/a')
    fake.stop()
    until(lambda: got == [] and fake.running is False, 'the stop')
    fake.start()
    fake.restart()
    until(lambda: fake.sessions() and fake.sessions()[0]['subscriptions'] == ['/a'], 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


@pytest.mark.defect('D6')
def test_many_polls_need_one_handshake(fake, make_client):
    fake.configure(timeout=2 * TICK)  # below one TICK a hold would count as none, after which polls rest
    connected(make_client())
    until(lambda: len(fake.journal('request', channel='/meta/connect')) >= 30, '30 polls')
    assert len(fake.journal('request', channel='/meta/handshake')) == 1
    assert fake.violations() == []


def test_cookies_go_with_both_connections(fake, make_client):
    client = make_client()
    client.subscribe('/a', print).get(timeout=100 * TICK)
    held(fake)
    assert fake.violations() == []  # among them: a cookie that is not sent


def test_ack_brings_the_events_of_a_lost_answer_again(fake, make_client):
    got = collect(make_client(ack=True), '/a')
    held(fake)
    fake.faults.add('drop_after', channel='/meta/connect')
    fake.publish('/a', 1)
    fake.publish('/a', 2)
    until(lambda: got == [1, 2], 'both events')


def test_a_giant_message_is_skipped_told_and_does_not_come_between(fake, make_client, caplog):
    told = []
    options = TransportOptions(message_limit=10_000)
    client = make_client(client={'transport': options, 'observe': told.append})
    got = collect(client, '/a')
    fake.publish_many([('/a', 1), ('/a', 'x' * 20_000), ('/a', 3)])
    until(lambda: got == [1, 3], 'the events around it')
    assert 'characters on /a was skipped: it is longer than message_limit, 10000' in caplog.text
    assert any(type(each).__name__ == 'MessageSkipped' for each in told)


def test_an_outage_is_told_at_its_begin_and_at_its_end(fake, make_client, caplog):
    caplog.set_level(logging.WARNING, 'nameko_salesforce')
    collect(make_client(), '/a')
    fake.restart()
    until(lambda: any('connected again' in each for each in caplog.messages), 'the good news')
    assert 'next attempt in' in caplog.messages[0]
    assert 'with a new session: what was published meanwhile may be lost' in caplog.messages[-1]


# --- preparation --------------------------------------------------------------------------------


class Preparing:
    """Gives an address late, and a replay position per channel; fails as often as told."""

    def __init__(self, url=None, failures=()):
        self.url = url
        self.failures = list(failures)
        self.asked = []

    def prepare(self, *, login):
        self.asked.append(login)
        if self.failures:
            raise self.failures.pop(0)
        return Prepared(url=self.url, ext={'replay': True})

    def prepare_channel(self, channel, *, refusal):
        return {'replay': {channel: -1}}


def test_what_a_preparation_gives_is_on_the_wire(fake, make_client):
    preparing = Preparing(url=fake.url)
    client = make_client(url='http://127.0.0.1:9/nowhere', client={'preparation': preparing})
    client.subscribe('/a', print).get(timeout=100 * TICK)
    (handshake,) = fake.journal('request', channel='/meta/handshake')
    (subscribe,) = fake.journal('request', channel='/meta/subscribe')
    assert handshake.detail['ext'] == {'replay': True}
    assert subscribe.detail['ext'] == {'replay': {'/a': -1}}


def test_a_preparation_that_fails_is_tried_again_and_its_surprises_are_logged(fake, make_client, caplog):
    preparing = Preparing(failures=[PreparationFailed('login down'), RuntimeError('boom')])
    connected(make_client(client={'preparation': preparing}))
    assert len(preparing.asked) == 3
    [paused] = [text for text in caplog.messages if 'RuntimeError' in text and 'PAUSING' in text]
    assert 'boom' not in paused  # which may hold what was being sent; the traceback is logged once
    assert 'boom' in caplog.text
    assert 'login down' in caplog.text


@pytest.mark.parametrize('given', [Prepared(url='no address'), None, Prepared(ext=7)])
def test_a_preparation_that_gives_nonsense_is_tried_again(fake, make_client, caplog, given):
    class Nonsense(Preparing):
        def prepare(self, *, login):
            good = super().prepare(login=login)
            return good if len(self.asked) > 1 else given

    connected(make_client(client={'preparation': Nonsense()}))
    assert 'the preparation of a session failed' in caplog.text


def test_a_preparation_that_never_ends_is_given_up_and_tried_again(fake, make_client, caplog, monkeypatch):
    monkeypatch.setattr('nameko_salesforce.bayeux.preparation.PREPARATION_LIMIT', 2 * TICK)

    class Hanging(Preparing):
        channels = 0

        def prepare(self, *, login):
            prepared = super().prepare(login=login)
            if len(self.asked) == 1:
                eventlet.sleep(1000)
            return prepared

        def prepare_channel(self, channel, *, refusal):
            self.channels += 1
            if self.channels == 1:
                eventlet.sleep(1000)
            return

    client = connected(make_client(client={'preparation': Hanging()}))
    client.subscribe('/a', print)
    until(lambda: client.channels['/a'].state is ChannelState.ACTIVE, 'the channel')
    assert 'it took over' in caplog.text


def test_a_killed_preparation_does_not_answer_for_the_next_life(fake, make_client):
    class Hanging(Preparing):
        def prepare(self, *, login):
            prepared = super().prepare(login=login)
            if len(self.asked) == 1:
                eventlet.sleep(1000)
            eventlet.sleep(TICK)
            return prepared

    hanging, told = Hanging(), []
    client = make_client(client={'preparation': hanging, 'observe': told.append})
    until(lambda: hanging.asked, 'the preparation')
    client.kill()
    client.start()
    connected(client)
    assert State.PAUSING not in [each.new for each in told if hasattr(each, 'new')]


def test_http_401_asks_the_preparation_for_new_credentials(fake, make_client):
    preparing = Preparing()
    connected(make_client(client={'preparation': preparing}))
    fake.faults.add('status', status=401)
    fake.restart()
    until(lambda: True in preparing.asked, 'a login')


# --- our own failures ---------------------------------------------------------------------------


class BrokenOnce(GenericPolicy):
    """Raises at the first trouble."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, 'failed', [])  # the policy is frozen

    def judge(self, trouble):
        if not self.failed:
            self.failed.append(trouble)
            raise RuntimeError('boom')
        return super().judge(trouble)


def test_a_policy_that_raises_does_not_end_the_stream(fake, make_client, caplog):
    got = collect(make_client(client={'policy': BrokenOnce()}), '/a')
    fake.restart()
    until(lambda: 'the session failed from within' in caplog.text, 'the report')
    until(lambda: any(each['subscriptions'] == ['/a'] for each in fake.sessions()), 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')
    caplog.clear()


@pytest.mark.parametrize('where', ['callback', 'headers', 'preparation', 'prepare_channel'])
def test_a_greenlet_exit_of_somebody_else_s_thread_does_not_end_the_stream(fake, make_client, caplog, where):
    # `wait()` on a green thread that was killed raises GreenletExit in the one who waits.
    struck = []

    def strike(here):
        if here == where and not struck:
            struck.append(1)
            other = eventlet.spawn(eventlet.sleep, 1000)
            eventlet.sleep(0)
            other.kill()
            other.wait()

    class Striking(Preparing):
        def prepare(self, *, login):
            strike('preparation')
            return super().prepare(login=login)

        def prepare_channel(self, channel, *, refusal):
            strike('prepare_channel')
            return

    got = []
    client = make_client(
        client={'headers': lambda: strike('headers') or {}, 'preparation': Striking()},
    )
    client.subscribe('/a', lambda event: (got.append(event.data), strike('callback')))
    until(lambda: client.channels['/a'].state is ChannelState.ACTIVE, 'the channel')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the first event')
    fake.publish('/a', 2)
    until(lambda: got == [1, 2], 'the second event')
    assert struck
    caplog.clear()  # the failure from within was asked for


def test_who_waits_while_it_fails_within_is_answered_and_nothing_is_sent_later(fake, make_client, caplog):
    class Broken(GenericPolicy):
        results = []

        def judge(self, trouble):
            if not self.results:
                self.results.append(client.publish('/late', 1))  # behind the failure in the inbox
                raise RuntimeError('boom')
            return super().judge(trouble)

    broken = Broken()
    client = connected(make_client(client={'policy': broken}))
    fake.restart()
    until(lambda: broken.results, 'the failure')
    with pytest.raises(Stopped, match='boom'):
        broken.results[0].get(timeout=20 * TICK)
    connected(client)
    client.publish('/b', 1).get(timeout=100 * TICK)
    assert fake.journal('request', channel='/late') == []
    caplog.clear()  # the failure from within was asked for


@contextlib.contextmanager
def all_logged_to(handler):
    """Log handlers run wherever somebody logs."""
    log = logging.getLogger('nameko_salesforce.bayeux')
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def test_a_kill_from_within_the_driver_is_complete(fake, make_client):
    class Deadly(logging.Handler):
        """This line stands between a transition and its request."""

        def emit(self, record):
            if 'PREPARING -> HANDSHAKING' in record.getMessage() and not struck:
                struck.append(1)
                client.kill()

    struck = []
    with all_logged_to(Deadly()):
        client = make_client()
        until(lambda: struck, 'the kill')
        eventlet.sleep(2 * TICK)
        assert fake.journal('request') == []
    client.start()
    connected(client)


def test_events_in_an_answer_whose_judging_fails_within_are_delivered(fake, make_client, caplog):
    broken = BrokenOnce()
    client = make_client(client={'policy': broken})
    got = collect(client, '/a')
    held(fake)

    class Refusing:
        """The answer to the poll says no, behind its event."""

        def outgoing(self, message):
            return message

        def incoming(self, message):
            if message['channel'] == '/meta/connect' and got_event:
                return {**message, 'successful': False, 'error': '402::Unknown client'}
            got_event.extend([1] if message['channel'] == '/a' else [])
            return message

    got_event = []
    for lane in client._lanes.values():
        lane._extensions = (Refusing(),)
    fake.publish('/a', 1)
    until(lambda: broken.failed, 'the failure')
    until(lambda: got == [1], 'the event')
    caplog.clear()  # the failure from within was asked for


def test_a_log_handler_that_raises_at_an_answer_does_not_end_the_stream(fake, make_client, caplog):
    class Raising(logging.Handler):
        def emit(self, record):
            if '< exchange' in record.getMessage() and not raised:
                raised.append(1)
                raise RuntimeError('boom')

    raised = []
    with all_logged_to(Raising()):
        client = make_client()
        until(lambda: raised, 'the line in the log')
        connected(client)
    caplog.clear()  # the failure from within was asked for


def test_what_is_asked_while_a_lane_is_held_up_by_a_log_waits_for_it_and_costs_no_turns(fake, make_client):
    class Waiting(logging.Handler):
        """One that writes to a network: it gives way in the middle of what the session wants done."""

        def emit(self, record):
            if 'CONNECTING -> CONNECTED' in record.getMessage() and not lane:
                lane.append(eventlet.getcurrent())
                going_on.wait()

    lane, going_on, handler = [], Event(), Waiting()
    log = logging.getLogger('nameko_salesforce.bayeux')
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        client = make_client()
        until(lambda: lane, 'the line in the log')
        result = client.publish('/a', 1)
        eventlet.sleep(TICK)
        assert not fake.journal('request', channel='/a')
        spent = time.process_time()
        eventlet.sleep(10 * TICK)
        assert time.process_time() - spent < 5 * TICK
        going_on.send()
        result.get(timeout=100 * TICK)
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
    assert lane[0] is not client._driving


def test_a_stop_in_the_pause_after_a_failure_from_within_begins_nothing(fake, make_client, caplog):
    class Broken(GenericPolicy):
        def judge(self, trouble):
            raise RuntimeError('boom')

    client = connected(make_client(client={'policy': Broken()}))
    held(fake)
    mark = fake.mark()
    fake.restart()
    until(lambda: client.state is State.IDLE, 'the failure')
    client.stop()
    eventlet.sleep(TICK)
    assert fake.journal('request', after=mark) == []
    caplog.clear()  # the failure from within was asked for


def test_what_fails_within_is_told_and_leaves_no_old_preparation_behind(fake, make_client, caplog):
    class Slow(Preparing):
        under_way = 0

        def prepare_channel(self, channel, *, refusal):
            self.under_way += 1
            try:
                eventlet.sleep(1000)
            finally:
                self.under_way -= 1

    slow, told = Slow(), []
    client = make_client(client={'policy': BrokenOnce(), 'preparation': slow, 'observe': told.append})
    client.subscribe('/a', print)
    until(lambda: slow.under_way == 1, 'the preparation')
    fake.restart()
    until(lambda: any(getattr(each, 'new', None) is State.IDLE for each in told), 'the notice')
    assert slow.under_way == 0
    assert 'boom' in told[-1].why
    caplog.clear()  # the failure from within was asked for


# --- the end ------------------------------------------------------------------------------------


def test_stop_ends_the_session_at_the_server(fake, make_client):
    client = connected(make_client())
    held(fake)
    client.stop()
    assert client.state is State.HALTED
    assert fake.sessions() == []
    assert fake.violations() == []


@pytest.mark.defect('D9')
@pytest.mark.parametrize('fault', ['never', 'drop_before', 'drop_after', 'html', 'reset', 'garbage'])
def test_stop_is_bounded_and_does_not_raise_whatever_the_server_does(fake, make_client, fault):
    client = connected(make_client())
    held(fake)
    fake.faults.add(fault, channel='/meta/disconnect')
    assert seconds_of(client.stop) < 10 * TICK + 1.5
    assert client.state is State.HALTED


@pytest.mark.defect('D9')
def test_stop_against_a_dead_server_is_bounded(fake, make_client):
    client = connected(make_client())
    fake.kill()
    until(lambda: client.state in (State.RECONNECTING, State.PAUSING), 'the loss')
    assert seconds_of(client.stop) < 10 * TICK + 1.5


def seconds_of(call):
    """How long a call takes, for ever if need be."""
    thread = eventlet.spawn(call)
    began = time.monotonic()
    with eventlet.Timeout(100 * TICK, False):
        thread.wait()
    thread.kill()
    return time.monotonic() - began


def test_a_stop_before_there_is_a_session_is_no_error(fake, make_client, caplog):
    fake.faults.add('never', channel='/meta/handshake', processed=False)
    client = make_client()
    until(lambda: client.state is State.HANDSHAKING, 'the handshake')
    client.stop()
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_kill_is_immediate_and_may_be_repeated(fake, make_client):
    client = connected(make_client())
    held(fake)
    began = time.monotonic()
    client.kill()
    client.kill()
    assert time.monotonic() - began < TICK
    until(lambda: not any(each['held'] for each in fake.sessions()), 'the end of the held poll')


def test_kill_at_any_moment_leaves_nothing_behind(fake, make_client):
    for moment in range(60):
        client = make_client()
        client.subscribe('/a', print)
        eventlet.sleep(moment * TICK / 200)  # from before the handshake to well into the polls
        client.publish('/a', 1)
        client.kill()
        assert client.state in (State.IDLE, State.HALTED)
    # The fixture looks for survivors.


def test_stop_before_start_and_twice_is_harmless(make_client):
    client = make_client(start=False)
    client.stop()
    client.start()
    client.stop()
    client.stop()


def test_stop_from_a_callback_ends_the_client(fake, make_client):
    client, stopped = make_client(), []

    def callback(event):
        client.stop()
        stopped.append(event.data)

    client.subscribe('/a', callback).get(timeout=100 * TICK)
    fake.publish_many([('/a', 1), ('/a', 2)])
    until(lambda: stopped, 'the stop')
    eventlet.sleep(0)
    assert stopped == [1]


def test_those_who_wait_are_told_of_the_end(fake, make_client):
    fake.faults.add('never', channel='/meta/handshake', processed=False)
    client = make_client()
    result = client.publish('/a', 1)
    eventlet.spawn_after(TICK, client.stop)
    with pytest.raises(Stopped):
        result.get(timeout=100 * TICK)


def test_a_stopped_client_can_be_started_again_with_its_subscriptions(fake, make_client):
    client = make_client()
    got = collect(client, '/a')
    client.stop()
    client.start()
    until(lambda: fake.sessions() and fake.sessions()[0]['subscriptions'] == ['/a'], 'the subscription')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


def test_waiting_for_a_state_in_vain_leaves_nothing_behind(make_client):
    client = make_client()
    for _ in range(3):
        assert client.wait_for_state(State.HALTED, TICK / 10) is False
    assert client._waiters == []


def test_a_second_start_is_a_mistake(make_client):
    client = connected(make_client())
    with pytest.raises(LocalError, match='the client is running'):
        client.start()


def halted(fake, make_client, **options):
    """A client that the server has told to give up, and may again."""
    fake.configure(deny_handshake=True)
    client = make_client(**options)
    assert client.wait_for_state(State.HALTED, 100 * TICK)
    fake.configure(deny_handshake=False)
    return client


def test_two_starts_of_a_halted_client_are_one(fake, make_client, caplog):
    client = halted(fake, make_client)
    client.start()
    client.start()
    connected(client)
    assert 'failed from within' not in caplog.text


def test_who_asks_a_halted_client_is_answered(fake, make_client):
    client = halted(fake, make_client)
    for result in (client.subscribe('/a', print), client.publish('/b', 1)):
        with pytest.raises(Stopped, match='handshake_denied'):
            result.get(timeout=20 * TICK)


def test_a_start_while_it_is_being_stopped_is_a_mistake(fake, make_client):
    client = connected(make_client())
    fake.faults.add('never', channel='/meta/disconnect')
    stopping = eventlet.spawn(client.stop)
    eventlet.sleep(TICK)
    with pytest.raises(LocalError, match='being stopped'):
        client.start()
    stopping.wait()
    client.start()
    connected(client)


def test_a_late_stop_does_not_end_the_next_life(fake, make_client):
    client = connected(make_client())
    held(fake)
    both = [eventlet.spawn(client.stop), eventlet.spawn(client.stop)]
    assert client.wait_for_state(State.HALTED, 100 * TICK)
    until(lambda: any(each.dead for each in both), 'the first of the two')
    while True:
        try:
            client.start()
            break
        except LocalError:
            eventlet.sleep(0)
    for each in both:
        each.wait()
    connected(client)


def test_what_is_asked_between_two_ends_counts_at_the_next_start(fake, make_client):
    client = make_client()
    collect(client, '/a')
    client.stop()
    client.subscribe('/b', print)
    client.unsubscribe('/a')
    client.kill()
    client.start()
    until(lambda: fake.sessions() and fake.sessions()[0]['subscriptions'] == ['/b'], 'the other channel')


def test_callbacks_are_called_again_after_a_halt_and_a_new_start(fake, make_client):
    client = halted(fake, make_client)
    client.halt()
    client.start()
    got = collect(client, '/a')
    fake.publish('/a', 1)
    until(lambda: got == [1], 'the event')


def test_no_callback_is_called_after_a_halt_from_a_callback(fake, make_client):
    client, got = make_client(), []

    def first(event):
        got.append(event.data)
        client.halt()

    client.subscribe('/a', first).get(timeout=100 * TICK)
    client.subscribe('/a', first).get(timeout=100 * TICK)
    fake.publish_many([('/a', number) for number in range(20)])
    until(lambda: got, 'the first event')
    eventlet.sleep(TICK)
    assert got == [0]


def test_a_session_goes_on_behind_a_mailbox_that_was_full_at_the_halt(fake, make_client):
    client, release = make_client(client={'mailbox_limit': 1}), eventlet.event.Event()
    client.subscribe('/a', lambda event: release.wait()).get(timeout=100 * TICK)
    mark = fake.mark()
    fake.publish_many([('/a', number) for number in range(50)])
    until(lambda: fake.journal('held', after=mark), 'the next poll')
    fake.publish_many([('/a', number) for number in range(50)])  # whose lane waits for room
    until(lambda: client._dispatcher._mailbox._emptied is not None, 'a lane that waits for room')
    mark = fake.mark()
    client.halt()
    until(lambda: fake.journal('held', after=mark), 'the next poll')
    fake.publish_many([('/a', number) for number in range(50)])
    until(lambda: len(fake.journal('held', after=mark)) > 1, 'the poll after that')


def test_slow_callbacks_that_hold_up_the_reading_are_reported(fake, make_client, caplog, monkeypatch):
    monkeypatch.setattr('nameko_salesforce.bayeux.client.SLOW_CALLBACKS', TICK)
    client, release = make_client(client={'mailbox_limit': 1}), eventlet.event.Event()
    got = []
    client.subscribe('/a', lambda event: (release.wait(), got.append(event.data))).get(timeout=100 * TICK)
    mark = fake.mark()
    fake.publish_many([('/a', number) for number in range(50)])
    until(lambda: fake.journal('held', after=mark), 'the next poll')
    fake.publish_many([('/a', number) for number in range(50)])
    until(lambda: 'callbacks do not keep up' in caplog.text, 'the report')
    release.send()
    until(lambda: len(got) == 100, 'all events')


@pytest.mark.parametrize('where', ['headers', 'extension'])
def test_a_kill_from_within_a_lane_is_complete(fake, make_client, where):
    ended = []

    def end(message=None):
        if not ended:
            ended.append(1)
            client.kill()
        return message if message is not None else {}

    class Extension:
        outgoing = staticmethod(end)
        incoming = staticmethod(lambda message: message)

    options = {'headers': end} if where == 'headers' else {'extensions': [Extension()]}
    client = make_client(start=False, client=options)
    result = client.publish('/a', 1)
    waiting = eventlet.spawn(client.wait_for_state, State.CONNECTED)
    client.start()
    with pytest.raises(Stopped):
        result.get(timeout=20 * TICK)
    assert waiting.wait() is False
    eventlet.sleep(TICK)
    client.start()
    connected(client)


def test_a_halt_is_reported_with_its_reason(fake, make_client, caplog):
    fake.configure(deny_handshake=True)
    client = make_client()
    assert client.wait_for_state(State.HALTED, 100 * TICK)
    assert '403::handshake_denied' in client.why
    assert any(each.levelname == 'ERROR' and 'handshake_denied' in each.message for each in caplog.records)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ({'url': 'ftp://x/cometd'}, 'url'),
        ({'url': 'http:///cometd'}, 'url'),
    ],
)
def test_a_wrong_url_is_refused_before_anything_is_opened(make_client, arguments, words):
    with pytest.raises(LocalError, match=words):
        make_client(start=False, **arguments)


def test_each_effect_of_a_session_has_somebody_who_carries_it_out(make_client):
    assert set(make_client(start=False)._carriers) == set(get_args(Effect))
