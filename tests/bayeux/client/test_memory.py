"""A backlog costs memory for what is under way, in one response and in many; not for all of it.

In a subprocess, because only a fresh process has a peak of its own.
"""

import json
import subprocess
import sys

import pytest

from tests.bayeux.client.conftest import until

EVENTS, SIZE = 50_000, 1000

PROGRAM = """
import collections, json, re, sys, warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import eventlet
from nameko_salesforce.bayeux import Client

def peak():
    # Not ru_maxrss: that begins with what the parent had when it forked.
    return int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024

seen, done = [], eventlet.event.Event()

def handle(event):
    seen.append(event.data['n'])
    if len(seen) % 1000 == 0:
        eventlet.sleep(0.001)  # slower than the socket
    if len(seen) == int(sys.argv[2]):
        done.send()

waiting = collections.deque()

def take(event):
    # As a runner does: a brake at one mark and a wait at another, for one response may hold any number.
    waiting.append(event)
    if len(waiting) >= 500:
        client.brake()
    while len(waiting) >= 2000:
        eventlet.sleep(0.001)

def work():
    while True:
        eventlet.sleep(0)
        if waiting:
            handle(waiting.popleft())
        if len(waiting) <= 100:
            client.release()

with Client(sys.argv[1]) as client:
    worker = eventlet.spawn(work) if sys.argv[3] == 'brake' else None
    client.subscribe('/a', take if worker else handle).get(timeout=20)
    before = peak()
    print('ready', flush=True)
    done.wait()
    print(json.dumps({'grown': peak() - before, 'ordered': seen == sorted(seen), 'count': len(seen)}))
"""


class Reader:
    """The program, subscribed."""

    def __init__(self, fake, way):
        self.process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, fake.url, str(EVENTS), way], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == 'ready\n'
        until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')

    def result(self):
        result = json.loads(self.process.stdout.readline())
        assert self.process.wait() == 0
        assert (result['count'], result['ordered']) == (EVENTS, True)
        return result['grown']


@pytest.fixture
def read(fake):
    """`read(way)` -> a `Reader`, which ends with the test."""
    readers = []

    def start(way):
        readers.append(Reader(fake, way))
        return readers[-1]

    yield start
    for each in readers:
        each.process.kill()
        each.process.communicate()


def events(numbers):
    return [('/a', {'n': number, 'x': 'x' * SIZE}) for number in numbers]


@pytest.mark.parametrize('way', ['slow callback', 'brake'])
def test_a_backlog_of_50_mb_in_one_response_grows_memory_by_a_few(fake, read, way):
    reader = read(way)
    fake.publish_many(events(range(EVENTS)))
    grown = reader.result()
    assert max(each.detail['messages'] for each in fake.journal('answer')) > EVENTS * 0.9, 'one response'
    # 1,000 events wait for the callback at most (and 2,000 behind it with a brake), some 2 KB each as
    # Python objects, and one piece of a body.
    assert grown < 16 * 2**20, f'grew by {grown / 2**20:.1f} MiB'


@pytest.mark.parametrize('way', ['slow callback', 'brake'])
def test_a_backlog_of_50_mb_by_the_thousand_grows_memory_by_a_few(fake, read, way):
    reader = read(way)
    for first in range(0, EVENTS, 1000):
        until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll', beats=600)
        fake.publish_many(events(range(first, first + 1000)))
    grown = reader.result()
    assert max(each.detail['messages'] for each in fake.journal('answer')) < 1100
    assert grown < 16 * 2**20, f'grew by {grown / 2**20:.1f} MiB'
    assert len(fake.journal('request', channel='/meta/handshake')) == 1
