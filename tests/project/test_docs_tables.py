"""The tables of the user guide are those of the code: keys, defaults, options, texts."""

import dataclasses
import importlib
import inspect
import re

import pytest
from fake_salesforce.client import FakeServer
from fake_salesforce.faults import FaultKind
from fake_salesforce.journal import Kind
from fake_salesforce.org.notation import KEYS
from fake_salesforce.org.seed import AppSeed, Seed, UserSeed
from fake_salesforce.settings import SALESFORCE
from nameko.exceptions import ConfigurationError

from nameko_salesforce import config, constants, login_pace, push_topics
from nameko_salesforce.bayeux import settings as bayeux
from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.credentials import ClientCredentials, JwtBearer
from nameko_salesforce.errors import LoginRefused
from nameko_salesforce.events import ChangeEvent, PlatformEvent
from nameko_salesforce.flows import Flow, choose_flow
from nameko_salesforce.refusals import judge
from nameko_salesforce.replay.store import DeadLetter
from nameko_salesforce.replay.stores import check_uri
from nameko_salesforce.replay.uri import REDIS_SCHEMES, StoreKind, read_uri
from nameko_salesforce.streaming import entrypoints, handling, resume, retry
from nameko_salesforce.streaming.dependencies import LetterBox, Status
from nameko_salesforce.streaming.policy import SalesforcePolicy
from nameko_salesforce.streaming.runner import Runner
from nameko_salesforce.streaming.status import ChannelReport, StreamReport
from tests.project.pages import read, table


def names(cell: str) -> list[str]:
    return re.findall(r'`([^`]+)`', cell)


def settings_of(page: str) -> dict[str, str]:
    """key -> default as shown, of a table of settings."""
    shown = {}
    for keys, values, meaning in table(page, 'key', 'default', 'meaning'):
        said = [value.strip('`').split(' ')[0] for value in values.split(', ')]
        said = said * len(names(keys)) if len(said) == 1 else said
        assert meaning
        shown |= dict(zip(names(keys), said, strict=True))
    return shown


# --- configuration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('page', 'module', 'own', 'nothing'),
    [
        ('docs/bayeux.md', bayeux, bayeux.BayeuxSettings('http://x'), {'SERVER_URI': '–'}),
        (
            'docs/configuration.md',
            config,
            config.SalesforceSettings(credentials=ClientCredentials('k', 's')),
            {
                **{key: '–' for key, known in config.KEYS.items() if known.part == 'flow'},
                'INSTANCE_URL': '–',
                'DOMAIN': 'none',
                'SANDBOX': 'false',
                'LOGIN_URL': 'none',
                'PUSHTOPIC_REPLAY_ENABLED': 'false',
                'PUSHTOPIC_REPLAY_REDIS_URI': 'none',
                'PUSHTOPIC_REPLAY_TTL': 'the',
                'EVENT_WORKERS': 'all',
            },
        ),
    ],
)
def test_the_settings_and_their_defaults_are_those_of_the_code(page, module, own, nothing):
    defaults = {
        'own': own,
        'replay': config.ReplaySettings(),
        'session': SessionOptions(),
        'backoff': Backoff(),
        'transport': TransportOptions(),
    }
    nothing = {'CA_BUNDLE': 'the', 'CLIENT_CERTIFICATE': 'none', 'PROXY': 'none', **nothing}
    shown = settings_of(page)
    assert set(shown) == set(module.KEYS)
    for key, known in module.KEYS.items():
        if key in nothing:
            assert shown[key] == nothing[key], key
            if known.part in defaults and known.name not in ('server_uri',):
                assert getattr(defaults[known.part], known.name) is None, key
        else:
            default = str(getattr(defaults[known.part], known.name))
            assert shown[key] in (default, default.lower().removesuffix('.0')), key


def test_every_store_that_is_shown_is_one_and_every_kind_is_shown():
    rows = table('docs/configuration.md', '`REPLAY_STORE_URI`', 'positions and dead letters are')
    shown = [names(uri)[0] for uri, _ in rows]
    assert {read_uri(check_uri(uri)).kind for uri in shown} == set(StoreKind)
    assert {uri.partition(':')[0] for uri in shown} == {'memory', 'sqlite', *REDIS_SCHEMES}


