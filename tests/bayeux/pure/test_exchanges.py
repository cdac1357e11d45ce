"""Which reply belongs to which request."""

import pytest

from nameko_salesforce.bayeux.effects import Lane
from nameko_salesforce.bayeux.exchanges import Exchange
from nameko_salesforce.bayeux.messages import Connect, Publish, Reply, Subscribe, Unsubscribe


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
    assert exchange.unanswered() == [A, MESSAGE]
    assert exchange.unsettled() == [A, LEAVE, MESSAGE]
    assert exchange.reply == Reply('/meta/subscribe', '2', True)


def test_before_any_reply_there_is_none():
    assert make(A).reply is None
