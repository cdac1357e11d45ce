"""A Nameko service with our decorators against the CometD server for Java, with an extension that replays."""

import http.client
import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.interop.programs import SECONDS, wait_until
from tests.services.child import end_child, start_child

CHANNEL = '/event/Reading__e'
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures('only_java')


@pytest.fixture
def only_java(cometd):
    if cometd != 'java':
        pytest.skip('the server for Node has no replay extension of ours; see make interop-java')


@pytest.fixture
def server(cometd, start_server):
    return start_server(cometd, path='/cometd/67.0', replay=True)


class Service:
    """`nameko run`, again and again."""

    def __init__(self, folder, login_url):
        self.folder = folder
        self.notes = folder / 'notes'
        self.notes.touch()
        self.login_url = login_url
        self.process = None

    def start(self, **settings):
        section = {
            'LOGIN_URL': self.login_url,
            'CONSUMER_KEY': 'key',
            'CONSUMER_SECRET': 'secret',
            'HANDSHAKE_DISTANCE': 0.1,
            'BACKOFF_FIRST': 0.1,
            'REPLAY_STORE_URI': f'sqlite:///{self.folder / "positions.db"}',
            **settings,
        }
        config = self.folder / 'config.yaml'
        config.write_text(json.dumps({'SALESFORCE': section}))  # JSON is YAML
        environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'LISTENER_NOTES': str(self.notes)}
        nameko = str(Path(sys.executable).with_name('nameko'))
        self.process = start_child(
            [nameko, 'run', 'tests.interop.listener', '--config', str(config)],
            folder=ROOT,
            log=self.folder / 'log',
            environment=environment,
        )

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        end_child(self.process)
        self.process = None

    def age_positions(self, seconds):
        """As if the service had been away for so long."""
        with closing(sqlite3.connect(self.folder / 'positions.db')) as db, db:
            changed = db.execute(
                "UPDATE positions SET position = json_set(position, '$.seen_until', "
                "json_extract(position, '$.seen_until') - ?)",
                (seconds,),
            )
            assert changed.rowcount == 1

    def said(self):
        return self.notes.read_text().splitlines()

    def wait_for(self, *lines):
        try:
            wait_until(lambda: len(self.said()) >= len(lines), f'{len(lines)} notes')
        except AssertionError as missing:
            log = (self.folder / 'log').read_text()[-2000:]
            raise AssertionError(f'{missing}; {self.said()}\n{log}') from None
        assert self.said() == list(lines)


@pytest.fixture
def service(tmp_path, server):
    made = Service(tmp_path, server.url.removesuffix('/cometd/67.0'))
    yield made
    if made.process is not None:
        end_child(made.process)


def test_a_service_gets_what_it_missed_and_nothing_twice(server, service):
    first = server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    service.start()
    service.wait_for('event 1')
    wait_until(server.held, 'a held poll')
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    service.wait_for('event 1', 'event 2')
    service.stop()
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 3})
    assert server.ask('raise', channel=CHANNEL, payload={'Number__c': 4}) > first
    service.start()
    service.wait_for('event 1', 'event 2', 'event 3', 'event 4')


def test_a_session_that_the_server_forgot_costs_no_event(server, service):
    service.start()
    wait_until(server.held, 'a held poll')
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    service.wait_for('event 1')
    server.ask('forget')
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    service.wait_for('event 1', 'event 2')


def test_an_id_that_is_refused_a_short_while_later_is_no_loss(server, service):
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    service.start()
    service.wait_for('event 1')
    wait_until(server.held, 'a held poll')
    service.stop()
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    server.ask('drop', channel=CHANNEL, count=1)
    service.start()
    service.wait_for('event 1', 'event 2')
    assert 'The replayId' in str(server.exchanges('/meta/subscribe')[-2].replies)


def test_an_id_that_is_refused_after_most_of_the_retention_is_a_gap(server, service):
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    service.start()
    service.wait_for('event 1')
    wait_until(server.held, 'a held poll')
    service.stop()
    service.age_positions(71.5 * 3600)  # of 72 hours
    server.ask('drop', channel=CHANNEL, count=1)
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    service.start()
    wait_until(lambda: len(service.said()) == 3, 'the gap and the event')
    assert sorted(service.said()[1:]) == ['event 2', 'gap earliest']
    assert 'The replayId' in str(server.exchanges('/meta/subscribe')[-2].replies)


def test_a_position_that_is_too_old_is_a_gap_and_not_asked_for(server, service):
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    service.start()
    service.wait_for('event 1')
    wait_until(server.held, 'a held poll')
    service.stop()
    service.age_positions(72 * 3600)
    server.ask('drop', channel=CHANNEL, count=1)
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    service.start()
    wait_until(lambda: len(service.said()) == 3, 'the gap and the event')
    assert sorted(service.said()[1:]) == ['event 2', 'gap earliest']
    assert len(server.exchanges('/meta/subscribe')) == 2


# --- the extension itself, without a client of ours ------------------------------------------------


class Bare:
    """A session by hand, so that nothing between puts events in order or drops those that come twice."""

    def __init__(self, url):
        address = urlsplit(url)
        self._path = address.path
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=SECONDS)
        self._fields, self._cookies = {}, ''
        self.numbers = []

    def send(self, channel, **fields):
        """Send one message and return its reply; the events beside it are kept."""
        body = json.dumps([{'id': '1', 'channel': channel, **self._fields, **fields}])
        headers = {'Content-Type': 'application/json', 'Cookie': self._cookies}
        self._connection.request('POST', self._path, body, headers)
        response = self._connection.getresponse()
        messages = json.loads(response.read())
        if given := response.headers.get_all('Set-Cookie'):
            self._cookies = '; '.join(each.partition(';')[0] for each in given)
        self.numbers += [
            each['data']['payload']['Number__c'] for each in messages if each['channel'] == CHANNEL
        ]
        [reply] = [each for each in messages if each['channel'] == channel]
        return reply

    def handshake(self):
        reply = self.send('/meta/handshake', version='1.0', supportedConnectionTypes=['long-polling'])
        self._fields = {'clientId': reply['clientId']}

    def subscribe(self, replay_from):
        return self.send('/meta/subscribe', subscription=CHANNEL, ext={'replay': {CHANNEL: replay_from}})

    def poll(self):
        self.send('/meta/connect', connectionType='long-polling', advice={'timeout': 0})

    def close(self):
        self._connection.close()


@pytest.fixture
def bare(server):
    peer = Bare(server.url)
    peer.handshake()
    yield peer
    peer.close()


@pytest.mark.parametrize(
    ('start', 'expected'), [('earliest', [1, 2, 3, 4]), ('id', [2, 3, 4]), ('latest', [3, 4])]
)
def test_an_event_that_is_raised_during_a_subscription_comes_once_and_in_its_turn(
    server, bare, start, expected
):
    first = server.ask('raise', channel=CHANNEL, payload={'Number__c': 1})
    server.ask('raise', channel=CHANNEL, payload={'Number__c': 2})
    server.ask('raise during subscription', channel=CHANNEL, payload={'Number__c': 3})

    reply = bare.subscribe({'earliest': -2, 'id': first, 'latest': -1}[start])
    assert reply['successful'], reply

    server.ask('raise', channel=CHANNEL, payload={'Number__c': 4})
    bare.poll()
    assert bare.numbers == expected
