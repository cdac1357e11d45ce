"""The simple-salesforce client of one account. Floor 3.

The real `Salesforce` in its direct mode, which never logs in by itself, on a session (`rest_session.py`) that
puts the current token into every request. Decides only where its attributes come from: the shared token,
as late as possible. Raises what simple-salesforce and requests raise, and `LoginError` of `tokens.py`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.metadata import SfdcMetadataApi
from zeep.transports import Transport

from nameko_salesforce.rest_answers import ANSWER_LIMIT
from nameko_salesforce.rest_session import RestSession
from nameko_salesforce.tokens import Token, Tokens

if TYPE_CHECKING:
    from nameko_salesforce.config import SalesforceSettings

__all__ = ['RestClient', 'rest_client', 'rest_session']


# Bytes. What the library asks for itself it reads itself, and the hub stands still meanwhile: so much JSON
# takes a fifth of a second. The description of the largest objects has 3 MB.
OWN_LIMIT = 2**24


def rest_session(
    tokens: Tokens,
    settings: 'SalesforceSettings',
    session: requests.Session,
    *,
    answer_limit: int = ANSWER_LIMIT,
) -> RestSession:
    """The session for all clients of an account: its pool is what bounds them together.

    Args:
        session: how the network is reached (`SalesforceAccount.make_session()`).
        answer_limit: bytes of an answer.
    """
    return RestSession(
        tokens,
        session,
        pool_size=settings.pool_size,
        connect_timeout=settings.transport.connect_timeout,
        request_timeout=settings.request_timeout,
        answer_limit=answer_limit,
    )


def rest_client(tokens: Tokens, settings: 'SalesforceSettings', session: requests.Session) -> 'RestClient':
    """One client with a session of its own, for the library's own questions: answers have 16 MiB at most.

    `client.session.close()` closes its connections.
    """
    made = rest_session(tokens, settings, session, answer_limit=OWN_LIMIT)
    return RestClient(made, version=settings.api_version)


class _FromToken:
    """An attribute of `Salesforce` that is made of the current token whenever it is read."""

    def __init__(self, read: Callable[['RestClient'], Any]) -> None:
        self._read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, client: 'RestClient | None', owner: type) -> Any:
        return self if client is None else self._read(client)

    def __set__(self, client: 'RestClient', value: Any) -> None:
        # `Salesforce.__init__` fills it in from the token that it was given; ours was given none.
        if client._built:
            raise AttributeError(f'{self._name} belongs to the shared token and cannot be set')


def _url(path: str) -> Any:
    return _FromToken(lambda client: f'{client._token().instance_url}{path.format(client.sf_version)}')


class RestClient(Salesforce):
    """A `simple_salesforce.Salesforce` whose token, and what follows from it, is always the current one.

    Making one costs some microseconds and no I/O; reading `session_id` and the like, or an object
    (`client.Contact`), logs in where nobody has yet. simple-salesforce's own renewal, which would repeat
    without end, is never at work. `headers` are the client's own: what you add to them is sent with its
    requests.

    Args:
        version: '67.0'.
    """

    # Class attributes, because `Salesforce.__getattr__` answers for everything that is missing.
    _built = False
    _own_headers: dict[str, str] = {}

    session: RestSession
    sf_version: str
    session_id = _FromToken(lambda client: client._token().access_token)
    sf_instance = _FromToken(lambda client: urlsplit(client._token().instance_url).netloc)
    headers = _FromToken(lambda client: client._headers())
    base_url = _url('/services/data/v{}/')
    apex_url = _url('/services/apexrest/')
    bulk_url = _url('/services/async/{}/')
    bulk2_url = _url('/services/data/v{}/jobs/')
    metadata_url = _url('/services/Soap/m/{}/')
    tooling_url = _url('/services/data/v{}/tooling/')
    oauth2_url = _url('/services/oauth2/')

    def __init__(self, session: RestSession, *, version: str) -> None:
        super().__init__(session_id='', instance='instance', version=version, session=session)
        self._own_headers = {'Content-Type': 'application/json', 'X-PrettyPrint': '1'}
        self._built = True

    @property
    def user_id(self) -> str:
        """Id of the running user, 18 characters, whatever the login flow."""
        return self._token().user_id

    @property
    def mdapi(self) -> SfdcMetadataApi:
        """The Metadata API, through this client's session."""
        api = super().mdapi
        api._client.transport = _SoapTransport(self.session)
        return api

    def _token(self) -> Token:
        return self.session.tokens.get() if self._built else _NO_TOKEN

    def _headers(self) -> dict[str, str]:
        self._own_headers['Authorization'] = f'Bearer {self._token().access_token}'
        return self._own_headers

    def __getattr__(self, name: str) -> Any:
        # No object of Salesforce begins so; Python and tools ask for such names, and shall not log in.
        if name.startswith('_'):
            raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')
        return super().__getattr__(name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} of API version {self.sf_version}>'

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError('a client of an account holds its token and cannot be copied or pickled')


# What a client is made with.
_NO_TOKEN = Token('', 'https://instance', '', '')


class _SoapTransport(Transport):
    """zeep over our session. The session is not zeep's own, which would put its name into all requests."""

    def __init__(self, session: RestSession) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # zeep is
        self._session = session

    def post(self, address: str, message: Any, headers: dict[str, str]) -> requests.Response:
        return self._session.post(address, data=message, headers=headers)
