"""200,000 events, slower handlers, and the memory of the service: it grows with what is under way alone.

Under `nameko run`, because only a fresh process has a peak of its own.
"""

import json
import time

import eventlet
import pytest

from tests.integration.processes import START, Process

COUNT = 200_000
CHANNEL = '/event/Low_Ink__e'

# Seconds: 30 s of handlers, and twice that for a busy machine.
PATIENCE = 3 * START


def events(numbers):
    payload = {'CreatedDate': '2026-11-25T00:00:00.000Z', 'x': 'x' * 200}
    return [
        (CHANNEL, {'schema': 's', 'payload': {**payload, 'Printer_Model__c': str(number)}, 'event': {}})
        for number in numbers
    ]


def wait(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f'waited {patience:g} s for {what}')
        eventlet.sleep(0.005)


class Backlog:
    """The service, and what it reports at the end."""

    def __init__(self, server, folder, monkeypatch):
        self.server = server
        self._folder = folder
        self._report = folder / 'report'
        monkeypatch.setenv('BACKLOG_COUNT', str(COUNT))
        monkeypatch.setenv('BACKLOG_REPORT', str(self._report))
        self._process = None

    def start(self):
        section = self.server.section(REPLAY_STORE_URI=f'sqlite:///{self._folder / "positions.db"}')
        self._process = Process('backlog', {'SALESFORCE': section}, self._folder)

    def grown(self):
        """Bytes, when all events are handled."""
        wait(f'all events; the log:\n{self._process.log[-2000:]}', self._report.exists)
        report = json.loads(self._report.read_text())
        return report['peak'] - report['before']

    def end(self):
        if self._process is not None:
            self._process.end()


@pytest.fixture
def backlog(fake_salesforce, tmp_path, monkeypatch):
    made = Backlog(fake_salesforce, tmp_path, monkeypatch)
    yield made
    made.end()


def test_a_backlog_in_one_response_does_not_grow_the_service(backlog):
    for first in range(0, COUNT, 20_000):
        backlog.server.publish_many(events(range(first, first + 20_000)))
    backlog.start()
    grown = backlog.grown()
    assert max(each.detail['messages'] for each in backlog.server.journal('answer')) > COUNT * 0.9
    assert grown < 16 * 2**20, f'grew by {grown / 2**20:.1f} MiB'


def test_a_backlog_by_the_thousand_does_not_grow_the_service(backlog):
    server = backlog.server
    backlog.start()
    server.wait_for_subscriptions(CHANNEL, timeout=START)
    for first in range(0, COUNT, 1000):
        wait('a held poll', lambda: any(each['held'] for each in server.sessions()))
        server.publish_many(events(range(first, first + 1000)))
    grown = backlog.grown()
    assert max(each.detail['messages'] for each in server.journal('answer')) < 1100
    assert grown < 16 * 2**20, f'grew by {grown / 2**20:.1f} MiB'
