"""The REST API below `/services/data`: which resource answers what to whom. Pure.

    api = DataApi(org, identity)
    reply = api.answer(ApiRequest('GET', '/v67.0/limits/', authorization='Bearer ...'), now)

Records, queries and rules are the org's; here is what stands around them: versions, sessions, methods,
content types, JSON, paging and the shapes of answers.
Source: REST API Developer Guide; recorded answers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .api_requests import ApiRequest, read_json, read_record
from .identity import AuthProblem, Identity, Session
from .org import Created, Org, OrgError
from .org.errors import no_resource
from .paging import Pages, page_size
from .replies import Reply, error_list, json_reply
from .settings import SalesforceSettings
from .window import DAY_S, Window

__all__ = ['DataApi']

_NEWEST_WITHOUT_DURABLE = 36.0
_UPSERT_SAYS_MORE_FROM = 46.0


@dataclass(frozen=True, slots=True)
class _Call:
    """A request whose version and session are good."""

    request: ApiRequest
    version: str
    session: Session
    now: float

    @property
    def user_id(self) -> str:
        return self.session.user_id

    @property
    def root(self) -> str:
        return f'/services/data/v{self.version}'


Action = Callable[['DataApi', _Call, list[str]], Reply]


class DataApi:
    """The resources of one org.

    Args:
        org: records, queries, rules.
        identity: who may come in; the settings of the moment are its.
        streaming_limits: gives the limits of streaming that `limits` shows: name -> (most, left).
    """

    def __init__(
        self,
        org: Org,
        identity: Identity,
        *,
        streaming_limits: Callable[[], Mapping[str, tuple[int, int]]] = dict,
    ) -> None:
        self._org = org
        self._identity = identity
        self._streaming_limits = streaming_limits
        self._pages = Pages()
        self._requests = Window(DAY_S)

    @property
    def settings(self) -> SalesforceSettings:
        """The settings of the moment."""
        return self._identity.settings

    def answer(self, request: ApiRequest, now: float) -> Reply:
        """The answer to any request below `/services/data`."""
        parts = request.parts
        if self.settings.rest_unavailable:
            return error_list(503, 'SERVER_UNAVAILABLE', 'The server is temporarily unavailable')
        if not parts:
            return self._versions(request)
        if (refusal := self._refuse_version(parts[0])) is not None:
            return refusal
        session = self._identity.session_of(request.authorization, now)
        if (refused := _refusal_of_session(self._identity, session)) is not None:
            return refused
        assert isinstance(session, Session)
        self._requests.add(now)
        used = self._requests.count(now)
        if used > self.settings.daily_api_requests:
            return error_list(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.')
        reply = self._dispatch(_Call(request, parts[0][1:], session, now), parts[1:])
        usage = f'api-usage={used}/{self.settings.daily_api_requests}'
        return Reply(reply.status, reply.body, {**reply.headers, 'Sforce-Limit-Info': usage}, reply.error)

    def _dispatch(self, call: _Call, parts: list[str]) -> Reply:
        request = call.request
        for pattern, actions in _ROUTES:
            if not _fits(pattern, parts):
                continue
            method = 'GET' if request.method == 'HEAD' else request.method
            if method not in actions:
                allowed = ','.join(['HEAD', *actions] if 'GET' in actions else actions)
                text = f"HTTP Method '{request.method}' not allowed. Allowed are {allowed}"
                return error_list(405, 'METHOD_NOT_ALLOWED', text)
            action, parameters = actions[method]
            unknown = sorted(set(request.query) - set(parameters))
            if unknown:
                # Salesforce ignores them; here they would hide a typing error.
                return error_list(400, 'INVALID_PARAMETER', f'unknown parameter: {unknown[0]}')
            try:
                return action(self, call, parts)
            except OrgError as problem:
                return _org_error(problem)
        return _not_found()

    # --- versions, limits, identity -----------------------------------------------------------------

    def _versions(self, request: ApiRequest) -> Reply:
        if request.method not in ('GET', 'HEAD'):
            text = f"HTTP Method '{request.method}' not allowed. Allowed are HEAD,GET"
            return error_list(405, 'METHOD_NOT_ALLOWED', text)
        first, last = (
            int(float(text)) for text in (self.settings.oldest_api_version, self.settings.newest_api_version)
        )
        return json_reply(
            200,
            [
                {'label': _release(number), 'url': f'/services/data/v{number}.0', 'version': f'{number}.0'}
                for number in range(first, last + 1)
            ],
        )

    def _refuse_version(self, text: str) -> Reply | None:
        if not re.fullmatch(r'v\d+\.0', text) or float(text[1:]) > float(self.settings.newest_api_version):
            return _not_found()
        if float(text[1:]) < float(self.settings.oldest_api_version):
            return error_list(410, 'GONE', f'API version {text[1:]} is retired and no longer available')
        return None

    def resources(self, call: _Call, parts: list[str]) -> Reply:
        """`/vXX.X/`: the resources of a version."""
        names = {name: f'{call.root}/{name}' for name in ('limits', 'query', 'queryAll', 'sobjects')}
        identity = f'{call.request.base_url}/id/{self._org.organization_id}/{call.user_id}'
        return json_reply(200, {**names, 'identity': identity})

    def limits(self, call: _Call, parts: list[str]) -> Reply:
        """`/vXX.X/limits/`."""
        used = self._requests.count(call.now)
        maximum = self.settings.daily_api_requests
        limits = {'DailyApiRequests': (maximum, max(0, maximum - used)), **self._streaming_limits()}
        old = float(call.version) <= _NEWEST_WITHOUT_DURABLE
        return json_reply(
            200,
            {
                name.replace('Durable', '') if old else name: {'Max': most, 'Remaining': left}
                for name, (most, left) in limits.items()
            },
        )

    # --- queries ------------------------------------------------------------------------------------

    def query(self, call: _Call, parts: list[str]) -> Reply:
        """`/vXX.X/query/?q=` and `queryAll`: the first page."""
        text = call.request.query.get('q')
        if not text:
            raise OrgError('MALFORMED_QUERY', 'A query string has to be specified')
        everything = parts[0] == 'queryAll'
        found = self._org.query(text, now=call.now, all_rows=everything, api_version=call.version)
        size = page_size(call.request.options, self.settings.query_page_size)
        return json_reply(200, self._pages.first(found, call.user_id, f'{call.root}/{parts[0]}', size))

    def more(self, call: _Call, parts: list[str]) -> Reply:
        """`/vXX.X/query/<locator>-<offset>`: a further page."""
        size = page_size(call.request.options, self.settings.query_page_size)
        return json_reply(200, self._pages.next(parts[1], call.user_id, f'{call.root}/{parts[0]}', size))

    # --- sobjects -----------------------------------------------------------------------------------

    def describe_global(self, call: _Call, parts: list[str]) -> Reply:
        """`/sobjects/`."""
        return json_reply(200, self._org.describe_global(api_version=call.version))

    def about(self, call: _Call, parts: list[str]) -> Reply:
        """`/sobjects/Contact/`."""
        wanted = {'fields', 'recordTypeInfos', 'childRelationships'}
        described = self._org.describe(parts[1], api_version=call.version)
        short = {name: value for name, value in described.items() if name not in wanted}
        return json_reply(200, {'objectDescribe': short, 'recentItems': []})

    def describe(self, call: _Call, parts: list[str]) -> Reply:
        """`/sobjects/Contact/describe`."""
        return json_reply(200, self._org.describe(parts[1], api_version=call.version))

    def create(self, call: _Call, parts: list[str]) -> Reply:
        """POST `/sobjects/Contact/`; of a platform event: publish it."""
        values = read_record(call.request)
        return self._created(call, parts[1], self._create(call, parts[1], values))

    def read(self, call: _Call, parts: list[str]) -> Reply:
        """GET `/sobjects/Contact/<id>`."""
        fields = call.request.query.get('fields')
        names = None if fields is None else [name.strip() for name in fields.split(',')]
        return json_reply(200, self._org.read(parts[1], parts[2], names, api_version=call.version))

    def update(self, call: _Call, parts: list[str]) -> Reply:
        """PATCH `/sobjects/Contact/<id>`."""
        self._update(call, parts[1], parts[2], read_record(call.request))
        return Reply(204)

    def delete(self, call: _Call, parts: list[str]) -> Reply:
        """DELETE `/sobjects/Contact/<id>`."""
        self._org.delete(parts[1], parts[2], user_id=call.user_id, now=call.now, api_version=call.version)
        return Reply(204)

    def read_by_key(self, call: _Call, parts: list[str]) -> Reply:
        """GET `/sobjects/Contact/<external id field>/<value>`."""
        record_id = self._found_by_key(parts)
        return self.read(call, [parts[0], parts[1], record_id])

    def upsert(self, call: _Call, parts: list[str]) -> Reply:
        """PATCH `/sobjects/Contact/<external id field>/<value>`."""
        _, sobject, key, text = parts
        values = read_record(call.request)
        if any(name.lower() == key.lower() for name in values):
            raise OrgError(
                'INVALID_FIELD', f'The {key} field should not be specified in the sobject data.', [key]
            )
        value = self._org.external_id(sobject, key, text)
        record_id = self._org.find(sobject, key, value)
        if record_id is None:
            made = self._create(call, sobject, {**values, key: value})
            return self._created(call, sobject, made, created=True)
        self._update(call, sobject, record_id, values)
        if float(call.version) < _UPSERT_SAYS_MORE_FROM:
            return Reply(204)
        return json_reply(200, {'id': record_id, 'success': True, 'errors': [], 'created': False})

    def delete_by_key(self, call: _Call, parts: list[str]) -> Reply:
        """DELETE `/sobjects/Contact/<external id field>/<value>`."""
        record_id = self._found_by_key(parts)
        return self.delete(call, [parts[0], parts[1], record_id])

    def push(self, call: _Call, parts: list[str]) -> Reply:
        """POST `/sobjects/StreamingChannel/<id>/push`."""
        value = read_json(call.request)
        if (
            not isinstance(value, dict)
            or set(value) != {'pushEvents'}
            or type(value['pushEvents']) is not list
        ):
            raise OrgError('JSON_PARSER_ERROR', 'expected an object with a list of pushEvents')
        return json_reply(200, self._org.push(parts[2], value['pushEvents'], now=call.now))

    def _found_by_key(self, parts: list[str]) -> str:
        _, sobject, key, text = parts
        record_id = self._org.find(sobject, key, self._org.external_id(sobject, key, text))
        if record_id is None:
            raise no_resource()
        return record_id

    def _create(self, call: _Call, sobject: str, values: dict[str, Any]) -> Created:
        return self._org.create(sobject, values, user_id=call.user_id, now=call.now, api_version=call.version)

    def _update(self, call: _Call, sobject: str, record_id: str, values: dict[str, Any]) -> None:
        self._org.update(
            sobject, record_id, values, user_id=call.user_id, now=call.now, api_version=call.version
        )

    def _created(self, call: _Call, sobject: str, record_id: Created, **further: Any) -> Reply:
        errors: list[dict[str, Any]] = []
        if record_id.event_uuid is not None:
            # No error: "Publish Event Messages with Salesforce APIs" of the Platform Events guide.
            message = record_id.event_uuid
            errors = [{'statusCode': 'OPERATION_ENQUEUED', 'message': message, 'fields': []}]
        value = {'id': record_id, 'success': True, 'errors': errors, **further}
        return json_reply(201, value, headers={'Location': f'{call.root}/sobjects/{sobject}/{record_id}'})


# `*` is any name. The first pattern that fits counts, so the special ones come first.
_ROUTES: tuple[tuple[tuple[str, ...], dict[str, tuple[Action, tuple[str, ...]]]], ...] = (
    ((), {'GET': (DataApi.resources, ())}),
    (('limits',), {'GET': (DataApi.limits, ())}),
    (('query',), {'GET': (DataApi.query, ('q',))}),
    (('queryAll',), {'GET': (DataApi.query, ('q',))}),
    (('query', '*'), {'GET': (DataApi.more, ())}),
    (('queryAll', '*'), {'GET': (DataApi.more, ())}),
    (('sobjects',), {'GET': (DataApi.describe_global, ())}),
    (('sobjects', '*'), {'GET': (DataApi.about, ()), 'POST': (DataApi.create, ())}),
    (('sobjects', '*', 'describe'), {'GET': (DataApi.describe, ())}),
    (('sobjects', 'StreamingChannel', '*', 'push'), {'POST': (DataApi.push, ())}),
    (
        ('sobjects', '*', '*'),
        {
            'GET': (DataApi.read, ('fields',)),
            'PATCH': (DataApi.update, ()),
            'DELETE': (DataApi.delete, ()),
        },
    ),
    (
        ('sobjects', '*', '*', '*'),
        {
            'GET': (DataApi.read_by_key, ('fields',)),
            'PATCH': (DataApi.upsert, ()),
            'DELETE': (DataApi.delete_by_key, ()),
        },
    ),
)


def _fits(pattern: tuple[str, ...], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        wanted in ('*', part) for wanted, part in zip(pattern, parts, strict=True)
    )


def _refusal_of_session(identity: Identity, session: Session | AuthProblem) -> Reply | None:
    """The 401 for who may not use REST, None for who may."""
    match session:
        case AuthProblem.HEADER:
            return error_list(401, 'INVALID_AUTH_HEADER', 'INVALID_HEADER_TYPE')
        case AuthProblem.SESSION:
            return error_list(401, 'INVALID_SESSION_ID', 'Session expired or invalid')
    if not session.opens_rest:
        text = 'This session is not valid for use with the specified REST API endpoint.'
        return error_list(401, 'INVALID_SESSION_ID', text)
    if identity.password_expired(session):
        text = 'Your password has expired. Please reset your password.'
        return error_list(401, 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD', text)
    return None


def _org_error(problem: OrgError) -> Reply:
    further: dict[str, Any] = {'fields': list(problem.fields)} if problem.fields else {}
    return error_list(problem.status, problem.code, problem.message, **further)


def _not_found() -> Reply:
    return error_list(404, 'NOT_FOUND', 'The requested resource does not exist')


def _release(number: int) -> str:
    """The name of a version's release: 66.0 is Spring '26, and each year has three."""
    years, season = divmod(number, 3)
    name = ('Spring', 'Summer', 'Winter')[season]
    return f"{name} '{years + 4 + (season == 2)}"
