"""Logins are green, and one for all, in a process that is monkey-patched and in one that is not."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, random, sys, time, warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import eventlet
if sys.argv[2] == 'patched':
    eventlet.monkey_patch()
from functools import partial
from nameko_salesforce.config import read_settings
from nameko_salesforce.login import log_in
from nameko_salesforce.tokens import Tokens

ticks = []

def tick():
    while True:
        ticks.append(time.monotonic())
        eventlet.sleep(0.01)

settings = read_settings({'SALESFORCE': json.loads(sys.argv[1])})
tokens = Tokens(partial(log_in, settings), clock=time.monotonic, draw=random.random)
ticking = eventlet.spawn(tick)
threads = [eventlet.spawn(tokens.get) for _ in range(50)]
numbers = {thread.wait().number for thread in threads}
ticking.kill()
print(json.dumps({
    'patched': eventlet.patcher.is_monkey_patched('socket'),
    'logins': sorted(numbers),
    'ticks': len(ticks),
}))
"""


@pytest.mark.parametrize('how', ['patched', 'plain'])
def test_fifty_green_threads_share_one_login_and_the_hub_turns_meanwhile(fake_salesforce, how):
    fake_salesforce.faults.add('delay', channel='login', seconds=0.5)
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, json.dumps(fake_salesforce.section()), how],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said['patched'] is (how == 'patched')
    assert said['logins'] == [1]
    # Half a second of ticks; a machine that is busy misses most, a hub that stands still all but one.
    assert said['ticks'] >= 5
    assert len(fake_salesforce.journal('login')) == 1
