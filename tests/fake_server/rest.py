"""REST and Bulk API over HTTP. What they answer is in `resources` and `bulk`.

Each request is noted in the journal (kind `rest`): its method, path, status and error; never a token.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .api_requests import ApiRequest
from .front import Front
from .journal import Kind
from .login import address_of
from .replies import Reply
from .tenant import Tenant

__all__ = ['add_rest']

DATA = '/services/data'
ASYNC = '/services/async'


def add_rest(app: web.Application, front: Front, tenant: Callable[[], Tenant]) -> None:
    """Add the APIs for data to an application.

    Args:
        app: where to add them.
        front: for faults, the journal and the clock.
        tenant: gives the org of now; a reset brings another.
    """

    async def data(request: web.Request) -> web.StreamResponse:
        asked = await _api_request(request, DATA, 'Authorization')
        return await serve(request, lambda now: tenant().api.answer(asked, now))

    async def bulk(request: web.Request) -> web.StreamResponse:
        asked = await _api_request(request, ASYNC, 'X-SFDC-Session')
        return await serve(request, lambda now: tenant().bulk.answer(asked, now))

    async def serve(request: web.Request, answer: Callable[[float], Reply]) -> web.StreamResponse:
        detail: dict[str, Any] = {'method': request.method, 'path': request.path}
        return await front.serve(request, Kind.REST, detail, answer)

    for root, handler in ((DATA, data), (ASYNC, bulk)):
        app.router.add_route('*', root, handler)
        app.router.add_route('*', root + '/{rest:.*}', handler)


async def _api_request(request: web.Request, root: str, token_header: str) -> ApiRequest:
    return ApiRequest(
        method=request.method,
        path=request.rel_url.raw_path.removeprefix(root),
        query=dict(request.query),
        body=await request.read(),
        content_type=request.content_type if 'Content-Type' in request.headers else '',
        authorization=request.headers.get(token_header),
        options=request.headers.get('Sforce-Query-Options', ''),
        base_url=address_of(request),
    )
