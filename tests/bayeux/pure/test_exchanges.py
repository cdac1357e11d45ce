"""Which reply belongs to which request."""

import pytest

from nameko_salesforce.bayeux.effects import Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.exchanges import Exchange, Exchanges
from nameko_salesforce.bayeux.messages import Connect, Handshake, Publish, Reply, Subscribe, Unsubscribe


def make(*requests):
    return Exchange(1, Lane.COMMAND, {request.id: request for request in requests}, sent_at=0.0)


A, B = Subscribe('1', 'c', '/a'), Subscribe('2', 'c', '/b')
LEAVE = Unsubscribe('3', 'c', '/a')
MESSAGE = Publish('4', 'c', '/a', 1)


@pytest.mark.parametrize('request_', [A, B, LEAVE, MESSAGE])
def test_a_reply_belongs_to_the_request_with_its_id(request_):
    assert make(A, B, LEAVE, MESSAGE).match(Reply('/whatever', request_.id)) is request_


def test_a_reply_with_a_foreign_id_belongs_to_nothing_even_if_its_channel_fits():
    assert make(A).match(Reply('/meta/subscribe', '9', subscription='/a')) is None


@pytest.mark.parametrize(
    ('reply', 'request_'),
    [
        (Reply('/meta/subscribe', subscription='/b'), B),
        (Reply('/meta/unsubscribe'), LEAVE),
        (Reply('/a'), MESSAGE),
    ],
)
def test_a_reply_without_an_id_belongs_to_the_only_request_that_it_can_be_about(reply, request_):
    assert make(A, B, LEAVE, MESSAGE).match(reply) is request_


def test_a_reply_that_could_be_about_two_requests_belongs_to_neither():
    assert make(A, B).match(Reply('/meta/subscribe')) is None


def test_a_reply_without_anything_belongs_to_a_request_that_went_alone():
    connect = Connect('1', 'c')
    assert make(connect).match(Reply('')) is connect


def test_a_request_is_answered_once():
    exchange = make(A, B)
    exchange.take(A, Reply('/meta/subscribe', '1', True))
    assert exchange.match(Reply('/meta/subscribe', '1')) is None
    # Now the other is the only one left.
    assert exchange.match(Reply('/meta/subscribe')) is B


def test_what_is_unanswered_or_not_settled_keeps_the_order_of_sending():
    exchange = make(A, B, LEAVE, MESSAGE)
    exchange.take(B, Reply('/meta/subscribe', '2', True))
    exchange.take(LEAVE, Reply('/meta/unsubscribe', '3', False))
    assert list(exchange.unanswered.values()) == [A, MESSAGE]
    assert exchange.unsettled() == [A, LEAVE, MESSAGE]
    assert exchange.reply == Reply('/meta/subscribe', '2', True)


def test_before_any_reply_there_is_none():
    assert make(A).reply is None


# --- both lanes --------------------------------------------------------------------------------


POLL = Connect('9', 'c')


def test_a_lane_is_taken_until_its_exchange_has_ended():
    both = Exchanges()
    exchange = both.begin(Lane.POLL, [POLL], 1.0)
    assert (both.is_free(Lane.POLL), both.is_free(Lane.COMMAND)) == (False, True)
    assert both.find(exchange.number) is exchange
    assert both.end(Lane.POLL) is exchange
    assert both.end(Lane.POLL) is None
    assert both.find(exchange.number) is None
    assert both.begin(Lane.POLL, [POLL], 2.0).number > exchange.number


def test_only_a_connect_may_hold_events_from_before_those_of_the_command_lane():
    both = Exchanges()
    both.brought(Lane.COMMAND)
    assert both.in_doubt is None
    both.begin(Lane.POLL, [Handshake('1', '1.0', '1.0')], 1.0)
    both.brought(Lane.COMMAND)
    assert both.in_doubt is None
    both.end(Lane.POLL)
    poll = both.begin(Lane.POLL, [POLL], 1.0)
    both.brought(Lane.POLL)
    assert both.in_doubt is None
    both.brought(Lane.COMMAND)
    assert both.in_doubt == poll.number


def both_out():
    both = Exchanges()
    return both, both.begin(Lane.POLL, [POLL], 1.0), both.begin(Lane.COMMAND, [A], 1.0)


def test_the_end_of_a_poll_is_told_at_once_where_nothing_has_come_beside_another_exchange():
    both, poll, _ = both_out()
    both.end(Lane.POLL)
    assert both.settled(poll.number) == [PollAnswered(poll.number)]


def test_what_a_poll_brings_beside_a_command_is_in_doubt_until_that_has_ended():
    both, poll, command = both_out()
    both.brought(Lane.POLL)
    assert both.in_doubt == poll.number
    both.end(Lane.POLL)
    assert not both.settled(poll.number)
    assert both.in_doubt == poll.number
    both.end(Lane.COMMAND)
    assert both.settled(command.number) == [PollAnswered(poll.number)]
    assert both.in_doubt is None


def test_doubts_that_follow_one_another_end_together():
    both, first, command = both_out()
    both.brought(Lane.POLL)
    both.end(Lane.POLL)
    both.settled(first.number)
    second = both.begin(Lane.POLL, [POLL], 2.0)
    both.brought(Lane.COMMAND)
    both.end(Lane.COMMAND)
    assert not both.settled(command.number)
    both.end(Lane.POLL)
    assert both.settled(second.number) == [PollAnswered(first.number), PollAnswered(second.number)]


def test_all_that_is_in_doubt_is_lost_together_and_once():
    both, first, _ = both_out()
    both.brought(Lane.POLL)
    both.end(Lane.POLL)
    both.settled(first.number)
    second = both.begin(Lane.POLL, [POLL], 2.0)
    both.end(Lane.POLL)
    assert both.lost('reset') == [PollLost(first.number, 'reset'), PollLost(second.number, 'reset')]
    assert not both.lost('reset')
    assert both.in_doubt is None
