"""Every block of the user guide does what it says: nothing is shown that was not run."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml
from fake_salesforce.client import FakeServer
from fake_salesforce.people import Person
from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.settings import read_settings as read_bayeux
from nameko_salesforce.config import read_settings as read_salesforce
from tests.project.pages import GUIDE, ROOT, Block, blocks, commands, links, read

# Blocks that cannot run: where, how they begin, and why, in the words of the marker in front of them.
NOT_RUN: dict[tuple[str, str], str] = {}

ALL = [each for page in GUIDE for each in blocks(page)]
TARGETS = {line.split(':')[0] for line in (ROOT / 'Makefile').read_text().splitlines() if '## ' in line}


def of(language: str, *containing: str) -> list[Block]:
    return [
        each for each in ALL if each.language == language and all(part in each.text for part in containing)
    ]


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout


def test_every_block_is_of_a_kind_that_is_run_or_says_why_not():
    # `text` is output; test_readme.py compares it with what the program prints.
    assert {each.language for each in ALL if each.page != 'README.md'} <= {
        'python',
        'yaml',
        'json',
        'console',
    }
    assert {each.language for each in ALL} <= {'python', 'yaml', 'json', 'console', 'text'}
    shown = {(each.page, each.text.splitlines()[0]): each.not_run for each in ALL if each.not_run}
    assert shown == NOT_RUN


@pytest.mark.parametrize('page', GUIDE)
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition('#')
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), target
        headings = [
            line.lstrip('# ').lower() for line in there.read_text().splitlines() if line.startswith('#')
        ]
        anchors = {''.join(c for c in h.replace(' ', '-') if c.isalnum() or c in '-_') for h in headings}
        assert not anchor or anchor in anchors, target


@pytest.mark.parametrize('page', GUIDE)
def test_a_page_is_short_and_its_lines_fit(page):
    lines = read(page).splitlines()
    assert len(lines) <= 240
    assert [line for line in lines if len(line) > 120 and not line.startswith('|')] == []


# --- python -----------------------------------------------------------------------------------------


def is_test(block: Block) -> bool:
    return 'def test_' in block.text


def is_program(block: Block) -> bool:
    return '\nwith ' in block.text


@pytest.mark.parametrize('page', GUIDE)
def test_services_and_functions_can_be_defined_as_shown(page):
    namespace: dict[str, object] = {'__name__': 'shown'}
    for block in blocks(page, 'python'):
        if not is_test(block) and not is_program(block):
            # Decorators come from the blocks before, as a reader takes them.
            exec(compile(block.text, str(block), 'exec'), namespace)


def test_the_services_that_are_examples_are_these():
    for page, name in (('docs/bayeux.md', 'chat'), ('docs/rest.md', 'registry')):
        assert blocks(page, 'python')[0].text == (ROOT / 'examples' / f'{name}.py').read_text()


def test_the_client_runs_as_shown(fake_cometd, tmp_path):
    (block,) = [each for each in of('python') if is_program(each)]
    quiet = "import warnings; warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')\n"
    program = quiet + block.text.replace('http://127.0.0.1:8080/cometd', fake_cometd.url)
    # The callback runs when the program gives way.
    program = program.replace(
        '    print(client.state', '    import eventlet; eventlet.sleep(1)\n    print(client.state'
    )
    output = run(sys.executable, '-c', program, cwd=tmp_path)
    assert "/chat/me {'text': 'hello'}" in output
    assert 'State.CONNECTED' in output


def test_the_tests_of_services_pass_as_shown_under_nameko_test(tmp_path):
    tests = [each for each in of('python') if is_test(each)]
    assert {each.page for each in tests} == {'README.md', 'docs/testing.md', 'docs/bayeux.md'}
    for number, block in enumerate(tests):
        (tmp_path / f'test_{number}.py').write_text(block.text)
    for example in (ROOT / 'examples').glob('*.py'):
        shutil.copy(example, tmp_path)
    nameko = str(Path(sys.executable).with_name('nameko'))
    configuration = str(ROOT / 'pyproject.toml')
    output = run(nameko, 'test', '-c', configuration, '--rootdir', '.', '.', cwd=tmp_path, PYTHONPATH='.')
    assert f'{sum(each.text.count("def test_") for each in tests)} passed' in output


def test_the_token_provider_trades_its_token_as_shown(fake_salesforce, monkeypatch):
    (block,) = of('python', 'def provide')
    monkeypatch.setenv('LOGIN_URL', fake_salesforce.login_url)
    monkeypatch.setenv('CONSUMER_KEY', 'fake-consumer-key')
    monkeypatch.setenv('CONSUMER_SECRET', 'fake-consumer-secret')
    monkeypatch.setenv('REFRESH_TOKEN', fake_salesforce.grant_refresh_token('ada@example.com'))
    namespace: dict[str, object] = {}
    exec(compile(block.text, str(block), 'exec'), namespace)
    token, instance = namespace['provide']()
    assert token.startswith('00D')
    assert instance == fake_salesforce.login_url


# --- yaml -------------------------------------------------------------------------------------------


def load(text: str) -> dict[str, object]:
    """As Nameko reads a configuration, without its changes to PyYAML for the whole process."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from nameko.cli import main as nameko_cli

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor('!env_var', nameko_cli.env_var_constructor)
    Loader.add_constructor(
        '!raw_env_var', lambda loader, node: nameko_cli.env_var_constructor(loader, node, raw=True)
    )
    Loader.add_implicit_resolver('!env_var', nameko_cli.IMPLICIT_ENV_VAR_MATCHER, None)
    return dict(yaml.load(text, Loader))


