"""A backlog in one response costs memory for what is under way, not for the response.

In a subprocess, because only a fresh process has a peak of its own.
"""

import json
import subprocess
import sys

from tests.bayeux.client.conftest import until

EVENTS, SIZE = 50_000, 1000

PROGRAM = """
import json, re, sys, warnings
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

with Client(sys.argv[1]) as client:
    client.subscribe('/a', handle).get(timeout=20)
    before = peak()
    print('ready', flush=True)
    done.wait()
    print(json.dumps({'grown': peak() - before, 'ordered': seen == sorted(seen), 'count': len(seen)}))
"""


def test_a_backlog_of_50_mb_in_one_response_grows_memory_by_a_few(fake):
    process = subprocess.Popen(
        [sys.executable, '-c', PROGRAM, fake.url, str(EVENTS)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == 'ready\n'
        until(lambda: any(each['held'] for each in fake.sessions()), 'a held poll')
        fake.publish_many([('/a', {'n': number, 'x': 'x' * SIZE}) for number in range(EVENTS)])
        result = json.loads(process.stdout.readline())
    assert process.returncode == 0
    assert max(each.detail['messages'] for each in fake.journal('answer')) > EVENTS * 0.9, 'one response'
    assert (result['count'], result['ordered']) == (EVENTS, True)
    # 1,000 events wait for the callback at most, some 2 KB each as Python objects, and one piece of a body.
    assert result['grown'] < 16 * 2**20, f'grew by {result["grown"] / 2**20:.1f} MiB'
