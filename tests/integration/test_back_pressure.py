"""More events than handlers can take: polls wait, channels are paused, and nothing is lost or run twice."""

import pytest

from nameko_salesforce import config
from tests.integration.printers import CHANNEL, Store, ids, publish, service


@pytest.fixture
def uri(tmp_path):
    return f'sqlite:///{tmp_path / "positions.db"}'


@pytest.fixture
def quick_brake(monkeypatch):
    """Seconds after which a braked client pauses its channels; 30 in life."""
    monkeypatch.setattr(config, 'LONGEST_BRAKE', 0.1)


def state(running):
    return running.client.channels[CHANNEL].state.value


def braked(org, kind, uri):
    """A service with six events, 0 to 5, and room for four."""
    running = org.run(kind, REPLAY_STORE_URI=uri, MAILBOX_LIMIT=4)
    publish(org, *range(5))
    org.until('the brake', lambda: running.client.braked_for is not None)
    publish(org, 5)  # answers the poll that was under way: the next one waits
    org.until('all six', lambda: running.connection.runner.unfinished == 6)
    return running


@pytest.mark.defect('D7')
def test_handlers_that_stand_still_pause_the_channel_and_cost_neither_session_nor_event(
    org, uri, gate, quick_brake
):
    kind, handled = service(lambda number: gate.wait(), order='channel')
    running = braked(org, kind, uri)
    org.until('the pause', lambda: state(running) == 'paused')
    publish(org, *range(6, 30))
    assert running.connection.runner.unfinished == 6
    gate.open()
    org.until('all', lambda: len(handled) >= 30)
    assert handled == list(range(30))
    assert org.handshakes() == 1
    org.until('the channel to be active again', lambda: state(running) == 'active')
    assert running.client.braked_for is None
    store = Store(org, uri)
    publish(org, 30)
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


def test_a_session_that_is_lost_while_a_channel_is_paused_costs_no_event(org, uri, gate, quick_brake):
    kind, handled = service(lambda number: gate.wait(), order='channel')
    running = braked(org, kind, uri)
    org.until('the pause', lambda: state(running) == 'paused')
    org.server.disconnect_all()
    org.until('another session', lambda: org.handshakes() == 2)
    publish(org, 6, 7)
    gate.open()
    org.until('all', lambda: len(handled) >= 8)
    assert handled == list(range(8))


def test_the_stream_leaves_a_worker_to_the_other_entrypoints(org, uri, gate):
    kind, _ = service(lambda number: gate.wait(), order=None)
    running = org.run(kind, REPLAY_STORE_URI=uri, max_workers=4)
    publish(org, *range(8))
    org.until('three under way', lambda: gate.begun == 3)
    org.until('all have come', lambda: running.connection.runner.unfinished == 8)
    assert len(running.container._worker_threads) == 3
    gate.open()


def test_the_workers_of_the_stream_can_be_fewer(org, uri, gate):
    kind, handled = service(lambda number: gate.wait(), order=None)
    running = org.run(kind, REPLAY_STORE_URI=uri, EVENT_WORKERS=1)
    publish(org, 1, 2)
    org.until('both have come', lambda: running.connection.runner.unfinished == 2)
    assert gate.begun == 1
    gate.open()
    org.until('both', lambda: len(handled) == 2)
