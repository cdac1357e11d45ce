"""Who is called for what."""

import eventlet
import pytest

from nameko_salesforce.bayeux import dispatch
from nameko_salesforce.bayeux.dispatch import Dispatcher
from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered, PollLost, StateChanged
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.messages import Delivery, Reply
from nameko_salesforce.bayeux.transitions import State

CHANGE = StateChanged(State.IDLE, State.PREPARING, 'started', 0, None)


class Post:
    """A dispatcher whose loop runs when the test says so."""

    def __init__(self, **options):
        self.seen = []
        self.dispatcher = Dispatcher(
            options.pop('limit', 1000),
            options.pop('characters', 10_000),
            options.pop('observe', self.seen.append),
            options.pop('follow', None),
        )

    def add(self, channel, name=None):
        def callback(event):
            self.seen.append((name or channel, event.data))

        self.dispatcher.add(channel, callback)
        return callback

    def deliver(self, channel, *data):
        self.dispatcher.arrived(Deliver(Lane.POLL, [Delivery(channel, each) for each in data]))

    def run(self):
        """Let the loop work off what is there."""
        loop = eventlet.spawn(self.dispatcher.run)
        eventlet.sleep(0)
        loop.kill()
        seen, self.seen[:] = list(self.seen), []
        return seen


@pytest.fixture
def post():
    return Post()


def test_events_reach_the_callbacks_of_their_channel_in_order(post):
    post.add('/a')
    post.add('/b')
    post.deliver('/a', 1, 2)
    post.deliver('/b', 3)
    post.deliver('/a', 4)
    assert post.run() == [('/a', 1), ('/a', 2), ('/b', 3), ('/a', 4)]


def test_who_wants_events_together_gets_those_in_a_row_before_those_who_get_each(post):
    post.add('/a')
    post.dispatcher.add('/a', lambda events: post.seen.append([each.data for each in events]), together=True)
    post.add('/b')
    post.dispatcher.arrived(
        Deliver(Lane.POLL, [Delivery(*each) for each in (('/a', 1), ('/a', 2), ('/b', 3), ('/a', 4))])
    )
    post.deliver('/a', 5)
    assert post.run() == [[1, 2], ('/a', 1), ('/a', 2), ('/b', 3), [4], ('/a', 4), [5], ('/a', 5)]


def test_who_gets_events_together_may_unsubscribe_everybody(post):
    def take(events):
        post.seen.append(len(events))
        post.dispatcher.remove('/a', None)

    post.add('/a')
    post.dispatcher.add('/a', take, together=True)
    post.deliver('/a', 1, 2)
    post.deliver('/a', 3)
    assert post.run() == [2]
    post.dispatcher.add('/a', take, together=True)
    assert post.dispatcher.remove('/a', take) == 0
    with pytest.raises(LocalError):
        post.dispatcher.remove('/a', take)


def test_a_call_in_order_is_made_behind_what_has_arrived(post):
    post.add('/a')
    post.deliver('/a', 1)
    post.dispatcher.in_order(lambda: post.seen.append('called'))
    post.deliver('/a', 2)
    assert post.run() == [('/a', 1), 'called', ('/a', 2)]


@pytest.mark.parametrize('pattern', ['/a/b', '/a/*', '/a/**', '/**', '/a/b?Id=1'])
def test_the_concrete_channel_finds_its_pattern(post, pattern):
    post.add(pattern)
    post.deliver('/a/b', 1)
    assert post.run() == [(pattern, 1)]


@pytest.mark.parametrize('pattern', ['/a', '/b/*', '/a/b/**', '/a/b/c', '/*'])
def test_a_pattern_that_does_not_match_is_not_called(post, pattern):
    post.add(pattern)
    post.deliver('/a/b', 1)
    assert post.run() == []


def test_events_of_a_filtered_subscription_are_found_under_either_name(post):
    post.add('/topic/X?Id=1')
    post.deliver('/topic/X', 1)
    post.deliver('/topic/X?Id=1', 2)
    assert post.run() == [('/topic/X?Id=1', 1), ('/topic/X?Id=1', 2)]


def test_an_event_without_a_callback_is_dropped_and_named_once(post, caplog):
    caplog.set_level('INFO', 'nameko_salesforce.bayeux')
    post.deliver('/nobody', 1, 2, 3)
    assert post.run() == []
    assert caplog.messages == ['events on /nobody have no callback and are dropped']


def test_a_callback_added_later_is_called_from_then_on(post):
    post.add('/a', 'first')
    post.deliver('/a', 1)
    assert post.run() == [('first', 1)]
    post.add('/a', 'second')
    post.deliver('/a', 2)
    assert post.run() == [('first', 2), ('second', 2)]


def test_a_callback_may_remove_itself_while_it_is_called(post):
    def once(event):
        post.seen.append(event.data)
        post.dispatcher.remove('/a', once)

    post.dispatcher.add('/a', once)
    post.add('/a', 'other')
    post.deliver('/a', 1, 2)
    assert post.run() == [1, ('other', 1), ('other', 2)]


def test_removing_tells_how_many_are_left(post):
    first, second = post.add('/a', 'first'), post.add('/a', 'second')
    assert post.dispatcher.remove('/a', first) == 1
    assert post.dispatcher.channels() == ['/a']
    assert post.dispatcher.remove('/a', second) == 0
    assert post.dispatcher.channels() == []


def test_removing_without_a_callback_removes_all(post):
    post.add('/a', 'first')
    post.add('/a', 'second')
    assert post.dispatcher.remove('/a', None) == 0
    post.deliver('/a', 1)
    assert post.run() == []


