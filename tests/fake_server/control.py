"""The control endpoints below `/_fake/`: tests arrange the world and look at it. JSON in and out.

    POST   publish      {"channel", "data", "lazy"?} or a list of them -> {"sessions": [reached, ...]}
    GET    faults       -> [{"number", "struck", ...the fault's fields}]
    POST   faults       a fault or a list of them -> {"numbers": [...]}
    DELETE faults
    GET    journal      ?after=N&kind=K&channel=C&session=S&detail={...}&count=N&wait=SECONDS
                        -> {"entries": [...], "last": N}; with `wait` it answers as soon as `count` match
    GET    clock        -> {"now": seconds}
    POST   clock        {"advance": seconds} -> {"now": seconds}
    GET    sessions     -> [{"client_id", "subscriptions", ...}]
    GET    settings     -> {...}
    PATCH  settings     {name: value, ...} -> {...}
    POST   disconnect   {} or {"session": client id} -> {"sessions": N}
    POST   seed         what --org takes, as JSON: adds to the org
    POST   revoke       {} or {"username"}: access tokens die -> {"tokens": N}
    POST   token        {"username"} -> {"access_token"}, without a login
    POST   grant        {"username", "consumer_key"} -> {"refresh_token"}
    POST   gap          {"sobject", "record_ids"?, "change_type"?}: a change event that does not say what
                        changed; without record ids the overflow event
    POST   undelete     {"sobject", "record_id", "username"}: take a record out of the recycle bin
    POST   restart      lose all sessions and queues, break held polls
    POST   expire_routes  end all routing cookies (profile salesforce) -> {"routes": N}
    GET    replay       ?channel=C -> {"events": [data, ...]}, what can be replayed (profile salesforce)
    POST   reset        {} or {"profile": name}: back to the state at start, maybe as another kind of server
                        -> {"profile", "endpoint"}

Errors: 400 with {"error": text}. Served to this machine only, see `guard`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from .broker import Broker
from .decoding import loads
from .faults import fault_from_json
from .front import Front
from .journal import Entry, Journal, Kind
from .org import OrgError
from .salesforce import Salesforce
from .tenant import Tenant

__all__ = ['add_control', 'guard']

N = TypeVar('N', int, float)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GAPS = ('GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE')

LATEST_S = 1e11  # three thousand years
LOOPBACK_NAMES = frozenset({'localhost', '127.0.0.1', '::1'})


def guard(request: web.Request, control_hosts: Collection[str]) -> str | None:
    """Why a control request is refused, None if it is not.

    Without `control_hosts` it has to come from this machine. In any case its `Host` (and `Origin`, if
    there is one) must be a name we expect: otherwise a web page could make a developer's browser send it,
    also to a name of its own that leads here (DNS rebinding).
    """
    names = LOOPBACK_NAMES | {name.lower() for name in control_hosts}
    if not control_hosts and not _is_loopback(request.remote):
        return 'control requests are served to this machine only; see --control-host'
    # Not `request.host`, which has the name of this machine where the header is missing.
    for host in request.headers.getall('Host', ['']):
        if _host_name(f'//{host}') not in names:
            return f'unexpected Host {host!r}; see --control-host'
    if not request.raw_path.startswith('/') and _host_name(request.raw_path) not in names:
        # A target with a host of its own; RFC 9112, 3.2.2: that one counts.
        return 'unexpected host in the request target'
    if 'Origin' in request.headers and _host_name(request.headers['Origin']) not in names:
        return 'unexpected Origin'
    return None


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


def _host_name(url: str) -> str | None:
    """In lower case; None: there is none, or more than a host with a port."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 -- raises
    except ValueError:
        return None
    return None if '@' in parts.netloc else parts.hostname


def add_control(
    app: web.Application, front: Front, tenant: Callable[[], Tenant], control_hosts: Collection[str]
) -> None:
    """Add the control endpoints to an application; `tenant` gives the org of now."""
    control = _Control(front, tenant)
    routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
        ('POST', 'publish', control.publish),
        ('GET', 'faults', control.list_faults),
        ('POST', 'faults', control.add_faults),
        ('DELETE', 'faults', control.clear_faults),
        ('GET', 'journal', control.journal),
        ('GET', 'clock', control.clock),
        ('POST', 'clock', control.advance),
        ('GET', 'sessions', control.sessions),
        ('GET', 'settings', control.settings),
        ('PATCH', 'settings', control.change_settings),
        ('POST', 'disconnect', control.disconnect),
        ('POST', 'seed', control.seed),
        ('POST', 'revoke', control.revoke),
        ('POST', 'token', control.token),
        ('POST', 'grant', control.grant),
        ('POST', 'gap', control.gap),
        ('POST', 'undelete', control.undelete),
        ('POST', 'restart', control.restart),
        ('POST', 'expire_routes', control.expire_routes),
        ('GET', 'replay', control.replay),
        ('POST', 'reset', control.reset),
    ]
    for method, name, action in routes:
        app.router.add_route(method, f'/_fake/{name}', _endpoint(action, control_hosts))
    app.router.add_route('*', '/_fake/{name:.*}', _endpoint(_unknown, control_hosts))


