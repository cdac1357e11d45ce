"""The book of wanted channels: who is told what, and when a refused channel is tried again."""

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Answered, ChannelChanged
from nameko_salesforce.bayeux.errors import LocalError, Stopped, SubscriptionRefused, UnsubscriptionRefused
from nameko_salesforce.bayeux.subscriptions import Subscriptions
from nameko_salesforce.bayeux.transitions import ChannelState

NOW = 100.0


class Book(Subscriptions):
    """A book with what it has said, and shortcuts to places to begin from."""

    def __init__(self):
        self.said = []
        super().__init__(Backoff(spread=0.0), lambda: 0.0, self.said.append)

    def ready(self, channel='/a', ticket=1):
        self.subscribe(channel, ticket, NOW)
        [(_, attempt, _)] = [each for each in self.due(NOW) if each[0] == channel]
        self.prepared(channel, attempt, None)
        return self

    def pending(self, channel='/a', ticket=1):
        self.ready(channel, ticket).sent(channel)
        return self

    def active(self, channel='/a', ticket=1):
        self.pending(channel, ticket).accepted(channel)
        return self

    def state(self, channel='/a'):
        return self.status()[channel].state

    def answers(self):
        return {each.ticket: each.error for each in self.said if isinstance(each, Answered)}

    def changes(self):
        return [(each.state, each.reason) for each in self.said if isinstance(each, ChannelChanged)]


@pytest.fixture
def book():
    return Book()


def test_channels_are_prepared_and_sent_in_declared_order(book):
    for channel in ('/b', '/a', '/c'):
        book.subscribe(channel, 1, NOW)
    due = list(book.due(NOW))
    assert due == [('/b', 1, ''), ('/a', 1, ''), ('/c', 1, '')]
    for channel, attempt, _ in reversed(due):
        book.prepared(channel, attempt, {'replay': channel})
    assert book.to_send() == [
        (ChannelState.READY, channel, {'replay': channel}) for channel in ('/b', '/a', '/c')
    ]


def test_a_channel_under_way_is_not_prepared_again(book):
    book.ready()
    assert list(book.due(NOW)) == []
    assert book.next_due() is None


def test_an_outcome_of_an_overtaken_preparation_is_ignored(book):
    book.subscribe('/a', 1, NOW)
    [(_, attempt, _)] = book.due(NOW)
    book.session_lost('gone')
    book.prepared('/a', attempt, None)
    book.preparation_failed('/a', attempt, 'late', NOW)
    book.prepared('/never', attempt, None)
    assert book.state() is ChannelState.WANTED


def test_everybody_who_asked_for_the_channel_is_answered_by_one_confirmation(book):
    book.pending(ticket=1).subscribe('/a', 2, NOW)
    book.accepted('/a')
    book.subscribe('/a', 3, NOW)
    assert book.answers() == {1: None, 2: None, 3: None}


def test_a_refusal_is_answered_once_and_stays_visible_while_the_channel_is_tried_again(book):
    book.pending().refused('/a', '403::no', 0.0, NOW)
    assert isinstance(book.answers()[1], SubscriptionRefused)
    list(book.due(NOW + 1))
    status = book.status()['/a']
    assert (status.state, status.reason, status.failures) == (ChannelState.REFUSED, '403::no', 1)


def test_pauses_between_refusals_grow_and_respect_the_policy(book):
    book.subscribe('/a', 1, NOW)
    now, waited = NOW, []
    for least in (0.0, 0.0, 60.0, 0.0):
        [(_, attempt, _)] = book.due(now)
        book.prepared('/a', attempt, None)
        book.sent('/a')
        book.refused('/a', 'no', least, now)
        waited.append(book.next_due() - now)
        now = book.next_due()
    assert waited == [1.0, 2.0, 60.0, 8.0]


def test_somebody_who_asks_again_does_not_sit_out_the_pause(book):
    book.pending().refused('/a', 'no', 600.0, NOW)
    book.subscribe('/a', 2, NOW + 1)
    assert book.next_due() <= NOW + 1


