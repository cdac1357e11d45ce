"""Whoever has a past event run once more is told how that ended, once."""

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.streaming.handling import Arrival
from nameko_salesforce.streaming.reruns import Reruns


def arrival():
    return Arrival(Delivery('/u/a', {}), None, None, 0.0, 1, 0)


def test_nobody_is_told_before_the_end():
    reruns = Reruns()
    over = reruns.add(arrival())
    reruns.settle()
    assert not over.ready()


def test_what_ends_without_a_failure_was_handled():
    reruns = Reruns()
    one = arrival()
    over = reruns.add(one)
    one.unfinished = 0
    reruns.settle()
    reruns.settle()
    assert over.wait() is True


def test_a_failure_belongs_to_its_own_event():
    reruns = Reruns()
    one, other = arrival(), arrival()
    first, second = reruns.add(one), reruns.add(other)
    reruns.failed(one.event)
    reruns.failed(Delivery('/u/a', {}))
    one.unfinished = other.unfinished = 0
    reruns.settle()
    assert (first.wait(), second.wait()) == (False, True)


def test_what_is_forgotten_has_neither_failed_nor_been_handled():
    reruns = Reruns()
    one = arrival()
    over = reruns.add(one)
    reruns.failed(one.event)
    reruns.forget()
    assert over.wait() is None