def test_each_row_of_the_flows_is_the_flow_that_the_keys_choose():
    rows = {
        name: (needs, may) for name, needs, may in table('docs/configuration.md', 'flow', 'needs', 'may have')
    }
    assert set(rows) == {flow.value.words for flow in Flow}
    for flow in Flow:
        needs, may = rows[flow.value.words]
        needed = [tuple(names(part)) for part in needs.split(', ')]
        assert needed == list(flow.value.needed)
        assert set(names(may)) == set(flow.value.optional)
        first = [each[0] for each in needed]
        assert choose_flow(first) is flow
        assert choose_flow([*first, *flow.value.optional]) is flow
        assert choose_flow([*first, 'LOGIN_URL', 'SANDBOX']) is flow


GOOD = {'DOMAIN': 'acme.my', 'CONSUMER_KEY': 'k', 'CONSUMER_SECRET': 's'}
WRONG = {
    'has no section SALESFORCE': None,
    'the keys of a way to log in are missing': {},
    'no way to log in, missing': {'USERNAME': 'u'},
    'belong to more than one way to log in': {
        **GOOD,
        'ACCESS_TOKEN': 't',
        'INSTANCE_URL': 'https://acme.my.salesforce.com',
    },
    'is not known (did you mean': {**GOOD, 'SANDBX': True},
    'is empty, it has to be': {**GOOD, 'CONSUMER_SECRET': None},
    'quote it, or write !raw_env_var': {**GOOD, 'CONSUMER_SECRET': 42},
    'a text in one line': {**GOOD, 'CONSUMER_SECRET': 's\n'},
    'My Domain of the org': {**GOOD, 'DOMAIN': 'login'},
    'not the address of Lightning': {**GOOD, 'DOMAIN': 'acme.lightning.force.com'},
    'for Salesforce leave it out': {**GOOD, 'LOGIN_URL': 'https://login.salesforce.com'},
    'at least 37.0': {**GOOD, 'API_VERSION': '36.0'},
    'RSA private key of 2048 bits or more in PEM form': {
        'CONSUMER_KEY': 'k',
        'USERNAME': 'u',
        'PRIVATE_KEY': 'a b',
    },
    'name of a file that can be read': {'CONSUMER_KEY': 'k', 'USERNAME': 'u', 'PRIVATE_KEY_FILE': '/none'},
    'a name that can be imported': {'TOKEN_PROVIDER': 'no_such_module.provide'},
    'PUSHTOPIC_REPLAY_REDIS_URI is missing': {**GOOD, 'PUSHTOPIC_REPLAY_ENABLED': True},
    'a URI such as redis://': {**GOOD, 'REPLAY_STORE_URI': 'localhost:6379'},
    'with four slashes': {**GOOD, 'REPLAY_STORE_URI': 'sqlite://positions.db'},
    'in a password or path': {**GOOD, 'REPLAY_STORE_URI': 'redis://user:1?2@localhost/0'},
    'path is the number of a database': {**GOOD, 'REPLAY_STORE_URI': 'redis://localhost/staging'},
    'REPLAY_STORE_URI and PUSHTOPIC_REPLAY_REDIS_URI differ': {
        **GOOD,
        'REPLAY_STORE_URI': 'memory://',
        'PUSHTOPIC_REPLAY_REDIS_URI': 'redis://localhost',
    },
    'PUSHTOPIC_REPLAY_ENABLED is false although': {
        **GOOD,
        'REPLAY_STORE_URI': 'memory://',
        'PUSHTOPIC_REPLAY_ENABLED': False,
    },
}


def test_errors_are_shown_in_the_words_of_the_code():
    shown = [names(text)[0] for text, _ in table('docs/configuration.md', 'text', 'way out')]
    # This one comes from the account, tests/salesforce/test_account.py.
    assert sorted(shown) == sorted([*WRONG, 'not monkey-patched'])
    for text, section in WRONG.items():
        with pytest.raises(ConfigurationError) as caught:
            config.read_settings({} if section is None else {constants.CONFIG_KEY: section})
        assert text in str(caught.value)


# --- logging in -------------------------------------------------------------------------------------


def test_refusals_and_their_words_are_known_with_a_way_out():
    for codes, words, _ in table('docs/login.md', 'code', 'words', 'as a rule'):
        for code in names(codes):
            error = judge(
                code,
                words,
                flow=JwtBearer.flow,
                secrets=(),
                failure=Failure(FailureKind.STATUS, '400', 400),
            )
            assert isinstance(error, LoginRefused), code
            assert error.text.endswith(')'), f'{code}: no way out'


