"""The one way of requests to an org: current token, right address, limits. Floor 3.

Everything that simple-salesforce does at whatever depth ends in `requests.Session.send`. So this is where the
current token, the address of the org, the limits of time and number, and the one repetition after an
expired token are put in. No I/O before the first request.

Decides when a refused request is repeated: once, with another token, and only when the refusal proves that it
was not executed. Raises what requests raises, and `LoginError` of `tokens.py`.

Green only where the process is monkey-patched (`nameko run` does it); elsewhere requests hold up the hub, and
the limit on the whole of a request (`request_timeout`) has no effect.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import eventlet
import requests
from eventlet.semaphore import Semaphore
from requests.utils import rewind_body

from nameko_salesforce.bayeux.options import LONGEST_WAIT
from nameko_salesforce.rest_answers import ANSWER_LIMIT, BoundedAdapter, in_words, read_body
from nameko_salesforce.tokens import Token, Tokens

__all__ = ['NoConnectionFree', 'RestSession']

# Characters. Servers take heads of 8 to 16 KiB; Salesforce's own cookies have some hundred.
COOKIE_LIMIT = 4096


class NoConnectionFree(requests.exceptions.ConnectTimeout):
    """The request was not sent: too many others were under way for too long."""


class RestSession(requests.Session):
    """Sends any request to the org of the current token, whatever host its URL names.

    For the green threads of a monkey-patched process. A body that is asked for with `stream=True` is read
    outside the limits of number, whole time and size, that of a refusal excepted.

    Attributes:
        tokens: of the account.

    Args:
        session: how the network is reached: proxies, certificates. It is not used itself.
        pool_size: requests under way at a time, and connections kept. As many as Nameko has workers by
            default; Salesforce lets 25 requests of an org (5 of a trial) take longer than 20 s.
        connect_timeout: seconds for a TCP connection.
        request_timeout: seconds from the first to the last byte of one request, and as many again that it may
            wait for others to end. A `timeout=` that comes with a call takes the place of the former, and of
            `connect_timeout`; of a pair, for connecting and reading, the sum is the limit on the whole.
        answer_limit: bytes of an answer, packed and unpacked. Of a refusal 1 MiB is kept at most.
    """

    def __init__(
        self,
        tokens: Tokens,
        session: requests.Session,
        *,
        pool_size: int = 10,
        connect_timeout: float = 10.0,
        request_timeout: float = 60.0,
        answer_limit: int = ANSWER_LIMIT,
    ) -> None:
        super().__init__()
        for name in self.__attrs__:
            setattr(self, name, getattr(session, name))
        self.headers = copy(session.headers)
        self.adapters = dict(self.adapters)
        # A .netrc would replace our Authorization, and variables would reroute a token.
        self.trust_env = False
        # No retries by the transport: it cannot know what Salesforce has done already.
        adapter = BoundedAdapter(pool_maxsize=pool_size, max_retries=0)
        self.mount('https://', adapter)
        self.mount('http://', adapter)
        self.tokens = tokens
        self.pool_size = pool_size
        self.connect_timeout = connect_timeout
        self.request_timeout = request_timeout
        self.answer_limit = answer_limit
        # What `read_body` can unpack.
        self.headers['Accept-Encoding'] = 'gzip, deflate'
        self._slots = Semaphore(pool_size)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send it with the current token; once more with another one if that token has expired.

        Raises:
            LoginError: there is no token to be had.
            AnswerTooLong: Salesforce has acted on the request, and its answer was not kept.
            requests.exceptions.RequestException: no answer, or not in time; whether Salesforce has acted on
                the request is then unknown, but for `NoConnectionFree`.
        """
        token, response = self._send(request, kwargs)
        if _expired(response):
            # Also if the request cannot be repeated: the next one shall not meet the same refusal.
            self.tokens.renew(token)
            if _rewound(request):
                response.close()
                _, response = self._send(request, kwargs)
        return response

    def _send(
        self, request: requests.PreparedRequest, kwargs: dict[str, Any]
    ) -> tuple[Token, requests.Response]:
        """Send it once; the token that it had, and the answer."""
        timeout, total = self._limits(kwargs.get('timeout'))
        streamed = kwargs.get('stream')
        # A redirect would carry the token to whoever is named; Salesforce does not redirect API requests.
        kwargs = {**kwargs, 'timeout': timeout, 'allow_redirects': False, 'stream': True}
        with self._slot(request):
            # Not before: of fifty that wait, only those under way may meet the refusal of an expired token.
            token = self.tokens.get()
            addressed = _addressed(request, token)
            try:
                with _in_time(total, addressed):
                    response = super().send(addressed, **kwargs)
                    self._forget_cookies()
                    if not streamed or response.status_code >= 400:
                        read_body(response, self.answer_limit)
                        _hide_token(response, token)
                    return token, response
            except requests.exceptions.RequestException as error:
                told = in_words(error)
                told.request = _without_token(addressed)
                if told is error:
                    raise
                raise told from None

    def _forget_cookies(self) -> None:
        """All of them where they are too many: with their header every request would be refused."""
        if sum(len(each.name) + len(each.value or '') for each in self.cookies) > COOKIE_LIMIT:
            self.cookies.clear()

    def get_redirect_target(self, response: requests.Response) -> None:
        """None: requests would read the body of an answer that points elsewhere."""

    def _limits(self, given: Any) -> tuple[tuple[float, float], float]:
        """Connect and read timeout; timeout of the whole."""
        if given is None:
            return (self.connect_timeout, self.request_timeout), self.request_timeout
        # Neither sockets nor the hub can wait for any time.
        if not isinstance(given, tuple):
            given = min(given, LONGEST_WAIT)
            return (given, given), given
        connect, read = given
        connect = self.connect_timeout if connect is None else min(connect, LONGEST_WAIT)
        read = self.request_timeout if read is None else min(read, LONGEST_WAIT)
        return (connect, read), connect + read

    @contextmanager
    def _slot(self, request: requests.PreparedRequest) -> Iterator[None]:
        if not self._slots.acquire(timeout=self.request_timeout):
            raise NoConnectionFree(
                f'not sent: {self.pool_size} other requests (POOL_SIZE)'
                f' were under way for {self.request_timeout:g} s',
                request=request,
            )
        try:
            yield
        finally:
            self._slots.release()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError('a session of an account holds its token and cannot be copied or pickled')


