"""The README is true: its blocks run, its tables are those of the code, each promise names its test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.session import SessionOptions
from nameko_salesforce.bayeux.settings import KEYS, BayeuxSettings, read_settings
from nameko_salesforce.bayeux.transport import TransportOptions

ROOT = Path(__file__).parents[2]
README = (ROOT / 'README.md').read_text()
BLOCKS = re.findall(r'```(\w+)\n(.*?)```', README, re.DOTALL)

CLIENT = 'tests/bayeux/client/test_client.py::'
SERVICE = 'tests/integration/'
PROOFS = {
    'the server goes away': [
        CLIENT + 'test_a_server_that_starts_again_is_found_again',
        'tests/bayeux/pure/test_session.py::test_pauses_grow_to_the_cap',
    ],
    'the server is down when your service starts': [
        SERVICE
        + 'test_recovery.py::test_a_service_starts_while_its_server_is_down_and_is_served_once_it_is_up'
    ],
    'the server forgets the session': [
        CLIENT + 'test_an_expired_session_is_replaced_and_subscribed_again',
        'tests/bayeux/pure/test_session.py::test_every_spelling_of_an_unknown_session_leads_to_a_new_one',
    ],
    'a channel is refused': [
        CLIENT + 'test_a_refused_channel_is_logged_once',
        CLIENT + 'test_a_refused_subscription_raises_is_visible_and_is_tried_again',
    ],
    'the server refuses for good': [CLIENT + 'test_a_halt_is_reported_with_its_reason'],
    'HTTP 401, 403, 500, HTML, half an answer': [
        CLIENT + 'test_a_fault_of_the_network_is_survived',
        CLIENT + 'test_an_http_status_is_survived',
    ],
    'your handler raises': [
        SERVICE + 'test_events.py::test_a_failing_handler_is_logged_and_the_next_event_is_handled',
    ],
    'your handlers are slow': [
        SERVICE + 'test_events.py::test_a_full_pool_delays_no_poll_and_loses_no_event',
        CLIENT + 'test_a_backlog_that_outruns_its_callbacks_does_not_grow_memory',
    ],
    'a message above the limit': [
        CLIENT + 'test_a_giant_message_is_skipped_told_and_does_not_come_between',
    ],
    'SIGTERM while a poll is held': [
        SERVICE + 'test_nameko_run.py::test_sigterm_during_a_held_poll_ends_the_process_promptly',
    ],
}


def block(language, containing):
    (found,) = [text for kind, text in BLOCKS if kind == language and containing in text]
    return found


def run(program, *arguments, timeout=60):
    done = subprocess.run(
        [sys.executable, *arguments], input=program, cwd=ROOT, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_screen_names_the_two_commands():
    first_screen = README.splitlines()[:35]
    assert any('make demo' in line for line in first_screen)
    assert any('make test' in line for line in first_screen)
    assert len(README.splitlines()) <= 200


def test_the_demo_prints_what_is_shown():
    shown = block('text', 'Handled by the service')
    assert shown in run('', 'examples/demo.py')


def test_the_service_is_the_example():
    assert block('python', 'class Chat') == (ROOT / 'examples/chat.py').read_text()
    assert len(block('python', 'class Chat').splitlines()) <= 15


def test_the_configuration_is_accepted():
    settings = read_settings(yaml.safe_load(block('yaml', 'SERVER_URI')))
    assert settings.server_uri == 'http://127.0.0.1:8080/cometd'


def test_the_client_runs_as_shown(fake_cometd):
    quiet = "import warnings; warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')\n"
    program = quiet + block('python', 'with Client').replace('http://127.0.0.1:8080/cometd', fake_cometd.url)
    # The callback runs when the program gives way.
    program = program.replace(
        '    print(client.state', '    import eventlet; eventlet.sleep(1)\n    print(client.state'
    )
    output = run(program, '-')
    assert "/chat/me {'text': 'hello'}" in output
    assert 'State.CONNECTED' in output


@pytest.mark.timeout(180)
def test_the_test_of_a_service_passes_as_shown(tmp_path):
    (tmp_path / 'chat.py').write_text(block('python', 'class Chat'))
    path = tmp_path / 'test_chat.py'
    path.write_text(block('python', 'def test_my_service'))
    patched = f'import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport eventlet\neventlet.monkey_patch()\n'
    (tmp_path / 'conftest.py').write_text(patched)
    run('', '-m', 'pytest', '-q', '-c', str(ROOT / 'pyproject.toml'), str(path), timeout=120)


def test_the_settings_are_those_of_the_code():
    defaults = {
        'own': BayeuxSettings('http://x'),
        'session': SessionOptions(),
        'backoff': Backoff(),
        'transport': TransportOptions(),
    }
    shown = {}
    for keys, values in re.findall(r'^\| ((?:`[A-Z_]+`(?:, )?)+) \| (.*?) \|', README, re.MULTILINE):
        names = re.findall(r'`([A-Z_]+)`', keys)
        said = [value.strip('`').split(' ')[0] for value in values.split(', ')]
        shown |= dict(zip(names, said * len(names) if len(said) == 1 else said, strict=False))
    assert set(shown) == set(KEYS)
    nothing = {'SERVER_URI': '–', 'CA_BUNDLE': 'the', 'CLIENT_CERTIFICATE': 'none', 'PROXY': 'none'}
    for key, known in KEYS.items():
        default = getattr(defaults[known.part], known.name)
        words = nothing.get(key) or str(default).lower().removesuffix('.0')
        assert shown[key] in (words, str(default)), key


def test_every_promise_names_a_test_that_exists():
    promises = re.findall(
        r'^\| (.*?) \| .* \|$', README.partition('## What happens')[2].partition('## ')[0], re.M
    )
    promises = [each for each in promises if each not in ('what happens', '---')]
    for promise in promises:
        proofs = [tests for words, tests in PROOFS.items() if promise.startswith(words)]
        assert len(proofs) == 1, f'no proof is named for: {promise}'
        assert proofs[0], f'no proof is named for: {promise}'
        for proof in proofs[0]:
            path, _, name = proof.partition('::')
            assert f'def {name}(' in (ROOT / path).read_text(), proof
