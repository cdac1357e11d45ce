"""The `fake-salesforce` program."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest
from fake_salesforce.__main__ import main
from fake_salesforce.faults import FaultKind

COMMAND = [sys.executable, '-m', 'fake_salesforce']


@contextmanager
def program(*arguments, **how):
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, **how) as process:
        try:
            yield process, process.stdout.readline().decode()
        finally:
            process.kill()


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['--help'])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in (
        '--profile',
        '--port',
        '--timeout',
        '--control-host',
        '--tls-key',
        '--setting',
        '--gzip',
        '--speed',
        '--org',
    ):
        assert option in text


@pytest.mark.parametrize(
    ('arguments', 'problem'),
    [
        (['--profile', 'nope'], 'invalid choice'),
        (['--setting', 'timeout'], 'expected NAME=JSON'),
        (['--setting', 'timeout={'], 'not JSON'),
        (['--setting', 'nope=1'], 'nope: no such setting'),
        (['--timeout', 'x'], 'invalid float'),
        (['--port', '65536'], 'from 0 to 65535'),
        (['--speed', '0'], 'above 0'),
        (['--speed', 'x'], 'argument --speed'),
        (['--profile', 'vanilla', '--setting', 'busy=[]'], 'busy: no such setting'),
        (['--port', 'x'], 'argument --port'),
        (['--tls-key', 'x.pem'], 'go together'),
    ],
)
def test_wrong_options_are_explained(capsys, arguments, problem):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_status_0_though_a_connect_is_held(raw_client, number):
    with program('--profile', 'vanilla', '--port', '0', '--timeout', '100') as (process, line):
        found = re.fullmatch(r'Fake CometD server at (http://127\.0\.0\.1:\d+/cometd)\n', line)
        with raw_client(found[1]) as client:
            client.connected()
            client.begin([client.connect_message()])
            # The answer to a later request proves that the connect has arrived.
            other = {'channel': '/a', 'clientId': client.client_id, 'data': 1}
            client.post(other)
            process.send_signal(number)
            assert process.wait(10) == 0


def test_without_a_profile_it_is_a_salesforce_and_says_where():
    with program('--port', '0') as (_, line):
        found = re.fullmatch(
            r'Fake Salesforce at (http://127\.0\.0\.1:\d+), streaming at (http://[\d.:]+)/cometd/67\.0\n',
            line,
        )
        assert found[1] == found[2]


def control_status(address, port, host):
    connection = http.client.HTTPConnection(address, port, timeout=20)
    try:
        connection.request('GET', '/_fake/clock', headers={'Host': host})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize('options', [(), ('--host', '127.0.0.1')])
def test_nobody_but_this_machine_is_served_and_that_needs_no_warning(options):
    with program('--port', '0', *options, stderr=subprocess.PIPE) as (process, line):
        port = int(re.search(r'at http://127\.0\.0\.1:(\d+),', line)[1])
        assert control_status('127.0.0.1', port, f'127.0.0.1:{port}') == 200
        # Another address of this machine, as good for the purpose as that of its network card.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.2', port), timeout=20)
        process.terminate()
        assert process.stderr.read() == b''


def test_who_opens_it_to_other_machines_is_warned_and_its_control_endpoints_stay_guarded():
    with program('--host', '0.0.0.0', '--port', '0', stderr=subprocess.PIPE) as (process, line):
        port = int(re.search(r'at http://0\.0\.0\.0:(\d+),', line)[1])
        assert control_status('127.0.0.1', port, 'localhost') == 200
        for host in (f'0.0.0.0:{port}', 'evil.example'):
            assert control_status('127.0.0.1', port, host) == 403
        if (ours := address_of_this_machine()) is not None:
            for host in (ours, f'{ours}:{port}', 'localhost'):
                assert control_status(ours, port, host) == 403
        process.terminate()
        [warning] = process.stderr.read().decode().splitlines()
    assert warning.startswith("fake-salesforce: other machines reach '0.0.0.0' as well")


def address_of_this_machine():
    """One that is not the loopback's; None where there is no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(('192.0.2.1', 9))  # for documentation (RFC 5737), and nothing is sent
        except OSError:
            return None
        return sock.getsockname()[0]


def test_the_commands_that_it_prints_create_a_contact():
    with program('--port', '0') as (process, _):
        lines = [process.stdout.readline().decode() for _ in range(5)]
        commands = [line for line in lines if line.startswith(('  TOKEN=', '  curl '))]
        assert len(commands) == 2
        done = subprocess.run(['bash', '-c', ''.join(commands)], capture_output=True, text=True, timeout=20)
    assert '"success":true' in done.stdout, done.stderr


@pytest.mark.parametrize('blocking', [True, False])
def test_it_ends_when_its_standard_input_does(blocking):
    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)
    with program('--port', '0', '--until-stdin-closes', stdin=reading) as (process, line):
        os.close(reading)
        assert line
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        os.close(writing)
        assert process.wait(10) == 0