@contextmanager
def _in_time(seconds: float, request: requests.PreparedRequest) -> Iterator[None]:
    # Timeouts of sockets begin anew with each piece that arrives, and none of them covers DNS.
    with eventlet.Timeout(seconds) as limit:
        try:
            yield
        except eventlet.Timeout as expired:
            if expired is not limit:
                raise
            raise requests.exceptions.ReadTimeout(
                f'no whole answer of {urlsplit(request.url or "").netloc} within {seconds:g} s',
                request=request,
            ) from None


# --- the token in a request ---------------------------------------------------------------------

# simple-salesforce's Metadata API puts the token into the body.
_SOAP_SESSION = re.compile(rb'(<(?:\w+:)?sessionId>)[^<]*(</)')


def _addressed(request: requests.PreparedRequest, token: Token) -> requests.PreparedRequest:
    """The request for the token's org, with the token where the original has one."""
    addressed = request.copy()
    org = urlsplit(token.instance_url)
    meant = urlsplit(request.url or '')
    path, query = meant.path, meant.query
    if (meant.scheme, meant.hostname) != (org.scheme, org.hostname):
        # They were chosen for another host: that of the former token, say.
        addressed.headers.pop('Cookie', None)
    addressed.url = urlunsplit((org.scheme, org.netloc, path, query, ''))
    # The Bulk API knows its own header alone.
    if 'X-SFDC-Session' in addressed.headers:
        addressed.headers['X-SFDC-Session'] = token.access_token
    if 'Authorization' in addressed.headers or 'X-SFDC-Session' not in addressed.headers:
        addressed.headers['Authorization'] = f'Bearer {token.access_token}'
    if path.startswith('/services/Soap/'):
        _put_into_soap(addressed, token)
    return addressed