def test_the_next_preparation_hears_the_refusal_and_after_a_success_no_more(book):
    book.pending().refused('/a', 'bad replay id', 0.0, NOW)
    [(_, attempt, refusal)] = book.due(NOW + 5)
    assert refusal == 'bad replay id'
    book.prepared('/a', attempt, None)
    book.sent('/a')
    book.accepted('/a')
    book.session_lost('gone')
    assert [refusal for _, _, refusal in book.due(NOW + 5)] == ['']


def test_a_refusal_that_repeats_itself_is_reported_once(book):
    book.pending().refused('/a', 'no', 0.0, NOW)
    for reason in ('no', 'no', 'other'):
        [(_, attempt, _)] = book.due(NOW + 1000)
        book.prepared('/a', attempt, None)
        book.sent('/a')
        book.refused('/a', reason, 0.0, NOW)
    assert book.changes() == [(ChannelState.REFUSED, 'no'), (ChannelState.REFUSED, 'other')]


def test_a_lost_session_makes_every_channel_wanted_but_leaves_a_refused_one_its_pause(book):
    book.active('/a').pending('/b', 2).refused('/b', 'no', 60.0, NOW)
    book.session_lost('gone')
    assert book.state('/a') is ChannelState.WANTED
    assert list(book.due(NOW)) == [('/a', 2, '')]
    assert [name for name, _, _ in book.due(NOW + 60)] == ['/b']


def test_an_unknown_channel_counts_as_left(book):
    book.unsubscribe('/never', 7)
    assert book.said == [Answered(7, None)]


def test_leaving_answers_those_who_wait_for_the_subscription(book):
    book.pending().unsubscribe('/a', 2)
    assert isinstance(book.answers()[1], Stopped)
    assert 2 not in book.answers()
    book.accepted('/a')
    assert book.to_send() == [(ChannelState.LEAVE, '/a', None)]
    book.sent('/a')
    book.accepted('/a')
    assert book.answers()[2] is None
    assert book.status() == {}


def test_a_refused_unsubscription_is_an_error_and_the_channel_is_gone(book):
    book.active().unsubscribe('/a', 2)
    book.sent('/a')
    book.refused('/a', 'no', 0.0, NOW)
    assert isinstance(book.answers()[2], UnsubscriptionRefused)
    assert book.status() == {}


def test_undoing_a_subscribe_that_was_lost_may_be_refused_without_an_error(book):
    """The server never had it: nothing was left to undo."""
    book.pending().lost('/a', 'reset')
    book.unsubscribe('/a', 2)
    book.sent('/a')
    book.refused('/a', '400::channel_missing', 0.0, NOW)
    assert book.answers()[2] is None
    assert book.status() == {}


def test_a_lost_subscribe_is_due_again_as_soon_as_the_lane_is_open(book):
    book.pending().lost('/a', 'reset')
    assert book.next_due() <= NOW
    assert book.status()['/a'].reason == 'reset'
    assert 1 not in book.answers()


def test_a_channel_wanted_again_while_its_leaving_is_under_way_is_joined_again(book):
    book.active().unsubscribe('/a', 2)
    book.sent('/a')
    book.subscribe('/a', 3, NOW)
    book.accepted('/a')
    assert book.answers()[2] is None
    assert [name for name, _, _ in book.due(NOW)] == ['/a']
    assert 3 not in book.answers()


def test_a_leaving_that_was_not_sent_is_called_off_by_a_new_subscription(book):
    book.active().unsubscribe('/a', 2)
    book.subscribe('/a', 3, NOW)
    assert isinstance(book.answers()[2], Stopped)
    assert book.state() is ChannelState.WANTED


def test_the_end_answers_everybody_and_keeps_the_book(book):
    book.pending('/a', 1).active('/b', 2).unsubscribe('/b', 3)
    book.ended(Stopped('stopped'))
    assert isinstance(book.answers()[1], Stopped)
    assert isinstance(book.answers()[3], Stopped)
    assert set(book.status()) == {'/a', '/b'}


def test_what_cannot_happen_is_a_mistake_and_changes_nothing(book):
    book.active()
    said = list(book.said)
    with pytest.raises(LocalError, match="/a: 'sent' cannot happen to a channel that is active"):
        book.sent('/a')
    assert (book.state(), book.said) == (ChannelState.ACTIVE, said)