@pytest.fixture(scope='module')
def desk(tmp_path_factory):
    """A folder as a reader has it who has followed the pages: with key, module and org."""
    folder = tmp_path_factory.mktemp('desk')
    (openssl,) = [each for each in of('console', 'openssl')]
    run('bash', '-ec', '\n'.join(commands(openssl)), cwd=folder)
    assert (folder / 'server.crt').read_text().startswith('-----BEGIN CERTIFICATE-----')
    (provider,) = of('python', 'def provide')
    (folder / 'tokens.py').write_text(provider.text)
    (seed,) = of('yaml', 'organization:')
    (folder / 'org.yaml').write_text(seed.text)
    return folder


@pytest.mark.parametrize('block', of('yaml'), ids=str)
def test_a_configuration_is_accepted(block, desk, monkeypatch):
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(desk)
    content = load(block.text)
    match content:
        case {'SALESFORCE': _}:
            read_salesforce(content)
        case {'BAYEUX': _}:
            read_bayeux(content)
        case {'LOGGING': logging}:
            program = 'import json, logging.config, sys; logging.config.dictConfig(json.loads(sys.argv[1]))'
            run(sys.executable, '-c', program, json.dumps(logging), cwd=desk)
        case {'organization': _}:
            from fake_salesforce.server import check_org

            check_org(block.text)
        case _:
            pytest.fail(f'{block}: a configuration of what?')


def test_a_key_and_a_secret_come_out_of_variables_as_the_page_says(desk, monkeypatch):
    key = (desk / 'server.key').read_text()
    section = 'SALESFORCE:\n  CONSUMER_KEY: k\n  USERNAME: u\n  PRIVATE_KEY: '
    for value in (key, key.strip().replace('\n', '\\n')):
        monkeypatch.setenv('KEY', value)
        for form in ('${KEY}', '!raw_env_var ${KEY}'):
            assert read_salesforce(load(section + form)).credentials.flow == 'JWT bearer'
    monkeypatch.setenv('SECRET', '0123')
    section = 'SALESFORCE:\n  CONSUMER_KEY: k\n  DOMAIN: acme.my\n  CONSUMER_SECRET: '
    assert read_salesforce(load(section + '!raw_env_var ${SECRET}')).credentials.secrets[1] == '0123'
    with pytest.raises(ConfigurationError, match='quote it, or write !raw_env_var'):
        read_salesforce(load(section + '${SECRET}'))


# --- json -------------------------------------------------------------------------------------------


