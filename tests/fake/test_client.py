"""The handle: facts with a deadline, and the world that tests arrange."""

import re
import subprocess
import sys

import pytest
from fake_salesforce.client import NotHappened, start_fake
from fake_salesforce.journal import Kind


def test_gap_and_overflow_events_can_be_raised(fake_salesforce):
    ada = fake_salesforce.person('ada@example.com')
    account = ada.create('Account', Name='Acme')
    fake_salesforce.raise_gap('Account', account, change_type='GAP_DELETE')
    fake_salesforce.raise_gap('Account')
    headers = [
        data['payload']['ChangeEventHeader'] for data in fake_salesforce.retained('/data/AccountChangeEvent')
    ]
    assert [(each['changeType'], each['recordIds']) for each in headers[1:]] == [
        ('GAP_DELETE', [account]),
        ('GAP_OVERFLOW', ['000000000000000AAA']),
    ]
    with pytest.raises(ValueError, match='Nonsense'):
        fake_salesforce.raise_gap('Nonsense')


def test_an_org_without_users_has_no_gaps(tmp_path):
    org = tmp_path / 'org.yaml'
    org.write_text('change_data_capture: [Account]')
    with start_fake('--org', str(org)) as fake, pytest.raises(ValueError, match='no user'):
        fake.raise_gap('Account')


def test_records_come_out_of_the_recycle_bin_again(fake_salesforce):
    ada = fake_salesforce.person('ada@example.com')
    account = ada.create('Account', Name='Acme')
    ada.delete('Account', account)
    fake_salesforce.undelete('Account', account)
    assert ada.read('Account', account)['Name'] == 'Acme'
    *_, last = fake_salesforce.retained('/data/AccountChangeEvent')
    header = last['payload']['ChangeEventHeader']
    assert (header['changeType'], header['commitUser']) == ('UNDELETE', ada.id)
    with pytest.raises(ValueError, match='NOT_FOUND'):
        fake_salesforce.undelete('Account', account)
    with pytest.raises(ValueError, match='no user nobody'):
        fake_salesforce.undelete('Account', account, 'nobody')


def test_a_fact_that_does_not_come_is_named_with_the_last_lines(fake_cometd, client):
    client.connected()
    with pytest.raises(NotHappened) as caught:
        fake_cometd.wait_for('reply', channel='/meta/subscribe', timeout=0.01, successful=True)
    text = str(caught.value)
    assert 'waited 0.01 s for 1 entries with kind=reply, channel=/meta/subscribe' in text
    assert 'detail={"successful": true}; found 0' in text
    assert re.search(r'reply +/meta/connect +\{"channel": "/meta/connect", "successful": true\}', text)


def test_facts_are_found_after_a_mark_only(fake_cometd):
    fake_cometd.publish('/a', 1)
    mark = fake_cometd.mark()
    assert fake_cometd.journal(Kind.PUBLISHED, after=mark) == []
    fake_cometd.publish('/b', 1)
    (entry,) = fake_cometd.wait_for(Kind.PUBLISHED, after=mark)
    assert (entry.kind, entry.channel, entry.number) == (Kind.PUBLISHED, '/b', mark + 1)


def test_the_url_is_that_of_the_kind_of_server(fake_cometd):
    assert fake_cometd.url == f'{fake_cometd.base_url}/cometd'
    fake_cometd.reset('salesforce')
    assert fake_cometd.url == f'{fake_cometd.base_url}/cometd/67.0'
    fake_cometd.reset()
    assert fake_cometd.url.endswith('/67.0')
    with pytest.raises(ValueError, match='profile is one of'):
        fake_cometd.reset('nope')
    assert fake_cometd.url.endswith('/67.0')


def test_settings_of_a_server_come_back_with_its_kind():
    with start_fake(timeout=7) as fake:
        assert fake.url.endswith('/cometd/67.0')
        fake.reset('vanilla')
        assert fake.settings()['timeout'] == 30.0
        fake.reset('salesforce')
        assert fake.settings()['timeout'] == 7.0


def test_after_a_stop_it_is_the_same_kind_of_server(fake_cometd):
    fake_cometd.stop()
    fake_cometd.start()
    assert fake_cometd.url.endswith('/cometd')
    assert fake_cometd.settings()['timeout'] == 30.0