def _endpoint(action: Callable[[web.Request], Awaitable[Any]], control_hosts: Collection[str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if (refusal := guard(request, control_hosts)) is not None:
            return web.json_response({'error': refusal}, status=403)
        try:
            return web.json_response(await action(request))
        except ValueError as problem:
            return web.json_response({'error': str(problem)}, status=400)

    return handle


async def _unknown(request: web.Request) -> Any:
    raise ValueError(f'no such endpoint: {request.method} {request.path}')


class _Control:
    def __init__(self, front: Front, tenant: Callable[[], Tenant]) -> None:
        self._front = front
        self._tenant = tenant

    async def publish(self, request: web.Request) -> Any:
        value = await _json(request)
        events = value if isinstance(value, list) else [value]
        for event in events:
            _expect(event, required=('channel', 'data'), optional=('lazy',))
            if not isinstance(event['channel'], str) or not isinstance(event.get('lazy', False), bool):
                raise ValueError('channel is a text, lazy is true or false')

        def publish(broker: Broker, now: float) -> list[int]:
            return [
                broker.publish(event['channel'], event['data'], now, lazy=event.get('lazy', False))
                for event in events
            ]

        return {'sessions': self._front.act(publish)}

    async def list_faults(self, request: web.Request) -> Any:
        return self._front.faults.listed()

    async def add_faults(self, request: web.Request) -> Any:
        value = await _json(request)
        faults = [fault_from_json(one) for one in (value if isinstance(value, list) else [value])]
        return {'numbers': [self._front.faults.add(fault) for fault in faults]}

    async def clear_faults(self, request: web.Request) -> Any:
        self._front.faults.clear()
        return {}

    async def journal(self, request: web.Request) -> Any:
        query = _Query(request)
        loop = asyncio.get_running_loop()
        until = loop.time() + query.wait
        journal, after = self._front.broker.journal, query.after
        entries: list[Entry] = []
        while True:
            changed = self._front.changed
            if journal is not self._front.broker.journal:  # a reset came in between
                journal, after, entries = self._front.broker.journal, query.after, []
            # Only what is new: under load, looking at everything again would cost more than the load.
            entries += query.entries(journal, after)
            after = max(after, journal.last_number)
            left = until - loop.time()
            if len(entries) >= query.count or left <= 0:
                return {'entries': [entry.as_json() for entry in entries], 'last': journal.last_number}
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                continue

    async def clock(self, request: web.Request) -> Any:
        return {'now': self._front.clock.now()}

    async def advance(self, request: web.Request) -> Any:
        value = _expect(await _json(request), required=('advance',))
        if type(value['advance']) not in (int, float) or not 0 <= value['advance'] < 1e9:
            raise ValueError('advance is a number of seconds, not negative')
        if self._front.clock.now() + value['advance'] > LATEST_S:
            raise ValueError('no date is that late')
        self._front.advance(value['advance'])
        return await self.clock(request)

    async def sessions(self, request: web.Request) -> Any:
        return [asdict(view) for view in self._front.broker.sessions]

    async def settings(self, request: web.Request) -> Any:
        return asdict(self._front.broker.settings)

    async def change_settings(self, request: web.Request) -> Any:
        value = await _json(request)
        if not isinstance(value, dict):
            raise ValueError('settings are an object')
        self._front.broker.settings = self._front.broker.settings.changed(value)
        return await self.settings(request)

    async def disconnect(self, request: web.Request) -> Any:
        value = _expect(await _json(request), optional=('session',))
        session = value.get('session')
        return {'sessions': self._front.act(lambda broker, now: broker.disconnect(now, session))}

    async def seed(self, request: web.Request) -> Any:
        value = await _json(request)
        if not isinstance(value, dict):
            raise ValueError('a seed is an object')
        self._tenant().org.add(value, now=self._front.clock.now())
        return {}

    async def revoke(self, request: web.Request) -> Any:
        value = _expect(await _json(request), optional=('username',))
        return {'tokens': self._tenant().identity.revoke(_text_or_none(value, 'username'))}

    async def token(self, request: web.Request) -> Any:
        value = _expect(await _json(request), required=('username',))
        username = _text_or_none(value, 'username') or ''
        return {'access_token': self._tenant().identity.issue_token(username, self._front.clock.now())}

    async def grant(self, request: web.Request) -> Any:
        value = _expect(await _json(request), required=('username', 'consumer_key'))
        username, key = (_text_or_none(value, name) or '' for name in ('username', 'consumer_key'))
        return {'refresh_token': self._tenant().identity.grant_refresh_token(username, key)}

    async def gap(self, request: web.Request) -> Any:
        value = _expect(await _json(request), required=('sobject',), optional=('record_ids', 'change_type'))
        sobject = _text_or_none(value, 'sobject') or ''
        change_type = _text_or_none(value, 'change_type') or 'GAP_UPDATE'
        record_ids = value.get('record_ids') or []
        if not isinstance(record_ids, list) or not all(isinstance(each, str) for each in record_ids):
            raise ValueError('record_ids is a list of texts')
        if change_type not in GAPS:
            raise ValueError(f'change_type is one of {", ".join(GAPS)}')
        org = self._tenant().org
        user = next(iter(org.users), None)
        if user is None:
            raise ValueError('the org has no user who could have changed something')
        user_id = user.id

        def happen(_: Broker, now: float) -> None:
            if record_ids:
                org.raise_gap(sobject, record_ids, change_type=change_type, user_id=user_id, now=now)
            else:
                org.raise_overflow(sobject, user_id=user_id, now=now)

        try:
            self._front.act(happen)
        except OrgError as problem:
            raise ValueError(f'{sobject}: {problem}') from None
        return {}

    async def undelete(self, request: web.Request) -> Any:
        # REST of Salesforce cannot do it; SOAP and Apex can, and people in their browser.
        names = ('sobject', 'record_id', 'username')
        value = _expect(await _json(request), required=names)
        sobject, record_id, username = (_text_or_none(value, name) or '' for name in names)
        org = self._tenant().org
        user = org.users.by_username(username)
        if user is None:
            raise ValueError(f'no user {username}')
        user_id = user.id
        try:
            self._front.act(lambda _, now: org.undelete(sobject, record_id, user_id=user_id, now=now))
        except OrgError as problem:
            raise ValueError(f'{sobject} {record_id}: {problem}') from None
        return {}

    async def restart(self, request: web.Request) -> Any:
        self._front.restart()
        return {}

    async def expire_routes(self, request: web.Request) -> Any:
        return {'routes': self._front.act(lambda broker, now: _salesforce(broker).routes.close_all(now))}

    async def replay(self, request: web.Request) -> Any:
        if set(request.query) != {'channel'}:
            raise ValueError('replay asks for one channel: ?channel=C')
        channel = request.query['channel']
        return {
            'events': self._front.act(
                lambda broker, now: _salesforce(broker).streams.logs.retained(channel, now)
            )
        }

    async def reset(self, request: web.Request) -> Any:
        value = _expect(await _json(request), optional=('profile',))
        self._front.reset(value.get('profile'))
        settings = self._front.broker.settings
        return {'profile': settings.profile, 'endpoint': settings.endpoint}


def _text_or_none(value: dict[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is not None and not isinstance(text, str):
        raise ValueError(f'{name} is a text')
    return text


def _salesforce(broker: Broker) -> Salesforce:
    if not isinstance(broker.manner, Salesforce):
        raise ValueError('only the profile salesforce has that')
    return broker.manner


class _Query:
    """The query of a journal request.

    Raises:
        ValueError: unknown names or unusable values.
    """

    def __init__(self, request: web.Request) -> None:
        known = ('after', 'kind', 'channel', 'session', 'detail', 'count', 'wait')
        if unknown := sorted(set(request.query) - set(known)):
            raise ValueError(f'unknown: {", ".join(unknown)}; the journal knows {", ".join(known)}')
        kinds = {kind.value: kind for kind in Kind}
        wanted = request.query.get('kind')
        if wanted is not None and wanted not in kinds:
            raise ValueError(f'kind is one of {", ".join(kinds)}')
        self.after = _number(request, 'after', '0', int)
        self.kind = kinds.get(wanted or '')
        self.channel = request.query.get('channel')
        self.session = request.query.get('session')
        self.detail = _loads(request.query.get('detail', '{}'))
        self.count = _number(request, 'count', '1', int)
        self.wait = _number(request, 'wait', '0', float)
        if not isinstance(self.detail, dict):
            raise ValueError('detail is an object')

    def entries(self, journal: Journal, after: int) -> list[Entry]:
        return journal.entries(
            after=after,
            kind=self.kind,
            channel=self.channel,
            session=self.session,
            detail=self.detail,
        )


async def _json(request: web.Request) -> Any:
    raw = await request.read()
    return _loads(raw.decode()) if raw else {}


def _loads(text: str) -> Any:
    try:
        return loads(text)
    except RecursionError:
        raise ValueError('nested too deeply') from None


def _number(request: web.Request, name: str, default: str, type_: type[N]) -> N:
    try:
        value = type_(request.query.get(name, default))
    except ValueError:
        raise ValueError(f'{name} is a number') from None
    if not 0 <= value < 1e9:  # not a number that is none: the wait for it would never end
        raise ValueError(f'{name} is from 0 to a thousand million')
    return value


def _expect(value: Any, *, required: Collection[str] = (), optional: Collection[str] = ()) -> dict[str, Any]:
    """The value, an object with all required keys and no unknown ones."""
    known = (*required, *optional)
    if not isinstance(value, dict):
        raise ValueError(f'expected an object with {", ".join(known) or "nothing"}')
    missing = [name for name in required if name not in value]
    unknown = sorted(set(value) - set(known))
    if missing or unknown:
        raise ValueError(
            '; '.join(
                f'{label}: {", ".join(names)}'
                for label, names in (('missing', missing), ('unknown', unknown))
                if names
            )
        )
    return value