def shape(value: object) -> object:
    """The keys and types of a JSON value."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


@pytest.fixture(scope='module')
def events(fake_salesforce_process: FakeServer):
    """What the fake org sends for the events of docs/streaming.md."""
    fake_salesforce_process.start()
    fake_salesforce_process.reset('salesforce')
    query = 'SELECT Id, Name, LastModifiedById, LastModifiedDate FROM Contact'
    fake_salesforce_process.seed({'push_topics': [{'Name': 'Contact', 'Query': query}]})
    ada: Person = fake_salesforce_process.person()
    contact = ada.create('Contact', FirstName='Ada', LastName='Lovelace')
    ada.delete('Contact', contact)
    ada.push('/u/notifications/ExampleUserChannel', 'Broadcast message to all subscribers')
    ada.create('Low_Ink__e', Printer_Model__c='XZO-5', Serial_Number__c='12345', Ink_Percentage__c=0.2)
    account = ada.create('Account', Name='Acme')
    ada.update('Account', account, Phone='123')
    retained = fake_salesforce_process.retained
    created, deleted = retained('/topic/Contact')
    return {
        ('event', 'sobject', 'created'): created,
        ('event', 'sobject', 'deleted'): deleted,
        ('event', 'payload'): retained('/u/notifications/ExampleUserChannel')[0],
        ('event', 'payload', 'schema', 'EventUuid'): retained('/event/Low_Ink__e')[0],
        ('event', 'payload', 'schema', 'UPDATE'): retained('/data/AccountChangeEvent')[1],
    }


def kind_of(event: dict[str, dict[str, object]]) -> tuple[str, ...]:
    special: list[object] = [event['event'].get('type')]
    if 'schema' in event:
        header = event['payload'].get('ChangeEventHeader')
        special = [header['changeType'] if isinstance(header, dict) else 'EventUuid']
    return (*sorted(event), *(str(each) for each in special if each))


@pytest.mark.parametrize('block', of('json'), ids=str)
def test_an_event_looks_as_the_org_sends_it(block, events):
    shown = json.loads(block.text)
    assert shape(shown) == shape(events[kind_of(shown)])


def test_an_event_of_each_kind_is_shown(events):
    assert {kind_of(json.loads(block.text)) for block in of('json')} == set(events)


# --- commands ---------------------------------------------------------------------------------------

CURL = ('curl ', 'TOKEN=$(curl ')

# tests/integration/test_guide.py runs these.
STORES = ('redis-cli ', 'sqlite3 positions.db ')


@pytest.mark.parametrize('block', [each for each in of('console') if 'openssl' not in each.text], ids=str)
def test_commands_can_be_given_as_shown(block, desk, monkeypatch):
    monkeypatch.chdir(desk)
    here = ROOT
    makefile = (ROOT / 'Makefile').read_text()
    for command in commands(block):
        program, *arguments = command.split()
        match program, *arguments:
            case 'make', target:
                assert target in TARGETS, command
            case 'cd', folder:
                here = ROOT / folder
                assert here.is_dir(), command
            case '.', script:
                # What every target of the Makefile makes.
                assert f'VENV = {script.removesuffix("/bin/activate")}\n' in makefile, command
            case 'nameko', 'run', service, '--config', configuration:
                assert (here / f'{service}.py').exists(), command
                assert (here / configuration).exists(), command
            case 'nameko', 'test', path:
                assert any(each.text.startswith(f'"""{path}') for each in of('python')), command
            case 'fake-salesforce', *options:
                assert starts(options, monkeypatch), command
            case _:
                assert command.startswith((*CURL, *STORES)), f'nothing is known of: {command}'


def starts(options: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether `fake-salesforce` gets as far as to serve, with its options and files."""
    import fake_salesforce.__main__
    import fake_salesforce.server

    served = []

    async def serve(server_options, ready):
        served.append(server_options)

    monkeypatch.setattr(fake_salesforce.server, 'serve', serve)
    return fake_salesforce.__main__.main(options) == 0 and len(served) == 1


def shell(page: str, server: FakeServer, folder: Path) -> str:
    """What the commands with curl of a page print, one after the other, against a server on another port."""
    lines = [each for block in blocks(page, 'console') for each in commands(block) if each.startswith(CURL)]
    address = server.base_url.removeprefix('http://')
    script = '\n'.join(
        ['set -euo pipefail', 'curl() { command curl -sS --fail-with-body "$@"; echo; }', *lines]
    )
    return run('bash', '-c', script.replace('127.0.0.1:8080', address), cwd=folder)


def test_a_contact_is_created_and_the_fake_is_arranged_by_hand_as_shown(fake_salesforce, desk):
    output = shell('docs/fake-server.md', fake_salesforce, desk)
    created, *arranged = [json.loads(line) for line in output.splitlines()]
    assert created['success'] is True
    fault, settings, revoked, clock, journal, replay, reset = arranged
    assert fault == {'numbers': [1]}
    assert settings['deny_subscribe'] == {'/topic/Contact': '403::Restricted channel'}
    assert revoked == {'tokens': 0}
    assert clock['now'] > 3600
    assert journal['entries'][0]['detail']['flow'] == 'password'
    assert replay == {'events': []}
    assert reset['profile'] == 'salesforce'


def test_the_plain_server_is_arranged_by_hand_as_shown(fake_cometd, desk):
    published, fault, settings = (
        json.loads(line) for line in shell('docs/bayeux.md', fake_cometd, desk).splitlines()
    )
    assert published == {'sessions': [0]}
    assert fault == {'numbers': [1]}
    assert settings['deny_subscribe'] == {'/chat/**': 'why'}
