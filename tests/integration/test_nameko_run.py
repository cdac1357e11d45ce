"""Services under `nameko run`, in processes of their own."""

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.integration.processes import START, Process

HERE = Path(__file__).parent
SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds: at most 1 until the heartbeat, then a goodbye and the end of an interpreter, 2 in all on an idle
# machine. Without the heartbeat it takes 30, the rest of the held poll, or 60.
PROMPT = 6.0 * SLOWNESS


@pytest.fixture
def run(server, tmp_path):
    """Starts a service of `programs.py`; a setting of None is left out."""
    processes = []

    def start(service, max_workers=10, **settings):
        settings = {'SERVER_URI': server.url, **settings}
        section = {key: value for key, value in settings.items() if value is not None}
        processes.append(
            Process(f'programs:{service}', {'BAYEUX': section, 'max_workers': max_workers}, tmp_path)
        )
        return processes[-1]

    yield start
    for process in processes:
        process.end()


def subscribed(server):
    server.wait_for('reply', channel='/meta/subscribe', successful=True, timeout=START)


def test_sigterm_during_a_held_poll_ends_the_process_promptly(run, server):
    process = run('Plain')
    subscribed(server)
    (held,) = server.wait_for('held')
    assert held.detail['until'] - held.at == pytest.approx(30, abs=1)
    process.terminate()
    assert process.status(PROMPT) == 0
    assert [each.detail['why'] for each in server.journal('closed')] == ['disconnect']


def test_sigterm_before_the_server_is_up_ends_the_process_promptly(run, server):
    server.stop()
    process = run('Plain')
    process.wait_for('-> PAUSING')
    process.terminate()
    assert process.status(PROMPT) == 0


def test_sigterm_with_a_full_pool_finishes_the_work_in_hand_and_begins_no_other(run, server, tmp_path):
    process = run('Slow', max_workers=1)
    subscribed(server)
    server.publish_many([('/work', str(tmp_path / name)) for name in ('one', 'two', 'three')])
    process.wait_for('begun one')
    process.terminate()
    process.wait_for('stopping services')
    (tmp_path / 'one').touch()
    assert process.status(PROMPT + 1) == 0
    assert 'done one' in process.log
    assert 'begun two' not in process.log


def test_two_sigterms_end_the_process_as_one_does(run, server, tmp_path):
    process = run('Slow')
    subscribed(server)
    server.publish('/work', str(tmp_path / 'one'))
    process.wait_for('begun one')
    process.terminate()
    process.wait_for('stopping services')
    process.terminate()
    (tmp_path / 'one').touch()  # not before: a signal that meets a process at its very end kills it
    assert process.status(PROMPT + 1) == 0
    assert 'done one' in process.log
    assert len(server.journal('request', channel='/meta/disconnect')) == 1


def test_handlers_that_raise_timeouts_leave_their_slots_free(run, server):
    process = run('Expiring', max_workers=2)
    subscribed(server)
    server.publish_many([('/work', 'expires'), ('/work', 'expires'), ('/work', 'next')])
    process.wait_for('handled next')
    assert process.log.count('begun expires') == 2
    process.terminate()
    assert process.status(PROMPT) == 0


def test_no_worker_starts_after_another_extension_has_died(run, server):
    process = run('Dying', max_workers=2)
    subscribed(server)
    server.publish_many([('/work', 'one'), ('/work', 'two')])
    assert process.status(START) == 1
    assert 'LookupError: the other extension died' in process.log
    assert 'begun one' in process.log
    assert 'begun two' not in process.log


def test_a_missing_server_uri_is_named(run):
    process = run('Plain', SERVER_URI=None)
    # Nameko 2 calls a configuration error a success (facts of `nameko run`, not of ours).
    assert process.status(START) == (0 if version('nameko').startswith('2.') else 1)
    assert 'plain cannot start' in process.log
    assert 'SERVER_URI is missing' in process.log
