"""The services of the user guide run: each logs in, declares and subscribes to all that it asks for."""

import inspect
import json
import logging
import re
import shlex
import sqlite3
import subprocess
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from nameko.testing.services import entrypoint_hook
from nameko.testing.utils import get_extension
from nameko.web.server import WebServer

from nameko_salesforce.streaming import NotifyForFields, handle_notification, handle_sobject_notification
from tests.integration.printers import HOURS, Store, keep, organization
from tests.project.pages import GUIDE, blocks, commands, table

# What the services of the pages expect to be in the org.
SEED = {
    'push_topics': [{'Name': 'Accounts', 'Query': 'SELECT Id, Name, Industry FROM Account'}],
}


def services():
    """Page and name -> service class, of all pages."""
    found = {}
    for page in GUIDE:
        namespace = {'__name__': 'shown'}
        for block in blocks(page, 'python'):
            if 'def test_' in block.text or '\nwith ' in block.text:
                continue
            # RPC needs a broker; test_examples.py runs such a service on one.
            text = block.text.replace('nameko.rpc import rpc', 'nameko.testing.services import dummy as rpc')
            exec(compile(text, str(block), 'exec'), namespace)
        for name, each in namespace.items():
            if inspect.isclass(each) and hasattr(each, 'name'):
                found[f'{page}: {name}'] = each
    return found


SERVICES = services()


def streams(service):
    """Whether the service has an entrypoint for Salesforce's streaming."""
    return any(
        type(entrypoint).__module__.startswith('nameko_salesforce.streaming')
        for member in vars(service).values()
        for entrypoint in getattr(member, 'nameko_entrypoints', ())
    )


@pytest.mark.parametrize('service', [each for each in SERVICES.values() if streams(each)])
def test_a_service_of_the_guide_is_subscribed_to_all_it_asks_for(org, service):
    org.server.seed(SEED)
    org.run(service)
    # One line of their own: they name no store.
    assert org.log.lines('^(?!.*positions are kept in memory)', logging.WARNING) == []


def test_everything_that_the_page_on_rest_shows_works(org, container_factory):
    service = SERVICES['docs/rest.md: Everything']
    container = container_factory(service, {'SALESFORCE': org.server.section()})
    container.start()
    with entrypoint_hook(container, 'show') as show:
        assert show('Lovelace') == org.person('integration@example.com').id
    assert {record['LastName'] for record in org.ada.query('SELECT LastName FROM Contact')} == {'One', 'Two'}


class Refused:
    """The services that docs/push-topics.md speaks of, in the order of its table."""

    name = 'refused'

    @handle_notification(
        'Names', query='SELECT Id, LastName FROM Contact', notify_for_fields=NotifyForFields.select
    )
    def a_part_of_a_name(self, name, notification):
        pass

    @handle_notification('X', query='SELECT Id FROM Contact LIMIT 1')
    def a_query_that_salesforce_refuses(self, name, notification):
        pass

    @handle_sobject_notification('Contact', record_type='Nobody')
    def a_record_type_that_is_not_there(self, sobject_type, record_type, notification):
        pass

    @handle_sobject_notification('Case', notify_for_fields=NotifyForFields.select)
    def an_object_without_a_name(self, sobject_type, record_type, notification):
        pass


def test_refused_pushtopics_are_told_in_the_words_of_the_page(org):
    rows = table('docs/push-topics.md', 'what happens', 'what you see')
    told = [words for _, seen in rows[3:7] for words in re.findall('`([^`]+)`', seen)[:1]]
    org.make(Refused).start()
    for words in told:
        pattern = '.*'.join(re.escape(part.strip()) for part in words.split('...'))
        org.until(words, lambda pattern=pattern: org.log.lines(pattern, logging.WARNING))


# --- operations -------------------------------------------------------------------------------------