def test_removing_what_is_not_there_is_a_mistake_and_changes_nothing(post):
    post.add('/a')
    with pytest.raises(LocalError, match="'/b' is not subscribed to"):
        post.dispatcher.remove('/b', None)
    with pytest.raises(LocalError, match="'/a' is not subscribed to with"):
        post.dispatcher.remove('/a', print)
    assert post.dispatcher.channels() == ['/a']


def test_replies_events_and_changes_keep_one_order(post):
    post.add('/a')
    post.dispatcher.listen('/meta/connect', lambda reply: post.seen.append(reply.id))
    post.dispatcher.meta(Reply('/meta/connect', '1', True))
    post.deliver('/a', 1)
    post.dispatcher.tell(CHANGE)
    post.dispatcher.meta(Reply('/meta/connect', '2', True))
    assert post.run() == ['1', ('/a', 1), CHANGE, '2']


def test_what_nobody_listens_to_is_not_kept(post):
    quiet = Post(observe=None)
    quiet.dispatcher.tell(CHANGE)
    quiet.dispatcher.meta(Reply('/meta/connect', '1', True))
    assert not quiet.dispatcher._mailbox._items


@pytest.mark.parametrize('error', [RuntimeError('boom'), eventlet.Timeout(None)])
def test_what_a_callback_raises_is_logged_and_the_next_one_is_called(post, caplog, error):
    def broken(_):
        raise error

    post.dispatcher.add('/a', broken)
    post.dispatcher.listen('/meta/connect', broken)
    post.add('/a')
    post.deliver('/a', 1)
    post.dispatcher.meta(Reply('/meta/connect', '1', True))
    post.deliver('/a', 2)
    assert post.run() == [('/a', 1), ('/a', 2)]
    assert len(caplog.records) == 3


def test_an_observer_that_raises_is_logged(caplog):
    def broken(_):
        raise RuntimeError('boom')

    post = Post(observe=broken)
    post.dispatcher.tell(CHANGE)
    post.run()
    assert 'observer: callback' in caplog.text


def test_a_closed_dispatcher_calls_nothing_and_an_opened_one_begins_empty(post):
    post.add('/a')
    post.deliver('/a', 1)
    post.dispatcher.close()
    post.deliver('/a', 2)
    post.dispatcher.open()
    post.deliver('/a', 3)
    assert post.run() == [('/a', 3)]


def test_a_loop_that_is_closed_ends_after_its_item(post):
    def close(event):
        post.seen.append(event.data)
        post.dispatcher.close()

    post.dispatcher.add('/a', close)
    post.deliver('/a', 1)
    post.deliver('/a', 2)
    loop = eventlet.spawn(post.dispatcher.run)
    with eventlet.Timeout(5):
        loop.wait()
    assert post.seen == [1]


def test_room_is_made_by_handling(post):
    post = Post(limit=1)
    post.add('/a')
    post.deliver('/a', 1, 2)
    lane = eventlet.spawn(post.dispatcher.wait_for_room)
    eventlet.sleep(0)
    assert not lane.dead
    post.run()
    with eventlet.Timeout(5):
        lane.wait()


def test_any_number_of_concrete_channels_costs_bounded_memory(post, monkeypatch):
    monkeypatch.setattr(dispatch, 'ROUTES', 10)
    post.add('/users/*')
    for number in range(100):
        post.deliver(f'/users/{number}', number)
    assert len(post.run()) == 100
    assert len(post.dispatcher._routes) <= 10


def test_a_filtered_channel_finds_those_who_want_it_without_its_filter(post):
    post.add('/a/b')
    post.deliver('/a/b?Id=1', 1)
    assert post.run() == [('/a/b', 1)]


def test_the_callback_that_is_named_is_removed(post):
    post.add('/a', 'first')
    second = post.add('/a', 'second')
    assert post.dispatcher.remove('/a', second) == 1
    post.deliver('/a', 1)
    assert post.run() == [('first', 1)]


# --- those who keep positions ------------------------------------------------------------------


def test_a_follower_hears_of_events_before_their_callbacks_and_of_polls_in_between():
    post = Post(follow=lambda arrival: post.seen.append(arrival))
    post.add('/a')
    first = Deliver(Lane.COMMAND, [Delivery('/a', 1), Delivery('/a', 2)], 60, poll=7)
    second = Deliver(Lane.POLL, [Delivery('/a', 3)])
    for arrival in (first, PollLost(7, 'reset'), second, PollAnswered(8)):
        post.dispatcher.arrived(arrival)
    assert post.run() == [
        first,
        ('/a', 1),
        ('/a', 2),
        PollLost(7, 'reset'),
        second,
        ('/a', 3),
        PollAnswered(8),
    ]


def test_a_follower_that_raises_keeps_no_event_from_its_callback(caplog):
    def follow(arrival):
        raise RuntimeError('mine')

    post = Post(follow=follow)
    post.add('/a')
    post.deliver('/a', 1)
    assert post.run() == [('/a', 1)]
    assert [each.getMessage().split(':')[0] for each in caplog.records] == ['follower']


def test_the_end_of_a_poll_is_kept_for_nobody(post):
    post.dispatcher.arrived(PollAnswered(1))
    assert not post.dispatcher._mailbox._items


def test_the_text_of_events_counts_for_the_room():
    post = Post(characters=10)
    post.dispatcher.arrived(Deliver(Lane.POLL, [Delivery('/a', 1)], 11))
    assert post.dispatcher.wait_for_room(timeout=0.001) is False
