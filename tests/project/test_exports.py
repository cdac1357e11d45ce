"""Public names, in full: who adds or removes one changes this file, and a reviewer sees it."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import fake_salesforce
import fake_salesforce.org
import pytest

import nameko_salesforce
import nameko_salesforce.api
import nameko_salesforce.bayeux
import nameko_salesforce.replay
import nameko_salesforce.streaming

PACKAGES = (
    nameko_salesforce,
    nameko_salesforce.api,
    nameko_salesforce.bayeux,
    nameko_salesforce.replay,
    nameko_salesforce.streaming,
    fake_salesforce,
    fake_salesforce.org,
)
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
    # The client, and what its arguments, callbacks and results are.
    'nameko_salesforce.bayeux': [
        'Action',
        'Backoff',
        'BayeuxError',
        'ChannelChanged',
        'ChannelState',
        'ChannelStatus',
        'Client',
        'Codec',
        'Deliver',
        'Delivery',
        'ExchangeFailed',
        'Extension',
        'Failure',
        'FailureKind',
        'GenericPolicy',
        'Lane',
        'LocalError',
        'MessageSkipped',
        'MessageTooLarge',
        'NotAnswered',
        'Policy',
        'PollAnswered',
        'PollLost',
        'Preparation',
        'PreparationFailed',
        'Prepared',
        'PublishRefused',
        'Refused',
        'RemoteError',
        'Reply',
        'Result',
        'SessionOptions',
        'State',
        'StateChanged',
        'Step',
        'Stopped',
        'SubscriptionRefused',
        'TransportOptions',
        'Trouble',
        'UnsubscriptionRefused',
        'Verdict',
        'subscribe',
    ],
    # What services import.
    'nameko_salesforce.constants': [
        'CLIENT_ID_CONTEXT_KEY',
        'CONFIG_KEY',
        'DEFAULT_API_VERSION',
        'REPLAY_ID_CONTEXT_KEY',
        'NotifyForFields',
    ],
    'nameko_salesforce.errors': [
        'AccountError',
        'DeclarationError',
        'LoginError',
        'LoginFailed',
        'LoginPostponed',
        'LoginRefused',
        'StreamRefused',
    ],
    'nameko_salesforce.events': [
        'ChangeEvent',
        'ChannelKind',
        'PlatformEvent',
        'StreamEvent',
        'created_at',
        'creation_of',
        'replay_id_of',
        'seconds_of',
    ],
    'nameko_salesforce.streaming': [
        'ChannelReport',
        'DeadLetter',
        'DeadLetters',
        'Gap',
        'LetterBox',
        'NotifyForFields',
        'Status',
        'StoreFailed',
        'StreamReport',
        'StreamingStatus',
        'handle_change_event',
        'handle_gap',
        'handle_notification',
        'handle_platform_event',
        'handle_sobject_notification',
        'subscribe',
    ],
    # For a codec of one's own.
    'nameko_salesforce.bayeux.codec': ['JSON', 'Codec', 'Decode'],
    # For a connection of one's own.
    'nameko_salesforce.bayeux.extension': ['BayeuxConnection', 'Subscribe', 'subscribe'],
    'nameko_salesforce.bayeux.settings': ['KEYS', 'SECTION', 'BayeuxSettings', 'read_settings'],
    # The dependency, what it gives, and the errors that are ours.
    'nameko_salesforce.api': ['AnswerTooLong', 'NoConnectionFree', 'RestClient', 'SalesforceAPI'],
    # The fake as a tool for users' tests.
    'fake_salesforce': [],
    'fake_salesforce.client': ['FakeServer', 'Faults', 'NotHappened', 'start_fake'],
    'fake_salesforce.people': ['Person', 'RestRefused'],
    'fake_salesforce.pytest_plugin': ['fake_cometd', 'fake_salesforce', 'fake_salesforce_process'],
    'fake_salesforce.settings': [
        'PROFILES',
        'SALESFORCE',
        'VANILLA',
        'BrokerSettings',
        'SalesforceSettings',
    ],
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


def test_the_typed_use_of_the_api_needs_public_modules_alone_and_leaves_no_name_of_the_client_out():
    used = {}
    text = ''.join(
        (Path(__file__).parents[1] / 'typing' / name).read_text() for name in ('api.py', 'salesforce_api.py')
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith('nameko_salesforce'):
            used.setdefault(node.module, set()).update(alias.name for alias in node.names)
    assert set(used) <= set(PUBLIC)
    assert used['nameko_salesforce.bayeux'] == set(PUBLIC['nameko_salesforce.bayeux'])


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