def _without_token(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as an exception may carry it to logs and reporters of errors."""
    told = request.copy()
    for name in ('Authorization', 'X-SFDC-Session', 'Cookie'):
        if name in told.headers:
            told.headers[name] = '***'
    if urlsplit(told.url or '').path.startswith('/services/Soap/'):
        told.body = None
    return told


def _hide_token(response: requests.Response, token: Token) -> None:
    """Take it out of a page of error: some gateways repeat a request, and exceptions an answer."""
    secret = token.access_token.encode()
    if response.status_code >= 300 and secret in response.content:
        response._content = response.content.replace(secret, b'***')
    if token.access_token in (response.reason or ''):
        response.reason = response.reason.replace(token.access_token, '***')


def _put_into_soap(request: requests.PreparedRequest, token: Token) -> None:
    body = request.body.encode() if isinstance(request.body, str) else request.body
    if isinstance(body, bytes):
        secret = token.access_token.encode()
        request.body = _SOAP_SESSION.sub(lambda found: found[1] + secret + found[2], body, count=1)
        request.headers['Content-Length'] = str(len(request.body))


def _rewound(request: requests.PreparedRequest) -> bool:
    """Whether the request can be sent again as it was; a body from a file is put back to its beginning."""
    body: object = request.body
    if body is None or isinstance(body, str | bytes):
        return True
    try:
        rewind_body(request)
    except requests.exceptions.UnrewindableBodyError:
        return False
    return True


# --- what a refusal means -----------------------------------------------------------------------

# One test per row. Each of these comes before anything is executed.
_EXPIRED: dict[int, Callable[[requests.Response], bool]] = {
    # Bulk API: apache/camel#826, heroku/salesforce-bulk#44; JSON or XML as the request was.
    400: lambda response: b'InvalidSessionId' in _field(response.content, b'exceptionCode'),
    401: lambda response: _names_expired_session(response),
    # userinfo and identity; Salesforce Help, "Identity URLs".
    403: lambda response: response.content.strip() == b'Bad_OAuth_Token',
    # SOAP.
    500: lambda response: b'INVALID_SESSION_ID' in _field(response.content, b'faultcode'),
}

# The token is good, but not for this: a new login gives another one of the same kind.
_WRONG_SCOPE = 'This session is not valid for use with'


def _expired(response: requests.Response) -> bool:
    """Whether the answer says that the token is no longer valid, which another one would cure."""
    says = _EXPIRED.get(response.status_code)
    return says is not None and says(response)


def _names_expired_session(response: requests.Response) -> bool:
    # Others of this status (INVALID_OPERATION_WITH_EXPIRED_PASSWORD, INVALID_AUTH_HEADER) stay as they are.
    try:
        problems = json.loads(response.content)
    except (ValueError, RecursionError):
        return _xml_names_expired_session(response.content)
    return isinstance(problems, list) and any(
        isinstance(problem, dict)
        and problem.get('errorCode') == 'INVALID_SESSION_ID'
        and not str(problem.get('message')).startswith(_WRONG_SCOPE)
        for problem in problems
    )


def _xml_names_expired_session(body: bytes) -> bool:
    # REST answers in XML where the request asked for it: <Errors><Error><errorCode>...
    return (
        body.lstrip().startswith(b'<')
        and _field(body, b'errorCode') == b'INVALID_SESSION_ID'
        and not _field(body, b'message').startswith(_WRONG_SCOPE.encode())
    )


def _field(body: bytes, name: bytes) -> bytes:
    """The text of a field of a small XML or JSON document, b'' if it has none."""
    found = re.search(rb'\b' + name + rb'(?:>|"\s*:\s*")([^<"]*)', body)
    return found[1] if found else b''
