"""No secret is shown: lives full of trouble, one for each way to log in, with everything at level DEBUG.

What is searched: all log records with their arguments and tracebacks, standard output and error, status,
dead letters as they are stored, exceptions with those behind them, what Nameko keeps of a worker, and the
`repr` of every object that hangs on the container. Where secrets have to be is the table `KEPT`.
"""

import contextlib
import html
import json
import logging
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from nameko.exceptions import serialize
from nameko.extensions import DependencyProvider
from nameko.testing.services import entrypoint_hook
from nameko.utils import get_redacted_args

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.errors import LoginError
from nameko_salesforce.streaming import (
    DeadLetters,
    StoreFailed,
    StreamingStatus,
    handle_platform_event,
    handle_sobject_notification,
)
from tests.bayeux.sockets.test_transport_proxy import proxy_process
from tests.services.hunt import Hunt, shown_by
from tests.services.rpc import local

USERNAME = 'integration@example.com'
LOUD = (
    'urllib3',
    'requests',
    'redis',
    'nameko',
    'simple_salesforce',
    'zeep',
    'eventlet',
    'nameko_salesforce',
)

# Where a secret is kept because it is needed, and no `repr` or `str` shows it.
KEPT = {
    'SoapLogin.password': 'for the next login',
    'SoapLogin.security_token': 'for the next login',
    'PasswordLogin.password': 'for the next login',
    'PasswordLogin.security_token': 'for the next login',
    'PasswordLogin.consumer_key': 'for the next login',
    'PasswordLogin.consumer_secret': 'for the next login',
    'ClientCredentials.consumer_key': 'for the next login',
    'ClientCredentials.consumer_secret': 'for the next login',
    'JwtBearer.consumer_key': 'for the next login',
    'JwtBearer.private_key': 'for the next login',
    'OwnToken.access_token': 'for the next login',
    'Token.access_token': 'for the next request',
    'ReplaySettings.store_uri': 'for the store, which is made after the first login',
    'TransportOptions.proxy': 'for the next connection',
    'Route.secrets': 'to find them in what the proxy says',
    'Route.extra_head': 'the line for the proxy',
    'Route._proxy_head': 'the lines for the proxy',
    'RedisStore._secrets': 'to find them in what Redis says',
    'Connection._head': 'the head of the next request',
    'Connection._head_of': 'the headers that the head was made of',
    'RestClient._own_headers': 'the headers of simple-salesforce',
    # Of Nameko: the configuration that the user gave.
    'ProxyType.config': 'for all extensions',
    # Of redis-py.
    '_Pool._connection_kwargs': 'for the next connection',
    'Connection.password': 'to connect again',
    'UnixDomainSocketConnection.password': 'to connect again',
    # Of requests and urllib3.
    'RestClient.proxies': 'for the next connection',
    'RestSession.proxies': 'for the next connection',
    'BoundedAdapter.proxy_manager': 'the pools of connections, by the URL of their proxy',
    'ProxyManager.proxy': 'for the next connection',
    'ProxyManager.proxy_headers': 'the line for the proxy',
    'RecentlyUsedContainer._container': 'the pools of connections, by what they connect with',
}
# The same for what hangs on an exception that a worker gets.
KEPT_BY_ERRORS = {
    '_Pool.proxy': "urllib3's, where the connection failed",
    '_Pool.proxy_headers': "urllib3's, where the connection failed",
}


@pytest.fixture
def hunt() -> Hunt:
    return Hunt()


@pytest.mark.parametrize(
    'write',
    [
        str,
        repr,
        json.dumps,
        html.escape,
        quote,
        quote_plus,
        lambda secret: urlencode({'password': f'{secret}token'}),
        lambda secret: b64encode(secret.encode()).decode(),
        lambda secret: b64encode(f'user:{secret}'.encode()).decode(),
        lambda secret: b64encode(f'{secret}:user'.encode()).decode(),
        lambda secret: urlsafe_b64encode(f'me:{secret}'.encode()).decode(),
    ],
)
def test_the_search_finds_a_secret_however_it_is_written(hunt, write):
    secret = hunt.make('password')
    assert hunt.found_in(f'> {write(secret)} <') == ['password']
    assert hunt.found_in(f'> {write(Hunt().make("another"))} <') == []


