"""The login side over HTTP: SOAP login(), the OAuth token endpoint, and whom a token belongs to.

Each login is noted in the journal (kind `login`): its flow, status and error; never a secret.
"""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import oauth, profile, soap
from .front import Front
from .journal import Kind
from .replies import Reply
from .tenant import Tenant

__all__ = ['add_login', 'address_of', 'meant_host']


def add_login(app: web.Application, front: Front, tenant: Callable[[], Tenant]) -> None:
    """Add the endpoints for logins to an application.

    Args:
        app: where to add them.
        front: for faults, the journal and the clock.
        tenant: gives the org of now; a reset brings another.
    """
    login = _Login(front, tenant)
    add = app.router.add_route
    add('*', '/services/Soap/{endpoint:[uc]}/{version}', login.soap)
    add('*', '/services/Soap/{endpoint:[uc]}/{version}/{rest:.*}', login.soap)
    add('*', '/services/oauth2/token', login.token)
    add('*', '/services/oauth2/userinfo', login.userinfo)
    add('*', '/id/{organization}/{user}', login.identity)


def address_of(request: web.Request) -> str:
    """The address that a request came to, without a slash at the end.

    Raises:
        web.HTTPBadRequest: its `Host` cannot be part of an address.
    """
    if not request.host.isascii():  # answers repeat it, and bytes that are no text could not be written
        raise web.HTTPBadRequest(text='Invalid Host')
    return f'{request.scheme}://{request.host}'


def meant_host(request: web.Request) -> str:
    """Name of the host that the client meant: an adapter that leads it here says so in `X-Forwarded-Host`."""
    text = request.headers.get('X-Forwarded-Host', request.host)
    name, colon, port = text.rpartition(':')
    return name if colon and port.isdecimal() else text


class _Login:
    def __init__(self, front: Front, tenant: Callable[[], Tenant]) -> None:
        self._front = front
        self._tenant = tenant

    async def soap(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()

        def answer(now: float) -> Reply:
            if request.method != 'POST':
                return _plain(405, 'Only POST allowed')
            if request.content_type != 'text/xml':
                return _plain(415, 'SOAP 1.1 is text/xml')
            tenant = self._tenant()
            return soap.answer(
                tenant.identity,
                tenant.org,
                endpoint=request.match_info['endpoint'],
                version=request.match_info['version'],
                body=body,
                action=request.headers.get('SOAPAction'),
                base_url=address_of(request),
                now=now,
            )

        return await self._serve(request, 'soap', answer)

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = await _form(request)

        def answer(now: float) -> Reply:
            # Also with GET, as some clients do: but a URL is no place for secrets.
            if request.method != 'POST' or request.query:
                return oauth.refuse('invalid_request', 'must use HTTP POST')
            if form is None:
                return oauth.refuse('invalid_request', 'expected application/x-www-form-urlencoded')
            tenant = self._tenant()
            return oauth.answer(
                tenant.identity,
                tenant.org,
                form=form,
                authorization=request.headers.get('Authorization'),
                host=meant_host(request),
                base_url=address_of(request),
                now=now,
                real_time=time.time(),
                wall_time_ms=tenant.epoch_ms(now),
            )

        return await self._serve(request, oauth.flow_of(form or {}), answer)

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        return await self._about(request, profile.userinfo)

    async def identity(self, request: web.Request) -> web.StreamResponse:
        names = request.match_info
        return await self._about(request, profile.identity, names['organization'], names['user'])

    async def _about(
        self, request: web.Request, about: Callable[..., Reply], *names: str
    ) -> web.StreamResponse:
        def answer(now: float) -> Reply:
            if request.method not in ('GET', 'POST'):
                return _plain(405, 'Only GET and POST allowed')
            tenant = self._tenant()
            header = request.headers.get('Authorization')
            return about(tenant.identity, tenant.org, header, *names, base_url=address_of(request), now=now)

        return await self._serve(request, 'identity', answer)

    async def _serve(
        self, request: web.Request, flow: str, answer: Callable[[float], Reply]
    ) -> web.StreamResponse:
        detail: dict[str, Any] = {'flow': flow, 'path': request.path}
        return await self._front.serve(request, Kind.LOGIN, detail, answer)


async def _form(request: web.Request) -> dict[str, str] | None:
    if request.content_type != 'application/x-www-form-urlencoded':
        return None
    try:
        form = await request.post()
    except (ValueError, LookupError):  # bytes that are not what the charset says, or no such charset
        return None
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _plain(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), {'Content-Type': 'text/plain;charset=UTF-8'}, str(status))