def healthz(running):
    """Status and report, as a monitor gets them."""
    port = get_extension(running.container, WebServer)._sock.getsockname()[1]
    try:
        with urlopen(f'http://127.0.0.1:{port}/healthz', timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_the_health_check_of_the_page_says_whether_there_is_a_problem(org):
    running = org.run(SERVICES['docs/operations.md: Contacts'])
    status, report = healthz(running)
    assert (status, report['problems'], report['state']) == (200, [], 'connected')
    assert report['channels']['/topic/Contact']['state'] == 'active'
    org.server.kill()
    org.until('the loss to be noticed', lambda: running.client.state.value != 'connected')
    status, report = healthz(running)
    assert status == 503
    assert report['state'] in report['problems'][0]


def test_the_dead_letters_of_the_page_are_seen_run_again_and_dropped(org):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* for good')
    running = org.run(SERVICES['docs/operations.md: Printers'])

    def ask(method, *args):
        with entrypoint_hook(running.container, method) as call:
            return call(*args)

    org.ada.create('Low_Ink__e')  # without a model
    org.until('the letter', lambda: ask('failed'), patience=20)
    [letter] = ask('failed')
    assert letter['handler'] == 'handle'
    assert 'upper' in letter['error']
    assert ask('run_again', letter['number']) is False
    [letter] = ask('failed')
    assert ask('failed', letter['number']) == []
    assert ask('drop', letter['number']) is True
    assert ask('failed') == []


# --- positions --------------------------------------------------------------------------------------


def test_the_gap_handler_of_the_page_copies_what_was_missed(org, tmp_path, capsys):
    uri = f'sqlite:///{tmp_path / "positions.db"}'
    mirror = SERVICES['docs/positions.md: Mirror']
    missed = org.ada.create('Contact', LastName='Hopper')
    keep(Store(org, uri, mirror.name), 17, seen_ago=30 * HOURS, channel='/topic/Contact')
    org.run(mirror, REPLAY_STORE_URI=uri)
    org.until('the notice', lambda: org.log.lines('events may have been missed'))
    printed = []
    org.until('the copy', lambda: printed.append(capsys.readouterr().out) or missed in ''.join(printed))


def by_hand(uri, org, redis):
    """Runs the commands of the page for this store; gives what each printed."""
    printed = []
    for block in blocks('docs/positions.md', 'console'):
        for command in commands(block):
            program, *arguments = shlex.split(command.replace('00D5g00000A1b2cEAB', organization(org)))
            if program == 'redis-cli' and redis is not None:
                port = redis.address.partition(':')[2]
                done = subprocess.run(
                    [program, '-p', port, *arguments], capture_output=True, text=True, timeout=10, check=True
                )
                printed.append(done.stdout.strip())
            elif program == 'sqlite3' and redis is None:
                # The program is not everywhere; what it would run is.
                name, statement = arguments
                assert name == 'positions.db'
                with sqlite3.connect(uri.removeprefix('sqlite:///')) as file:
                    printed.append(file.execute(statement).fetchall())
                file.close()
    return printed


@pytest.mark.parametrize('store', ['redis', 'sqlite'])
def test_positions_are_seen_and_a_channel_begins_again_by_hand_as_the_page_says(
    org, store, tmp_path, request
):
    seen = []

    def service(**options):
        class Contacts:
            name = 'contacts'

            @handle_sobject_notification('Contact', **options)
            def handle(self, sobject_type, record_type, notification):
                seen.append(notification['sobject']['Name'])

        return Contacts

    redis = request.getfixturevalue('own_redis') if store == 'redis' else None
    uri = f'sqlite:///{tmp_path / "positions.db"}' if redis is None else redis.uri
    running = org.run(service(), REPLAY_STORE_URI=uri)
    org.ada.create('Contact', LastName='Hopper')
    org.until('the event', lambda: seen == ['Hopper'])
    running.end('stop')
    printed = by_hand(uri, org, redis)
    key = f'{organization(org)}:contacts'
    if redis is None:
        [(of, channel, position)] = printed[0]
        assert (of, channel) == (key, '/topic/Contact')
    else:
        assert printed[0] == f'salesforce:{{{key}}}:positions'
        channel, position = printed[1].splitlines()
        assert channel == '/topic/Contact'
    assert json.loads(position)['replay_id'] is not None
    org.run(service(start='earliest'), REPLAY_STORE_URI=uri)
    org.until('the event again', lambda: seen == ['Hopper', 'Hopper'])