def test_pauses_are_those_of_the_code():
    rows = dict(table('docs/login.md', 'what happens', 'when the next login is tried'))
    refusal, failure = login_pace.REFUSAL_PAUSE, login_pace.FAILURE_PAUSE
    assert 'after about a minute, then longer, up to half an hour' in rows['the login is refused']
    assert (60 <= refusal.first <= 90, refusal.cap) == (True, 1800)
    assert 'after half a second, then longer, up to 30 s' in rows['no answer, HTTP 5xx, nonsense']
    assert (failure.first, failure.cap) == (0.5, 30)
    policy = SalesforcePolicy()
    pauses = [policy.busy_pause, policy.client_limit_pause, policy.daily_limit_pause]
    assert [f'{pause / 60:g}' for pause in pauses] == ['2', '5', '15']
    assert 'after 2 minutes (busy), 5 (clients, connections) or 15 (events of the day)' in read(
        'docs/streaming.md'
    )
    assert 'after 2 minutes (busy), 5 (clients) or 15 (events of the day)' in read('README.md')
    assert f'every {policy.refusal_pause / 60:g} minutes, with a WARNING' in read('docs/streaming.md')


# --- streaming --------------------------------------------------------------------------------------


def options(cls: type) -> dict[str, object]:
    """Options of a decorator and their defaults."""
    found = inspect.signature(cls).parameters
    return {name: each.default for name, each in found.items() if each.kind is not each.VAR_KEYWORD}


@pytest.mark.parametrize(
    ('place', 'decorator', 'before'),
    [
        (0, entrypoints.SobjectNotificationHandler, {'sobject_type'}),
        (1, entrypoints.NotificationHandler, set()),
    ],
)
def test_options_and_defaults_of_the_decorators_are_those_of_the_code(place, decorator, before):
    tables = read('docs/streaming.md').split('| option | default | meaning |')[1:]
    shown = {}
    for line in tables[place].partition('\n\n')[0].splitlines()[2:]:
        keys, default, _ = (cell.strip() for cell in line.strip('|').split(' | ', 2))
        for name in names(keys):
            name = f'notify_for_operation{name.removeprefix("..")}' if name.startswith('...') else name
            shown[name.replace('operation.', 'operation')] = default.strip('`')
    defaults = options(decorator)
    assert set(shown) == set(defaults) - before
    words = {
        '–': inspect.Parameter.empty,
        'all_': constants.NotifyForFields.all_,
        'object and record type': '',
    }
    for name, default in shown.items():
        if default != 'as above':
            assert words.get(default, default) in (defaults[name], str(defaults[name])), name


def test_decorators_and_their_arguments_are_those_of_the_code():
    for decorator, _, arguments in table('docs/streaming.md', 'decorator', 'channel', 'the method gets'):
        for shown in names(decorator):
            assert shown.partition('(')[0] in entrypoints.__all__, shown
        assert len(names(arguments)[0].split(', ')) in (2, 3)


def test_names_of_a_change_event_exist():
    rows = table('docs/streaming.md', 'name', 'what')
    shown = {name for row in rows for name in names(row[0])}
    properties = {
        name for name, _ in inspect.getmembers(ChangeEvent, lambda each: isinstance(each, property))
    }
    assert shown == properties - {'payload', 'entity'}
    text = read('docs/streaming.md')
    properties = {
        name for name, _ in inspect.getmembers(PlatformEvent, lambda each: isinstance(each, property))
    }
    assert {name for name in properties if f'`{name}`' in text} == properties


# --- handlers, positions, operations -----------------------------------------------------------------


def test_options_of_all_decorators_and_their_defaults_are_those_of_the_code():
    rows = table('docs/handlers.md', 'option', 'default', 'meaning')
    shown = {names(option)[0]: names(default)[0] for option, default, _ in rows}
    defaults = options(entrypoints.SalesforceEntrypoint)
    del defaults['channel']
    assert shown == {name: repr(default) for name, default in defaults.items()}
    nameko = {'expected_exceptions', 'sensitive_arguments', 'sensitive_variables'}
    assert set(entrypoints.HandlerKeywords.__annotations__) == set(shown) | nameko


