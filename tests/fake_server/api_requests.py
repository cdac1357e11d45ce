"""A request to the APIs for data, as a value, and its body. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .decoding import loads
from .org import OrgError

__all__ = ['ApiRequest', 'read_json', 'read_record']


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An HTTP request.

    Attributes:
        method: in capitals.
        path: below `/services/data` or `/services/async`, as it was sent.
        query: parameters of the URL.
        body: as sent.
        content_type: without its parameters; empty if there is none.
        authorization: the header.
        options: the header `Sforce-Query-Options`.
        base_url: the address that the request came to, without a slash at the end.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b''
    content_type: str = ''
    authorization: str | None = field(default=None, repr=False)
    options: str = ''
    base_url: str = 'https://example.my.salesforce.com'

    @property
    def parts(self) -> list[str]:
        """The parts of the path, decoded one by one: a value may hold a slash."""
        return [unquote(part) for part in self.path.split('/') if part]


def read_json(request: ApiRequest) -> Any:
    """The body.

    Raises:
        OrgError: not JSON, or not said to be.
    """
    if not request.body:
        text = 'The HTTP entity body is required, but this request has no entity body.'
        raise OrgError('JSON_PARSER_ERROR', text)
    if request.content_type != 'application/json':
        text = f'Content type {request.content_type or "(none)"} is not supported'
        raise OrgError('UNSUPPORTED_MEDIA_TYPE', text, status=415)
    try:
        return loads(request.body.decode())
    except (ValueError, RecursionError) as problem:
        raise OrgError('JSON_PARSER_ERROR', f'The body is not JSON: {problem}') from None


def read_record(request: ApiRequest) -> dict[str, Any]:
    """The fields of a record; what answers call `attributes` may come back with them.

    Raises:
        OrgError: as `read_json`, or it is no object.
    """
    value = read_json(request)
    if not isinstance(value, dict):
        raise OrgError('JSON_PARSER_ERROR', 'expected an object of fields')
    return {name: part for name, part in value.items() if name != 'attributes'}
