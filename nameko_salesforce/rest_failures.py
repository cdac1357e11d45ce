"""What the exceptions of simple-salesforce and requests say, in words. Floor 3.

Decides whether another try can help. Texts are one line, hold Salesforce's words or the system's reason,
never a header, and never a URL, which holds queries.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from simple_salesforce.exceptions import SalesforceError

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.refusals import PASSING_CODES
from nameko_salesforce.web import what_failed

__all__ = ['codes_of', 'is_temporary', 'words_of']

_CONNECTING = (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError)

# Characters of what is told.
_LONGEST = 500


def codes_of(error: SalesforceError) -> list[str]:
    """The error codes of an answer: ['INVALID_FIELD']."""
    return [code for code, _ in _problems(error) if code]


def words_of(error: SalesforceError | requests.RequestException) -> str:
    """What an answer said, or why there was none."""
    if isinstance(error, SalesforceError):
        said = '; '.join(': '.join(filter(None, each)) for each in _problems(error))
        # Salesforce draws arrows below queries.
        return ' '.join(said.split())[:_LONGEST] or f'HTTP status {error.status}'
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return str(Failure(FailureKind.NOT_JSON))
    if isinstance(error, requests.exceptions.InvalidHeader):
        # Its text holds the header.
        return str(Failure(FailureKind.REQUEST, 'a header cannot be sent'))
    chain = list(_chain(error))
    if len(chain) == 1:
        # Not from below requests: a limit of our session.
        return str(error)
    peer = urlsplit(getattr(error.request, 'url', None) or '').netloc
    return str(
        what_failed(chain[-1], connecting=any(isinstance(each, _CONNECTING) for each in chain), peer=peer)
    )


def is_temporary(error: SalesforceError | requests.RequestException) -> bool:
    """Whether another try can help without anybody changing anything."""
    if not isinstance(error, SalesforceError):
        return True
    if error.status >= 500 or error.status in (401, 408, 429):
        # 401: after a new login; the next one may find the user in order again.
        return True
    # Other statuses stay what they are.
    return not PASSING_CODES.isdisjoint(codes_of(error))


def _problems(error: SalesforceError) -> Iterator[tuple[str, str]]:
    """Code and message of each; what is no text is left out."""
    content: Any = error.content
    for each in content if isinstance(content, list) else ():
        if isinstance(each, dict):
            code, message = (
                value if isinstance(value, str) else ''
                for value in (each.get('errorCode'), each.get('message'))
            )
            if code or message:
                yield code, message


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made of: requests and urllib3 wrap the system's three times."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