def test_the_search_finds_what_an_object_holds_and_what_it_shows(hunt):
    class Holder:
        def __init__(self, held):
            self.held = held

    class Telltale(Holder):
        __slots__ = ()

        def __repr__(self):
            return f'Telltale({self.held})'

    secret = hunt.make('password')
    for held in ([secret], {secret: 1}, partial(print, secret), lambda: secret, KeyError(secret.encode())):
        kept, _ = hunt.places(Holder(Holder(held)))
        assert list(kept.values()) == [{'password'}]
    assert hunt.places(Holder(Telltale(secret))) == (
        {'Telltale.held': {'password'}},
        ["Holder.held, a Telltale: ['password']"],
    )


class Everything(logging.Handler):
    """All that the standard library would write of a record, and what others might."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f'{record.name}: {self.format(record)} {record.args!r} {record.exc_text}')
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])


@pytest.fixture
def everything(log: Any) -> Iterator[Everything]:
    """Everything that any library logs."""
    log.expect_error('')  # they are what these lives are about
    handler = Everything()
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in LOUD}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


SEEN = SimpleNamespace(workers=[], errors=[], handled=[])


class Spy(DependencyProvider):
    """What Nameko lets a dependency, such as a reporter of errors, see of each worker."""

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        visible = {**vars(worker_ctx), 'config': 'of the user, with all secrets', 'result': result}
        SEEN.workers.append(f'{worker_ctx} {worker_ctx!r} {visible!r}')
        if exc_info is not None:
            SEEN.errors.append(exc_info[1])
            # What a caller by RPC gets.
            SEEN.workers.append(json.dumps(serialize(exc_info[1])))


class Service:
    name = 'service'
    salesforce = SalesforceAPI()
    status = StreamingStatus()
    letters = DeadLetters()
    spy = Spy()

    @handle_sobject_notification('Contact', attempts=1)
    def contact(self, sobject_type, record_type, notification):
        name = notification['sobject']['Name']
        if name == 'malformed':
            self.salesforce.Contact.create({'Nonsense': 1})
        elif name != 'fine':
            self.salesforce.query(f"SELECT Id FROM Contact WHERE LastName = '{name}'")
        SEEN.handled.append(name)

    @handle_platform_event('Low_Ink__e', attempts=1)
    def ink(self, name, event):
        SEEN.handled.append(event.payload['Printer_Model__c'])

    @local
    def rest(self, call):
        return CALLS[call](self.salesforce)

    @local
    def report(self):
        return self.status.report().as_dict()

    @local
    def list(self):
        return self.letters.list()


# What a worker may ask of REST.
CALLS = {
    'query': lambda salesforce: salesforce.query('SELECT Id FROM Contact'),
    'malformed': lambda salesforce: salesforce.query('SELECT Nonsense FROM Contact'),
    'bulk': lambda salesforce: salesforce.bulk.Contact.insert([{'LastName': 'x'}]),
    'metadata': lambda salesforce: salesforce.mdapi.describe_metadata(),
    'missing': lambda salesforce: salesforce.restful('nothing/here'),
    'client': lambda salesforce: (repr(salesforce), str(salesforce), repr(salesforce.session)),
}


class Life:
    """A service, what it goes through, and what is seen of it."""

    def __init__(self, org: Any, hunt: Hunt, everything: Everything, **keys: Any) -> None:
        SEEN.workers.clear(), SEEN.errors.clear(), SEEN.handled.clear()
        self.org = org
        self.server = org.server
        self.hunt = hunt
        self.everything = everything
        self.texts: list[str] = []
        self.kept: dict[str, set[str]] = {}
        # Every access token of this org begins so.
        hunt.add('access token', self.server.issue_token('ada@example.com').partition('!')[0] + '!')
        self.running = org.make(Service, **keys)

    def ask(self, method: str, *arguments: Any) -> Any:
        with entrypoint_hook(self.running.container, method) as call:
            return call(*arguments)

    def fails(self, call: str) -> None:
        with pytest.raises(Exception) as caught:
            self.ask('rest', call)
        self.texts.append(shown_by(caught.value))

    def handles(self, name: str) -> None:
        """An event that is handled, whatever happened before."""
        self.org.ada.create('Contact', LastName=name)
        self.org.until(f'{name} to be handled', lambda: name in SEEN.handled)

    def gives_up(self, name: str) -> None:
        """An event that becomes a dead letter."""
        before = self.given_up()
        self.org.ada.create('Contact', LastName=name)
        self.org.until(f'{name} to be given up', lambda: self.given_up() > before)

    def given_up(self) -> int:
        return int(self.ask('report')['channels']['/topic/Contact']['dead_letters'])

    def recovers(self) -> None:
        self.org.subscribed(self.running)

    def look(self) -> None:
        """At all that can be seen at this moment."""
        report = self.ask('report')
        self.texts += [json.dumps(report), repr(report), repr(self.running.connection.client.channels)]
        with contextlib.suppress(StoreFailed):
            self.texts += [f'{each!r} {each}' for each in self.ask('list')]
        kept, shown = self.hunt.places(self.running.container.extensions)
        assert shown == []
        for place, names in kept.items():
            self.kept.setdefault(place, set()).update(names)

    def judge(self, printed: Any) -> None:
        """Nothing that was seen shows a secret, and what is kept is where it has to be."""
        errors = [*self.everything.errors, *SEEN.errors]
        texts = [*self.texts, *SEEN.workers, *self.everything.texts, *map(shown_by, errors), *printed]
        assert [(names, text) for text in texts if (names := self.hunt.found_in(text))] == []
        # With the variables of their frames, which hold what a request was made with, and nothing else.
        framed = {name for each in errors for name in self.hunt.found_in(shown_by(each, with_locals=True))}
        assert framed <= {'access token', 'proxy password', 'proxy credentials'}
        assert 'access token' in framed or not SEEN.errors  # else docs/operations.md says too little
        kept, shown = self.hunt.places(*errors)
        assert shown == []
        assert {place: names for place, names in kept.items() if place not in KEPT_BY_ERRORS} == {}
        assert {place: names for place, names in self.kept.items() if place not in KEPT} == {}


FLOWS = ['client credentials', 'soap', 'password', 'jwt', 'own token', 'provider']
PROVIDED: list[str] = []


def provided() -> tuple[str, ...]:
    """What `TOKEN_PROVIDER` names."""
    return tuple(PROVIDED)


def keys_of(flow: str, org: Any, hunt: Hunt) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keys of a flow, for an org that knows them, and what turns them into wrong ones."""
    private, public = hunt.make_key('private key')
    app = {
        'name': 'hunted',
        'consumer_key': hunt.make('consumer key'),
        'consumer_secret': hunt.make('consumer secret'),
        'run_as': USERNAME,
        'public_key': public,
        'approved': [USERNAME],
    }
    user = {
        'username': USERNAME,
        'password': hunt.make('password'),
        'security_token': hunt.make('security token'),
    }
    org.server.seed({'apps': [app], 'users': [user]})
    as_user = {
        'USERNAME': USERNAME,
        'PASSWORD': user['password'],
        'SECURITY_TOKEN': user['security_token'],
    }
    as_app = {'CONSUMER_KEY': app['consumer_key'], 'CONSUMER_SECRET': app['consumer_secret']}
    none = {'CONSUMER_KEY': None, 'CONSUMER_SECRET': None}
    nowhere = {**none, 'LOGIN_URL': None}
    bad_token = hunt.make('wrong token', signs='!')
    match flow:
        case 'client credentials':
            return as_app, {'CONSUMER_SECRET': hunt.make('wrong consumer secret')}
        case 'soap':
            return {**none, **as_user}, {'PASSWORD': hunt.make('wrong password')}
        case 'password':
            return {**as_app, **as_user}, {'SECURITY_TOKEN': hunt.make('wrong security token')}
        case 'jwt':
            keys = {**none, 'CONSUMER_KEY': app['consumer_key'], 'USERNAME': USERNAME, 'PRIVATE_KEY': private}
            return keys, {'PRIVATE_KEY': hunt.make_key('wrong private key')[0]}
        case 'own token':
            keys = {'ACCESS_TOKEN': org.server.issue_token(), 'INSTANCE_URL': org.server.base_url}
            return {**nowhere, **keys}, {'ACCESS_TOKEN': bad_token}
    PROVIDED[:] = [org.server.issue_token(), org.server.base_url]
    return {**nowhere, 'TOKEN_PROVIDER': f'{__name__}.provided'}, {}


