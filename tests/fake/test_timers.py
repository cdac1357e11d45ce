import pytest
from fake_salesforce.sessions import Registry, Session
from fake_salesforce.timers import Timers


@pytest.fixture
def registry():
    registry = Registry()
    for name in ('a', 'b'):
        registry.add(Session(name, 'browser'))
    return registry


def test_the_earliest_session_is_next(registry):
    timers = Timers()
    for session, due in zip(registry, (20.0, 10.0), strict=True):
        session.expires_at = due
        timers.arm(session)
    assert timers.next(registry) == (10.0, registry.get('b'))


def test_without_anything_due_nothing_is_next(registry):
    timers = Timers()
    timers.arm(registry.get('a'))
    assert timers.next(registry) is None


@pytest.mark.parametrize(('later', 'expected'), [(5.0, 5.0), (30.0, 30.0), (None, None)])
def test_what_a_session_is_due_for_may_change(registry, later, expected):
    timers, session = Timers(), registry.get('a')
    session.expires_at = 20.0
    timers.arm(session)
    session.expires_at = later
    timers.arm(session)
    assert timers.next(registry) == (None if expected is None else (expected, session))


def test_a_session_that_is_gone_is_not_next(registry):
    timers, session = Timers(), registry.get('a')
    session.expires_at = 20.0
    timers.arm(session)
    registry.remove(session)
    timers.arm(session)
    assert timers.next(registry) is None
