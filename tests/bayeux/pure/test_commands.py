"""The command lane: what waits, when it may go, and what became of it."""

import itertools

import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.commands import CommandLane
from nameko_salesforce.bayeux.effects import Answered, Lane, PrepareChannel
from nameko_salesforce.bayeux.errors import ExchangeFailed, NotAnswered, PublishRefused, Stopped
from nameko_salesforce.bayeux.exchanges import Exchange
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Publish, Reply, Subscribe, Unsubscribe
from nameko_salesforce.bayeux.policy import Action, GenericPolicy, Trouble
from nameko_salesforce.bayeux.subscriptions import Subscriptions

NOW = 100.0
RESET = Failure(FailureKind.RESET)


class Commands(CommandLane):
    """A lane with what it has said."""

    def __init__(self):
        self.said = []
        self.channels = Subscriptions(Backoff(spread=0.0), lambda: 0.0, self.said.append)
        self.ids = map(str, itertools.count(1))
        backoff = Backoff(spread=0.0)
        super().__init__(self.channels, GenericPolicy(), backoff, lambda: 0.0, self.said.append)

    def want(self, channel, ticket=1):
        self.channels.subscribe(channel, ticket, NOW)
        self.prepare_channels(NOW)
        attempt = next(each.attempt for each in reversed(self.said) if isinstance(each, PrepareChannel))
        self.channels.prepared(channel, attempt, None)

    def send(self, now=NOW):
        """Everything that waits, under way as one exchange."""
        requests = self.requests('c', lambda: next(self.ids), now)
        return Exchange(1, Lane.COMMAND, {request.id: request for request in requests}, sent_at=0.0)

    def end(self, exchange, failure=None, now=NOW, **replies):
        """End an exchange: `_1='403::no'` is the error of the reply to id 1, None a yes."""
        for id_, error in replies.items():
            request = exchange.requests[id_[1:]]
            reply = Reply(request.channel, request.id, error is None, error or '')
            exchange.take(request, reply)
            if reply.successful:
                self.settle(request)
        return self.judge(exchange, failure, lambda step, reply, failure: Trouble(step, reply, failure), now)

    def answers(self):
        return {each.ticket: each.error for each in self.said if isinstance(each, Answered)}


@pytest.fixture
def lane():
    return Commands()


def test_all_that_waits_goes_out_together_subscriptions_first(lane):
    lane.publish('/m', 1, 7)
    lane.want('/a')
    assert list(lane.send().requests.values()) == [Subscribe('1', 'c', '/a'), Publish('2', 'c', '/m', 1)]
    assert lane.send().requests == {}


def test_an_unsubscription_goes_out_too(lane):
    lane.want('/a')
    lane.end(lane.send(), _1=None)
    lane.channels.unsubscribe('/a', 2)
    assert list(lane.send().requests.values()) == [Unsubscribe('2', 'c', '/a')]


def test_nothing_is_due_where_nothing_waits(lane):
    assert lane.next_due() is None


def test_a_failed_exchange_shuts_the_lane_for_growing_pauses(lane):
    waited, now = [], NOW
    for _ in range(3):
        lane.publish('/m', 1, 7)
        assert lane.end(lane.send(now), RESET, now) is None
        lane.publish('/m', 2, 8)
        waited.append(lane.next_due() - now)
        assert lane.send(now).requests == {}
        lane.prepare_channels(now)
        lane.withdraw(8)
        now += 1000
    assert waited == [1.0, 2.0, 4.0]


def test_a_good_exchange_ends_the_growth_of_pauses(lane):
    for failure, now in ((RESET, NOW), (RESET, NOW + 10), (None, NOW + 20), (RESET, NOW + 30)):
        lane.publish('/m', 1, 7)
        lane.end(lane.send(now), failure, now)
    lane.publish('/m', 1, 8)
    assert lane.next_due() == NOW + 31


def test_while_the_lane_is_shut_no_channel_is_prepared(lane):
    lane.publish('/m', 1, 7)
    lane.end(lane.send(), RESET)
    lane.channels.subscribe('/a', 1, NOW)
    lane.prepare_channels(NOW + 0.5)
    assert [each for each in lane.said if isinstance(each, PrepareChannel)] == []
    assert lane.next_due() == NOW + 1


def test_a_published_message_is_answered_by_its_reply(lane):
    lane.publish('/m', 1, 7)
    lane.publish('/m', 2, 8)
    lane.end(lane.send(), _1=None, _2='403:x:publish_denied')
    answers = lane.answers()
    assert answers[7] is None
    assert isinstance(answers[8], PublishRefused)
    assert answers[8].reason == '403:x:publish_denied'


def test_a_message_whose_exchange_failed_is_answered_and_not_kept(lane):
    lane.publish('/m', 1, 7)
    lane.end(lane.send(), RESET)
    assert isinstance(lane.answers()[7], ExchangeFailed)
    assert lane.send(NOW + 1000).requests == {}


def test_a_yes_outlives_the_failure_behind_it(lane):
    lane.publish('/m', 1, 7)
    lane.publish('/m', 2, 8)
    lane.end(lane.send(), RESET, _1=None)
    assert lane.answers()[7] is None
    assert isinstance(lane.answers()[8], ExchangeFailed)


def test_silence_about_a_message_is_a_yes_where_nothing_failed(lane):
    lane.publish('/m', 1, 7)
    lane.end(lane.send())
    assert lane.answers() == {7: None}


def test_what_an_unknown_session_refused_is_due_again_in_its_old_place(lane):
    lane.publish('/m', 1, 7)
    lane.want('/a')
    exchange = lane.send()
    lane.publish('/m', 2, 8)
    verdict = lane.end(exchange, _1='402::session_unknown', _2='402::session_unknown')
    assert verdict.action is Action.HANDSHAKE
    assert lane.answers() == {}
    lane.channels.session_lost('gone')
    assert [request.data for request in lane.send().requests.values()] == [1, 2]


def test_http_401_ends_the_session(lane):
    lane.publish('/m', 1, 7)
    verdict = lane.end(lane.send(), Failure(FailureKind.STATUS, status=401))
    assert verdict.action is Action.LOGIN


def test_a_dropped_exchange_answers_its_messages_but_not_those_that_had_a_yes(lane):
    lane.publish('/m', 1, 7)
    lane.publish('/m', 2, 8)
    exchange = lane.send()
    exchange.take(exchange.requests['1'], Reply('/m', '1', True))
    lane.settle(exchange.requests['1'])
    lane.abandoned(exchange, 'session lost')
    assert lane.answers()[7] is None
    assert isinstance(lane.answers()[8], ExchangeFailed)


def test_a_message_that_was_not_sent_is_withdrawn_and_says_so(lane):
    lane.publish('/m', 1, 7)
    lane.publish('/m', 2, 8)
    lane.withdraw(7)
    assert isinstance(lane.answers()[7], NotAnswered)
    assert [request.data for request in lane.send().requests.values()] == [2]


def test_a_message_that_was_sent_is_not_called_back_and_its_answer_still_comes(lane):
    lane.publish('/m', 1, 7)
    exchange = lane.send()
    lane.withdraw(7)
    assert lane.answers() == {}
    lane.end(exchange, _1=None)
    assert lane.answers() == {7: None}


def test_the_end_answers_the_messages_that_wait(lane):
    lane.publish('/m', 1, 7)
    lane.ended(Stopped('stopped'))
    assert isinstance(lane.answers()[7], Stopped)
    assert lane.send().requests == {}