@pytest.mark.parametrize('flow', FLOWS)
def test_no_secret_is_shown_in_a_life_full_of_trouble(org, hunt, everything, capfd, tmp_path, flow):
    keys, _ = keys_of(flow, org, hunt)
    database = tmp_path / 'positions.db'
    life = Life(org, hunt, everything, REPLAY_STORE_URI=f'sqlite:///{database}', **keys)
    server = org.server
    # A channel that is refused; logins that meet a busy server, and one that redirects.
    server.configure(deny_subscribe={'/event/Low_Ink__e': '403::Restricted channel'})
    server.faults.add('status', channel='login', status=503)
    server.faults.add('status', channel='login', status=302)
    life.running.start()
    org.until('the refusal', lambda: org.log.lines('/event/Low_Ink__e is refused'))
    life.look()
    server.configure(deny_subscribe={})
    life.recovers()
    life.handles('fine')
    for call in ('query', 'bulk', 'client'):
        life.texts.append(repr(life.ask('rest', call)))
    for call in ('malformed', 'metadata', 'missing'):
        life.fails(call)
    # Errors of REST, as an answer and without one.
    life.gives_up('malformed')
    for fault in ({'kind': 'reset'}, {'kind': 'status', 'status': 500}, {'kind': 'status', 'status': 307}):
        server.faults.add(channel='/services/data/v67.0/query/**', **fault)
        life.gives_up('struck')
    life.look()
    # The stream: redirected, refused, without sense, ended by the server, and lost.
    for fault in ({'status': 302}, {'status': 401}, {'status': 403}, {'kind': 'html'}, {'kind': 'reset'}):
        server.faults.add(**{'kind': 'status', 'channel': '/meta/connect', **fault})
    server.disconnect_all()
    life.recovers()
    server.restart()
    life.recovers()
    life.handles('after the restart')
    # The token ends.
    server.revoke_tokens(USERNAME)
    if flow in ('own token', 'provider'):
        life.fails('query')
        assert org.log.lines('login refused')
    else:
        life.ask('rest', 'query')
        life.handles('with another token')
    life.look()
    life.running.end('stop')
    life.texts += [repr(letter) for letter in stored_in(database)]
    life.texts.append(
        b''.join(path.read_bytes() for path in tmp_path.glob('positions.db*')).decode('latin-1')
    )
    life.judge(capfd.readouterr())
    assert len(stored_in(database)) == 4
    assert 'Token.access_token' in life.kept  # the search finds what there is