@pytest.mark.parametrize(
    ('page', 'header', 'values'),
    [
        ('docs/handlers.md', ('`order`', 'one after another', 'side by side'), handling.Order),
        ('docs/handlers.md', ('`on_failure`', 'then'), retry.OnFailure),
        ('docs/positions.md', ('`on_gap`', 'then the channel'), resume.OnGap),
    ],
)
def test_values_of_options_are_those_of_the_code(page, header, values):
    assert [names(row[0])[0] for row in table(page, *header)] == [repr(each.value) for each in values]


def test_what_a_batch_is_called_with_is_what_the_page_says():
    rows = table('docs/handlers.md', 'decorator', 'the method gets')
    assert len(rows) == 5
    for call, gets in rows:
        (entrypoint,) = eval(names(call)[0], vars(entrypoints))(lambda self: None).nameko_entrypoints
        *_, events = entrypoint.run_args([Delivery(entrypoint.channel, {})] * 2)
        assert len(events) == 2, call
        assert len(names(gets)[0].split(', ')) == len(entrypoint.run_args([Delivery('/x', {})])), call


def test_pauses_bounds_and_margins_are_those_that_the_pages_tell():
    pauses = retry.Retry().pauses
    longest = [pauses.delay(number, 0.0) for number in (1, 2, 9)]
    assert longest == [1, 4, 60]
    assert pauses.spread == 0.5
    said = (
        'After about 1 s (0.5 to 1) it is tried again, then after about 4 s (2 to 4), and so on up to a min'
    )
    assert said in ' '.join(read('docs/handlers.md').split())
    bounds = inspect.signature(Runner).parameters
    assert (bounds['limit'].default, bounds['characters'].default) == (1000, 8 * 2**20)
    assert 'more than `MAILBOX_LIMIT` (1,000), or 8 MB of text' in read('docs/handlers.md')
    assert f'the next poll waits, for {config.LONGEST_BRAKE:g} s at most' in read('docs/handlers.md')
    assert (resume.MARGIN, resume.LEEWAY) == (15 * 60, 60 * 60)
    assert 'more than 15 minutes before the lost position' in read('docs/positions.md')
    assert 'more than 23 or 71 hours ago' in read('docs/positions.md')


def attributes(page: str, header: str) -> list[str]:
    return [name for row in table(page, header, 'what') for name in names(row[0])]


@pytest.mark.parametrize(
    ('page', 'header', 'cls', 'more'),
    [
        ('docs/operations.md', 'of the report', StreamReport, ['problems']),
        ('docs/operations.md', 'of a channel', ChannelReport, []),
        ('docs/operations.md', 'of a letter', DeadLetter, []),
        ('docs/positions.md', 'attribute of a gap', resume.Gap, []),
    ],
)
def test_what_a_service_is_told_has_these_attributes(page, header, cls, more):
    fields = [each.name for each in dataclasses.fields(cls)]
    assert sorted(attributes(page, header)) == sorted([*fields, *more])


def test_calls_for_dead_letters_and_of_the_status_are_those_of_the_code():
    rows = table('docs/operations.md', 'call', 'what it does')
    shown = {
        names(call)[0].partition('(')[0]: names(call)[0].partition('(')[2].rstrip(')') for call, _ in rows
    }
    assert set(shown) == {name for name in vars(LetterBox) if not name.startswith('_')}
    for name, arguments in shown.items():
        known = list(inspect.signature(getattr(LetterBox, name)).parameters)[1:]
        assert [each for each in arguments.split(', ') if each] == known, name
    assert {name for name in vars(Status) if not name.startswith('_')} == {'report', 'resume'}
    assert '`resume(channel)`' in read('docs/operations.md')


# --- PushTopics -------------------------------------------------------------------------------------


def topic_of(call: str) -> push_topics.Topic | None:
    """The PushTopic that a decorator in the words of the page declares."""

    def method(self: object) -> None:
        pass

    namespace = {name: getattr(entrypoints, name) for name in entrypoints.__all__}
    decorated = eval(call, {**namespace, 'NotifyForFields': constants.NotifyForFields})(method)
    (entrypoint,) = decorated.nameko_entrypoints
    return entrypoint.make_topic()


def test_names_and_queries_are_those_that_the_decorators_make():
    for decorator, name, query in table('docs/push-topics.md', 'decorator', 'name', 'query'):
        topic = topic_of(names(decorator)[0])
        if isinstance(topic, push_topics.SobjectTopic):
            has_name = topic.sobject_type not in ('Case', 'Task')
            topic = topic.resolve(user_id='005...', record_type_id='012...', has_name=has_name)
        assert topic is not None
        assert (topic.name, topic.query) == (names(name)[0], names(query)[0])


