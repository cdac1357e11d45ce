"""The services of the user guide run: each logs in, declares and subscribes to all that it asks for."""

import inspect
import logging
import re

import pytest
from nameko.testing.services import entrypoint_hook

from nameko_salesforce.streaming import NotifyForFields, handle_notification, handle_sobject_notification
from tests.project.pages import GUIDE, blocks, table

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