@pytest.mark.parametrize('flow', FLOWS)
def test_no_secret_is_shown_where_a_refused_login_ends_the_service(org, hunt, everything, capfd, flow):
    keys, wrong = keys_of(flow, org, hunt)
    PROVIDED[:1] = [hunt.make('wrong token of the provider', signs='!')]
    life = Life(org, hunt, everything, **{**keys, **wrong}, FAIL_FAST=True)
    life.running.start()
    error = end_of(life.running)
    # Also with the local variables of each frame, as some reporters of errors show them: what fails within a
    # login leaves it as a value, and is raised anew above all that knows a secret.
    life.texts += [shown_by(error, with_locals=True), f'{serialize(error)}']
    account = org.make(Service, **{**keys, **wrong}).connection.account.ready()
    for _ in ('refused', 'postponed'):
        life.texts.append(shown_by(failure_of(account.tokens.get), with_locals=True))
    life.judge(capfd.readouterr())
    # A token of one's own is tried at REST.
    assert org.server.journal('login') or org.server.journal('rest')


def end_of(running: Any) -> BaseException:
    # In a frame of its own, whose variables hold no keys.
    return failure_of(running.container.wait)


def failure_of(call: Any) -> BaseException:
    with pytest.raises(LoginError) as caught:
        call()
    return caught.value


# How a password may stand in the URI of a Redis.
URIS = ['redis://{address}/0?password={}', 'unix://service:{}@{socket}?db=0']