@pytest.mark.parametrize('redirection', ['</dev/null', '<&-'])
def test_it_ends_where_there_is_no_standard_input(redirection):
    shell = ['sh', '-c', f'exec "$0" "$@" {redirection}']
    done = subprocess.run(
        [*shell, *COMMAND, '--port', '0', '--until-stdin-closes'], capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout


def test_a_port_in_use_is_one_line_and_status_1():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run([*COMMAND, '--port', str(port)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert re.fullmatch(r'fake-salesforce: .*address already in use.*\n', result.stderr)


def test_an_unreadable_certificate_is_one_line_and_status_1(tmp_path):
    arguments = ['--tls-certificate', str(tmp_path / 'no'), '--tls-key', str(tmp_path / 'no'), '--port', '0']
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert re.fullmatch(r'fake-salesforce: No such file or directory.*\n', result.stderr)


def test_without_aiohttp_there_is_a_hint():
    code = (
        'import sys; sys.modules["aiohttp"] = None\n'
        'from fake_salesforce.__main__ import main; sys.exit(main(["--port", "0"]))'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert result.stderr == 'fake-salesforce needs aiohttp: pip install nameko-salesforce[fake]\n'


@pytest.mark.parametrize('package', ['lark', 'yaml'])
def test_without_another_package_of_the_extra_there_is_the_same_hint(package):
    code = (
        f'import sys; sys.modules["{package}"] = None\n'
        'from fake_salesforce.__main__ import main; sys.exit(main(["--port", "0"]))'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert result.stderr == f'fake-salesforce needs {package}: pip install nameko-salesforce[fake]\n'


def test_it_says_how_to_log_in():
    with program('--port', '0') as (process, line):
        url = r'http://127\.0\.0\.1:\d+'
        assert re.fullmatch(rf'Fake Salesforce at {url}, streaming at {url}/cometd/67\.0\n', line)
        ways = [process.stdout.readline().decode() for _ in range(2)]
    assert ways == [
        '  client credentials: consumer key fake-consumer-key, consumer secret fake-consumer-secret\n',
        '  or password:        user integration@example.com, password secret, security token token\n',
    ]


ORG = """
users: [{username: grace@example.com, password: hush}]
apps: [{name: mine, consumer_key: my-key, consumer_secret: hush, run_as: grace@example.com}]
"""


def test_an_org_of_ones_own_is_served_and_its_secrets_are_not_printed(tmp_path):
    (tmp_path / 'org.yaml').write_text(ORG)
    with program('--port', '0', '--org', str(tmp_path / 'org.yaml')) as (process, line):
        ways = [process.stdout.readline().decode() for _ in range(2)]
        base_url = line.partition(' at ')[2].partition(',')[0]
        form = b'grant_type=client_credentials&client_id=my-key&client_secret=hush'
        with urllib.request.urlopen(f'{base_url}/services/oauth2/token', form, timeout=20) as answer:
            assert answer.status == 200
    assert ways == [
        '  client credentials: consumer key my-key\n',
        '  or password:        user grace@example.com\n',
    ]


@pytest.mark.parametrize(
    ('text', 'problems'),
    [
        (
            'users: [{password: 3}]\ncolour: red\n',
            ['colour: no such key', 'password: not', 'username: missing'],
        ),
        ('apps: [{name: a, consumer_key: k, run_as: nobody}]', ['there is no user nobody']),
        ('records: {Nothing__c: [{}]}', ['Nothing__c']),
        ('[', ['not YAML']),
        ('- 1', ['not a mapping']),
    ],
)
def test_a_wrong_org_is_explained_with_all_its_problems(capsys, tmp_path, text, problems):
    path = tmp_path / 'org.yaml'
    path.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(['--org', str(path)])
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert f'--org {path}: ' in printed
    assert [problem for problem in problems if problem not in printed] == []


def test_an_org_that_cannot_be_read_is_explained(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(['--org', str(tmp_path / 'no')])
    assert 'No such file or directory' in capsys.readouterr().err


def test_timing_options_are_settings(raw_client):
    with (
        program(
            '--profile', 'vanilla', '--port', '0', '--timeout', '7', '--interval', '0.5', '--replies-first'
        ) as (_, line),
        raw_client(line.split(' at ')[1].strip()) as client,
    ):
        advice = client.post({'channel': '/meta/handshake'})[0]['advice']
        assert advice == {'reconnect': 'retry', 'interval': 500, 'timeout': 7000}


def test_help_lists_every_fault_and_endpoint():
    done = subprocess.run(
        [sys.executable, '-m', 'fake_salesforce', '--help'], capture_output=True, text=True, check=True
    )
    for kind in FaultKind:
        assert len(re.findall(rf'^    {kind.value} +\S', done.stdout, re.MULTILINE)) == 1, kind
    for endpoint in (
        'seed',
        'revoke',
        'token',
        'grant',
        'publish',
        'faults',
        'journal',
        'clock',
        'sessions',
        'settings',
        'restart',
        'reset',
    ):
        assert re.search(rf'^    (GET|POST|PATCH|DELETE) +{endpoint}', done.stdout, re.MULTILINE), endpoint
