"""What the org refuses, as REST says it: status, code, text and the fields at fault. Pure.

Texts are Salesforce's where they are known; clients are meant to look at the code.
"""

from collections.abc import Iterable

__all__ = ['OrgError', 'deleted', 'invalid_field', 'malformed_query', 'no_resource']


class OrgError(Exception):
    """The org refuses a request; nothing was changed.

    Attributes:
        status: HTTP status, 300 to 499.
        code: `errorCode` of the reply, e.g. `INVALID_FIELD`.
        message: text for people.
        fields: names of the fields at fault, in the org's spelling; often none.
    """

    def __init__(self, code: str, message: str, fields: Iterable[str] = (), *, status: int = 400) -> None:
        super().__init__(f'{code}: {message}')
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)


def invalid_field(message: str, *fields: str) -> OrgError:
    """A field does not exist, or its value cannot be."""
    return OrgError('INVALID_FIELD', message, fields)


def malformed_query(message: str) -> OrgError:
    """Text that is no query."""
    return OrgError('MALFORMED_QUERY', message)


def no_resource() -> OrgError:
    """The object or the record is not there."""
    return OrgError('NOT_FOUND', 'The requested resource does not exist', status=404)


def deleted() -> OrgError:
    """The record is in the recycle bin."""
    return OrgError('ENTITY_IS_DELETED', 'entity is deleted', status=404)
