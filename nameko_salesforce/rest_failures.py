"""What the exceptions of simple-salesforce and requests say, in words. Floor 3.

Decides whether another try can help. Texts hold Salesforce's words or the system's reason, never a header
and never a URL, which holds queries.
"""

import re
from collections.abc import Iterator
from typing import Any

import requests
from simple_salesforce.exceptions import SalesforceError

__all__ = ['codes_of', 'is_temporary', 'words_of']

# Characters of a text that is not Salesforce's own.
_LIMIT = 200

_UNPRINTABLE = re.compile(r'[^\x20-\x7e\xa1-\uffff]+')

# Of statuses that otherwise stay what they are. Source: REST API Developer Guide, "Status Codes and Error
# Responses"; SOAP API Developer Guide, "Core Data Types", ExceptionCode and StatusCode.
_TEMPORARY_CODES = frozenset(
    [
        'QUERY_TIMEOUT',
        'REQUEST_LIMIT_EXCEEDED',
        'SERVER_UNAVAILABLE',
        'UNABLE_TO_LOCK_ROW',
        'UNKNOWN_EXCEPTION',
    ]
)


def codes_of(error: SalesforceError) -> list[str]:
    """The error codes of an answer: ['INVALID_FIELD']."""
    return [str(problem.get('errorCode')) for problem in _problems(error)]


def words_of(error: SalesforceError | requests.RequestException) -> str:
    """What an answer said, or why there was none."""
    if isinstance(error, SalesforceError):
        said = '; '.join(f'{each.get("errorCode")}: {each.get("message")}' for each in _problems(error))
        return said or f'HTTP status {error.status}'
    root = _root(error)
    return _UNPRINTABLE.sub(' ', f'{type(root).__name__}: {root}')[:_LIMIT]


def is_temporary(error: SalesforceError | requests.RequestException) -> bool:
    """Whether another try can help without anybody changing anything."""
    if not isinstance(error, SalesforceError):
        return True
    if error.status >= 500 or error.status in (401, 408, 429):
        # 401: after a new login; the next one may find the user in order again.
        return True
    return not _TEMPORARY_CODES.isdisjoint(codes_of(error))


def _problems(error: SalesforceError) -> Iterator[dict[str, Any]]:
    content: Any = error.content
    if isinstance(content, list):
        yield from (each for each in content if isinstance(each, dict))


def _root(error: BaseException) -> BaseException:
    """What the system said: requests and urllib3 wrap it three times, each with the whole URL."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
