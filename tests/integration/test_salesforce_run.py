"""Services for Salesforce under `nameko run`, in processes of their own: how they begin and how they end."""

import os
from importlib.metadata import version

import pytest

from tests.integration.printers import CHANNEL, Store, ids, publish
from tests.integration.processes import Process

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds: see test_nameko_run.py. A poll is held for 110, and `start()` must not wait for a login.
PROMPT = 6.0 * SLOWNESS

# Seconds: one until the heart beats and Nameko acts on the signal, and one for all the rest.
HELD_POLL = 2.0 * SLOWNESS

PASSWORD, SECURITY_TOKEN = 'passw0rd-of-the-service', 't0ken-of-the-service'
SECRETS = ('fake-consumer-secret', PASSWORD, SECURITY_TOKEN)

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'handlers': {'console': {'class': 'logging.StreamHandler'}},
    'root': {'level': 'DEBUG', 'handlers': ['console']},
}


@pytest.fixture
def run(org, tmp_path):
    """Starts a service of `programs.py` with the section of the fake org."""
    processes = []

    def start(service, **settings):
        config = {'SALESFORCE': org.server.section(**settings), 'LOGGING': LOGGING}
        processes.append(Process(f'programs:{service}', config, tmp_path))
        return processes[-1]

    yield start
    for process in processes:
        process.end()


def subscribed(org):
    org.server.wait_for_subscriptions('/topic/Contact', timeout=30)


def test_sigterm_during_a_held_poll_of_110_seconds_ends_the_process_promptly(run, org):
    process = run('Contacts')
    subscribed(org)
    org.server.wait_for('held')
    process.terminate()
    assert process.status(HELD_POLL) == 0
    assert [each.detail['why'] for each in org.server.journal('closed')] == ['disconnect']


def test_two_sigterms_finish_the_work_in_hand_and_keep_its_position(run, org, tmp_path):
    uri = f'sqlite:///{tmp_path / "positions.db"}'
    process = run('Printing', REPLAY_STORE_URI=uri)
    org.server.wait_for_subscriptions(CHANNEL, timeout=30)
    publish(org, tmp_path / 'one')
    process.wait_for('begun one')
    process.terminate()
    process.wait_for('stopping services')
    process.terminate()
    publish(org, tmp_path / 'two')
    (tmp_path / 'one').touch()  # not before: a signal that meets a process at its very end kills it
    assert process.status(PROMPT) == 0
    assert 'done one' in process.log
    assert 'begun two' not in process.log
    assert Store(org, uri, 'printing').id() == ids(org)[0]


def test_sigterm_while_salesforce_is_down_ends_the_process_promptly(run, org):
    org.server.faults.add('status', channel='login', status=503, count=None)
    process = run('Contacts')
    process.wait_for('login failed')
    process.terminate()
    assert process.status(PROMPT) == 0


def test_sigterm_while_a_login_hangs_ends_the_process_promptly(run, org):
    org.server.faults.add('never', channel='login', count=None)
    process = run('Contacts')
    org.server.wait_for('fault', timeout=30)
    process.terminate()
    assert process.status(PROMPT) == 0


@pytest.mark.defect('R6')
def test_a_wrong_configuration_names_every_problem_and_ends_the_process(run, org):
    process = run(
        'Contacts', CONSUMER_SECRET=None, API_VERSION='36.0', SANDBOX='yes', PASWORD='not-the-secret'
    )
    # 2.14 takes it for the user's own doing: one line, and status 0.
    assert process.status(PROMPT) == (0 if version('nameko').startswith('2.') else 1)
    [line] = [line for line in process.log.splitlines() if 'contacts cannot start' in line]
    for word in ('CONSUMER_SECRET', 'API_VERSION', 'SANDBOX', 'PASWORD', 'PASSWORD'):
        assert word in line
    assert 'not-the-secret' not in process.log
    assert org.server.journal('login') == []


def test_a_process_that_is_killed_at_work_loses_nothing(run, org, tmp_path):
    """SIGKILL with one event done, one under way, and one that is published while nobody is there."""
    uri = f'sqlite:///{tmp_path / "positions.db"}'
    first = run('Printing', REPLAY_STORE_URI=uri)
    org.server.wait_for_subscriptions(CHANNEL, timeout=30)
    (tmp_path / 'one').touch()
    publish(org, tmp_path / 'one', tmp_path / 'two')
    first.wait_for('done one')
    first.wait_for('begun two')
    first.end()
    publish(org, tmp_path / 'three')
    second = run('Printing', REPLAY_STORE_URI=uri)
    second.wait_for('begun two')
    second.wait_for('begun three')
    (tmp_path / 'two').touch()
    (tmp_path / 'three').touch()
    publish(org, tmp_path / 'one')  # answers the poll, until when what was replayed is provisional
    store = Store(org, uri, 'printing')
    org.until('the position of the last', lambda: store.id() == ids(org)[-1])


def test_contradicting_decorators_end_the_process(run, org):
    process = run('Contradicting')
    assert process.status(PROMPT) == (0 if version('nameko').startswith('2.') else 1)
    assert 'contradicting cannot start. PushTopic Contact is declared in two ways' in process.log


def test_fail_fast_ends_the_process_with_a_status_that_a_supervisor_notices(run, org):
    process = run('Contacts', CONSUMER_SECRET='not-the-secret', FAIL_FAST=True)
    assert process.status(PROMPT) == 1
    assert 'contacts ends, because FAIL_FAST is set: login refused' in process.log


def test_no_secret_is_in_the_log_of_a_service_that_logs_everything(run, org):
    user = {'username': 'integration@example.com', 'password': PASSWORD, 'security_token': SECURITY_TOKEN}
    org.server.seed({'users': [user]})
    keys = {'USERNAME': user['username'], 'PASSWORD': PASSWORD, 'SECURITY_TOKEN': SECURITY_TOKEN}
    process = run('Contacts', **keys)
    subscribed(org)
    org.ada.create('Contact', LastName='Hopper')
    process.wait_for('handled Hopper')
    org.server.revoke_tokens('integration@example.com')
    org.ada.create('Contact', LastName='Turing')
    process.wait_for('handled Turing')
    process.terminate()
    assert process.status(PROMPT) == 0
    assert org.server.journal('login', flow='password', status=200)
    journal = str(org.server.journal())  # what a test shows when it fails
    token = org.server.issue_token().partition('!')[0] + '!'
    for secret in (*SECRETS, token):
        assert secret not in process.log
        assert secret not in journal
    assert 'Bearer' not in process.log.replace("'Bearer ***'", '')
