"""The services of the user guide run: each logs in, declares and subscribes to all that it asks for."""

import inspect

import pytest
from nameko.testing.services import entrypoint_hook

from tests.project.pages import GUIDE, blocks

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


def test_everything_that_the_page_on_rest_shows_works(org, container_factory):
    service = SERVICES['docs/rest.md: Everything']
    container = container_factory(service, {'SALESFORCE': org.server.section()})
    container.start()
    with entrypoint_hook(container, 'show') as show:
        assert show('Lovelace') == org.person('integration@example.com').id
    assert {record['LastName'] for record in org.ada.query('SELECT LastName FROM Contact')} == {'One', 'Two'}