def test_events_that_can_be_replayed_are_shown(fake_salesforce):
    fake_salesforce.publish_many([('/topic/A', {'n': 1}), ('/topic/B', {'n': 2}), ('/topic/A', {'n': 3})])
    assert [each['n'] for each in fake_salesforce.retained('/topic/A')] == [1, 3]
    assert fake_salesforce.retained('/topic/C') == []
    fake_salesforce.advance(86_400)
    assert fake_salesforce.retained('/topic/A') == []
    fake_salesforce.reset()
    assert fake_salesforce.retained('/topic/B') == []


def test_refusals_of_the_server_are_value_errors(fake_cometd):
    with pytest.raises(ValueError, match='unknown: nope'):
        fake_cometd.faults.add('html', nope=1)
    with pytest.raises(ValueError, match='kind is one of'):
        fake_cometd.wait_for('nope')
    with pytest.raises(ValueError, match='not a channel'):
        fake_cometd.publish('nope', 1)


def test_the_world_can_be_arranged(fake_cometd, client):
    client.connected('/a')
    assert fake_cometd.publish_many([('/a', 1), ('/b', 2)]) == [1, 0]
    assert fake_cometd.publish('/a', 1, lazy=True) == 1
    assert fake_cometd.sessions()[0]['queued'] == 2
    assert fake_cometd.configure(timeout=3)['timeout'] == 3.0
    assert fake_cometd.settings()['timeout'] == 3.0
    before = fake_cometd.now()
    assert fake_cometd.advance(5) >= before + 5
    assert fake_cometd.disconnect(client.client_id) == 1
    assert fake_cometd.disconnect_all() == 0
    assert fake_cometd.violations() == []
    fake_cometd.faults.add('html')
    fake_cometd.faults.clear()
    assert fake_cometd.faults.list() == []


def test_a_section_logs_in_by_client_credentials_and_can_be_changed(fake_salesforce):
    section = fake_salesforce.section()
    assert section == {
        'LOGIN_URL': fake_salesforce.base_url,
        'CONSUMER_KEY': 'fake-consumer-key',
        'CONSUMER_SECRET': 'fake-consumer-secret',
    }
    assert fake_salesforce.login_url == fake_salesforce.base_url
    changed = fake_salesforce.section(CONSUMER_SECRET=None, USERNAME='ada@example.com')
    assert 'CONSUMER_SECRET' not in changed
    assert changed['USERNAME'] == 'ada@example.com'


def test_people_and_records_can_be_added_and_tokens_taken(fake_salesforce):
    fake_salesforce.seed({'users': [{'username': 'grace@example.com', 'password': 'hush'}]})
    assert fake_salesforce.grant_refresh_token('grace@example.com')
    assert '!' in fake_salesforce.issue_token('grace@example.com')
    assert fake_salesforce.revoke_tokens('grace@example.com') == 1
    assert fake_salesforce.revoke_tokens() == 0
    with pytest.raises(ValueError, match='no user nobody'):
        fake_salesforce.revoke_tokens('nobody')
    with pytest.raises(ValueError, match='colour: no such key'):
        fake_salesforce.seed({'colour': 'red'})


def test_the_handle_works_where_eventlet_has_patched_everything():
    code = (
        'import eventlet; eventlet.monkey_patch()\n'
        'from fake_salesforce.client import start_fake\n'
        'with start_fake("--profile", "vanilla") as fake:\n'
        '    waiter = eventlet.spawn(fake.wait_for, "published", timeout=20)\n'
        '    eventlet.sleep(0)\n'
        '    fake.publish("/a", 1)\n'
        '    print(len(waiter.wait()))\n'
    )
    command = [sys.executable, '-W', 'ignore', '-c', code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.stderr) == ('1\n', '')


def test_subscriptions_are_waited_for_by_name(fake_cometd):
    with pytest.raises(NotHappened, match='/b'):
        fake_cometd.wait_for_subscriptions('/b', timeout=0.1)


GREEN = """
import sys, warnings
warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')
import eventlet
from fake_salesforce.client import start_fake
turns = []

def turn():
    while True:
        turns.append(1)
        eventlet.sleep(0.01)

with start_fake('--profile', 'vanilla') as fake:
    eventlet.spawn(turn)
    try:
        fake.wait_for('held', timeout=0.5)
    except AssertionError:
        print(len(turns))
"""


def test_waiting_gives_way_to_green_threads_in_an_unpatched_process():
    done = subprocess.run(
        [sys.executable, '-c', GREEN], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout) > 5