@pytest.mark.parametrize('uri', URIS)
def test_no_password_of_redis_or_of_a_proxy_is_shown(org, own_redis, hunt, everything, capfd, tmp_path, uri):
    def where(password: str) -> str:
        socket = own_redis.socket_uri.partition('://')[2].partition('?')[0]
        return uri.format(quote(password, safe=''), address=own_redis.address, socket=socket)

    def protect() -> None:
        with own_redis.client() as client:
            client.config_set('requirepass', password)
            client.execute_command('ACL', 'SETUSER', 'service', 'on', f'>{password}', '+@all', '~*')

    keys, _ = keys_of('client credentials', org, hunt)
    password, proxy_password = hunt.make('Redis password'), hunt.make('proxy password')
    hunt.add('proxy credentials', f'user:{proxy_password}')
    protect()
    with contextlib.contextmanager(proxy_process)(tmp_path, '--basic-auth', f'user:{proxy_password}') as port:
        for other in (proxy_password, hunt.make('wrong proxy password')):
            keys['PROXY'] = f'http://user:{quote(other, safe="")}@127.0.0.1:{port}'
            store = where(hunt.make('wrong Redis password'))
            life = Life(org, hunt, everything, **keys, REPLAY_STORE_URI=store)
            life.running.start()
            trouble = 'its position is not known' if other == proxy_password else 'login failed: proxy'
            org.until('the trouble', lambda said=trouble: org.log.lines(said))
            life.look()
            life.running.end('kill')
        keys['PROXY'] = f'http://user:{quote(proxy_password, safe="")}@127.0.0.1:{port}'
        life = Life(org, hunt, everything, **keys, REPLAY_STORE_URI=where(password))
        life.running.start()
        life.recovers()
        life.gives_up('malformed')
        org.until('the letter', lambda: life.ask('list'))
        # No store at all, one that does not know the password, and one that does not answer.
        own_redis.end()
        life.gives_up('malformed')
        org.until('the failure', lambda: org.log.lines('a dead letter cannot be stored'))
        life.look()
        own_redis.start()
        life.texts.append(shown_by(failure_of_store(life)))
        protect()
        org.until('both letters', lambda: len(life.ask('list')) == 2)
        own_redis.freeze()
        life.texts.append(shown_by(failure_of_store(life)))
        own_redis.thaw()
        life.recovers()
        life.handles('fine')
    # The proxy has gone.
    org.until('the loss', lambda: org.log.lines('no connection: proxy'))
    life.fails('query')
    life.look()
    with own_redis.client(password=password) as client:
        [key] = client.scan_iter('*:dead-letters')
        letters = client.xrange(key)
    life.texts.append(f'{letters!r}')
    life.running.end('stop')
    life.judge(capfd.readouterr())
    assert len(letters) == 2
    assert {'ReplaySettings.store_uri', 'TransportOptions.proxy'} <= set(life.kept)


def failure_of_store(life: Life) -> StoreFailed:
    with pytest.raises(StoreFailed) as caught:
        life.ask('list')
    return caught.value


def stored_in(database: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute('SELECT * FROM dead_letters').fetchall()


def test_an_argument_that_is_sensitive_can_be_redacted_in_every_kind_of_event(org):
    class Sensitive:
        name = 'service'

        @handle_platform_event('Low_Ink__e', sensitive_arguments='event.payload.Printer_Model__c')
        def ink(self, name, event):
            SEEN.workers.append(get_redacted_args(entrypoint, name, event))

        @handle_sobject_notification('Contact', sensitive_arguments='notification.sobject.Name')
        def contact(self, sobject_type, record_type, notification):
            SEEN.workers.append(get_redacted_args(other, sobject_type, record_type, notification))

    SEEN.workers.clear()
    running = org.run(Sensitive)
    entrypoint, other = (
        next(each for each in running.container.entrypoints if each.method_name == name)
        for name in ('ink', 'contact')
    )
    org.ada.create('Low_Ink__e', Printer_Model__c='hidden')
    org.ada.create('Contact', LastName='hidden')
    org.until('both events', lambda: len(SEEN.workers) == 2)
    assert 'hidden' not in repr(SEEN.workers)
    assert all('********' in repr(each) for each in SEEN.workers)