def test_what_is_declared_is_what_the_decorators_declare():
    for decorator, what in table('docs/push-topics.md', 'decorator', 'what happens to the PushTopic'):
        declared = topic_of(names(decorator)[0].replace('SELECT ...', 'SELECT Id FROM Contact')) is not None
        assert declared == (what != 'taken as it is'), decorator


def test_all_ways_to_notify_are_listed_and_lengths_are_those_of_the_code():
    rows = table('docs/push-topics.md', 'value', 'in')
    assert {names(row[0])[0] for row in rows} == set(constants.NotifyForFields.__members__)
    limits = f'A name has {push_topics.NAME_LIMIT} characters at most, a query {push_topics.QUERY_LIMIT:,}.'
    assert limits in read('docs/push-topics.md')


def test_what_does_not_start_is_told_in_the_words_shown():
    told = [names(seen)[0] for _, seen in table('docs/push-topics.md', 'what happens', 'what you see')[:3]]
    wrong = [
        lambda: push_topics.collect(
            push_topics.SobjectTopic('Contact', exclude_current_user=each) for each in (True, False)
        ),
        lambda: push_topics.DesiredTopic('N' * 26, 'SELECT Id FROM Contact'),
        lambda: push_topics.SobjectTopic('Contact', fields=['Account.Name']),
    ]
    for words, make in zip(told, wrong, strict=True):
        with pytest.raises(ValueError, match=re.escape(words)):
            make()


# --- testing ----------------------------------------------------------------------------------------


def test_all_faults_are_listed():
    rows = table('docs/testing.md', 'fault', 'what happens')
    assert sorted(name for row in rows for name in names(row[0])) == sorted(kind.value for kind in FaultKind)


def test_settings_of_the_fake_and_their_defaults_are_those_of_the_code():
    for keys, default, _ in table('docs/testing.md', 'setting', 'default', 'meaning'):
        for name in names(keys):
            value = getattr(SALESFORCE, name)
            said = default.strip('`').split(' ')[0]
            known = {'[]': (), '{}': {}, 'true': True, 'false': False}
            assert (known[said] if said in known else float(said)) == value, name


def test_calls_exist():
    for call, _ in table('docs/testing.md', 'call', 'what it does'):
        for each in names(call):
            name = each.partition('(')[0]
            assert name.startswith('faults.') or hasattr(FakeServer, name), each


def test_kinds_of_the_journal_exist():
    said = read('docs/testing.md').partition('Kinds: ')[2].partition('and some more')[0]
    assert set(names(said)) <= {kind.value for kind in Kind}


def test_keys_of_a_seed_are_those_of_the_code():
    rows = {key: holds for key, holds in table('docs/testing.md', 'key', 'holds')}
    shown = {name for keys in rows for name in names(keys)}
    assert shown == {each.name for each in dataclasses.fields(Seed)}
    for part, cls in (('users', UserSeed), ('apps', AppSeed)):
        assert set(names(rows[f'`{part}`'])) == {each.name for each in dataclasses.fields(cls)}


def test_keys_of_a_field_are_those_of_the_code():
    said = read('docs/testing.md').partition('A field is a type, or a mapping with ')[2].partition('\n\n')[0]
    assert set(names(said)) == set(KEYS)


# --- migration --------------------------------------------------------------------------------------


def test_what_is_imported_otherwise_can_be_imported_so():
    for old, new in table('docs/migration.md', '1.2', '2.0'):
        for text in names(old) if new.startswith('the same') else names(new):
            if text.startswith('from '):
                exec(text, {})
            elif text.startswith('nameko_salesforce'):
                importlib.import_module(text)


def test_keys_and_defaults_of_1_2_are_told():
    page = read('docs/migration.md')
    kept = page.partition('has kept its name: ')[2].partition('This still works')[0]
    assert set(names(kept)) <= set(config.KEYS)
    assert len(names(kept)) == 10
    rows = {row[0]: row[2] for row in table('docs/migration.md', '', '1.2', '2.0', 'why')}
    oldest = f'{config.OLDEST_API_VERSION}.0'
    assert rows['`API_VERSION`'] == f'{constants.DEFAULT_API_VERSION}, and at least {oldest}'
