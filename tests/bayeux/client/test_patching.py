"""The client is green in a process that is monkey-patched and in one that is not.

In subprocesses: pytest's own plugins may patch the process that the tests run in.
"""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys, time, warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import eventlet
if sys.argv[2] == 'patched':
    eventlet.monkey_patch()
import eventlet.patcher
from nameko_salesforce.bayeux import Client, State

ticks, longest = [], 0.0

def tick():
    while True:
        ticks.append(time.monotonic())
        eventlet.sleep(0.01)

got = {'one': [], 'two': []}
ticking = eventlet.spawn(tick)
with Client(sys.argv[1]) as one, Client(sys.argv[1]) as two:
    for name, client in (('one', one), ('two', two)):
        client.subscribe('/a', lambda event, name=name: got[name].append(event.data)).get(timeout=20)
    for number in range(3):
        eventlet.sleep(0.3)  # both polls are held meanwhile
        one.publish('/a', number).get(timeout=20)
    while min(map(len, got.values())) < 3:
        eventlet.sleep(0.01)
    states = [one.state.name, two.state.name]
ticking.kill()
print(json.dumps({
    'patched': eventlet.patcher.is_monkey_patched('socket'),
    'states': states,
    'after': [one.state.name, two.state.name],
    'got': got,
    'longest_silence': max(later - earlier for earlier, later in zip(ticks, ticks[1:])),
    'ticks': len(ticks),
}))
"""


@pytest.mark.parametrize('patching', ['patched', 'unpatched'])
def test_two_clients_and_a_ticking_green_thread_share_a_process(fake, patching):
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, fake.url, patching], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result['patched'] is (patching == 'patched')
    assert result['states'] == ['CONNECTED', 'CONNECTED']
    assert result['after'] == ['HALTED', 'HALTED']
    assert result['got'] == {'one': [0, 1, 2], 'two': [0, 1, 2]}
    # A held poll that blocked the hub would silence the ticks for as long as it is held.
    assert result['longest_silence'] < 0.3
    assert result['ticks'] > 30
