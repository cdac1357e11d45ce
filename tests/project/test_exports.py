"""Public names, in full: who adds or removes one changes this file, and a reviewer sees it."""

import importlib
import pkgutil
import subprocess
import sys

import fake_salesforce
import pytest

import nameko_salesforce
import nameko_salesforce.bayeux

PACKAGES = (nameko_salesforce, nameko_salesforce.bayeux, fake_salesforce)
MODULES = sorted(
    {package.__name__ for package in PACKAGES}
    | {
        found.name
        for package in PACKAGES
        for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.')
        if not found.ispkg
    }
)

# What users import. Modules that are not listed are parts of these, and may change in any release.
PUBLIC = {
    'nameko_salesforce': ['__version__'],
    'nameko_salesforce.bayeux': [
        'Backoff',
        'BayeuxError',
        'ChannelState',
        'Client',
        'Delivery',
        'ExchangeFailed',
        'LocalError',
        'MessageTooLarge',
        'NotAnswered',
        'PublishRefused',
        'Refused',
        'RemoteError',
        'SessionOptions',
        'State',
        'Stopped',
        'SubscriptionRefused',
        'TransportOptions',
        'UnsubscriptionRefused',
        'subscribe',
    ],
    # Seams of the client: what its arguments, its callbacks and its results are.
    'nameko_salesforce.bayeux.codec': ['JSON', 'Codec', 'Scan'],
    'nameko_salesforce.bayeux.failures': ['Failure', 'FailureKind'],
    'nameko_salesforce.bayeux.policy': ['Action', 'GenericPolicy', 'Policy', 'Step', 'Trouble', 'Verdict'],
    'nameko_salesforce.bayeux.preparation': ['NoPreparation', 'Preparation', 'PreparationFailed', 'Prepared'],
    'nameko_salesforce.bayeux.results': ['Result'],
    'nameko_salesforce.bayeux.extension': ['BayeuxConnection', 'Subscribe', 'subscribe'],
    # The fake as a tool for users' tests.
    'fake_salesforce': [],
    'fake_salesforce.client': ['FakeServer', 'Faults', 'NotHappened', 'start_fake'],
    'fake_salesforce.pytest_plugin': ['fake_salesforce', 'fake_salesforce_process'],
    'fake_salesforce.settings': ['PROFILES', 'VANILLA', 'BrokerSettings'],
}


@pytest.mark.parametrize('name', PUBLIC)
def test_public_names_are_exactly_these(name):
    assert list(importlib.import_module(name).__all__) == PUBLIC[name]


@pytest.mark.parametrize('name', MODULES)
def test_every_module_says_what_it_offers_and_has_it(name):
    module = importlib.import_module(name)
    offered = module.__all__
    assert len(set(offered)) == len(offered)
    assert [each for each in offered if not hasattr(module, each)] == []


def test_a_lazy_name_is_the_object_of_its_home():
    from nameko_salesforce.bayeux.client import Client
    from nameko_salesforce.bayeux.extension import subscribe

    assert nameko_salesforce.bayeux.Client is Client
    assert nameko_salesforce.bayeux.subscribe is subscribe


def test_lazy_names_can_be_listed_before_they_are_loaded():
    program = (
        'import nameko_salesforce.bayeux as b, sys; print(*set(b.__all__) - set(dir(b)), "client" in dir(b))'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['False']


def test_a_star_import_gives_all_of_them():
    namespace = {}
    exec('from nameko_salesforce.bayeux import *', namespace)
    assert set(PUBLIC['nameko_salesforce.bayeux']) <= set(namespace)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nameko_salesforce.bayeux' has no attribute 'Cleint'"):
        _ = nameko_salesforce.bayeux.Cleint
