"""Change data capture: the event of a write, and what takes its place when it cannot be told. Pure.

Source: Change Data Capture guide, "Change Event Message Structure", "Get Compound Fields in Change Events",
"Gap Events", "Overflow Events".
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .moments import milliseconds
from .records import Row, changed_fields
from .schema import Field, SObject
from .values import event_json

__all__ = ['NO_RECORD', 'Transaction', 'change', 'gap', 'rest_origin', 'schema_id']

# Stands for all records in an overflow event; it is the id of none.
NO_RECORD = '000000000000000AAA'

# Not in change events: the id is in the header, the others are left out (guide, "Change Event Fields").
_LEFT_OUT = {'Id', 'IsDeleted', 'SystemModstamp'}


@dataclass(frozen=True, slots=True)
class Transaction:
    """One write, as its events tell of it.

    Attributes:
        key: unique, the same for all events of a transaction.
        number: grows from transaction to transaction.
        moment: when it was committed.
        user_id: who wrote.
        origin: through which API; empty for what came from elsewhere.
    """

    key: str
    number: int
    moment: datetime
    user_id: str
    origin: str


def change(
    sobject: SObject, change_type: str, transaction: Transaction, *, old: Row, new: Row
) -> dict[str, Any]:
    """The change event of a write.

    Args:
        change_type: `CREATE`, `UPDATE`, `DELETE` or `UNDELETE`.
        old, new: the record before and after; the same where only one is.
    Returns:
        `data` of the event, without its replay id.
    """
    fields: list[str] = []
    changed: list[str] | None = None
    if change_type == 'UPDATE':
        # The date goes along even if two writes fell into one millisecond.
        names = {*changed_fields(old, new), 'LastModifiedDate'} - _LEFT_OUT
        fields = [name for name in new if name in names]
        changed = [_changed_name(sobject, name) for name in fields if not _is_compound(sobject, name)]
    elif change_type != 'DELETE':
        fields = [name for name, value in new.items() if value is not None and name not in _LEFT_OUT]
    header = _header(sobject, change_type, [str(new['Id'])], transaction, changed)
    return _data(sobject, header, _body(sobject, fields, new))


def gap(
    sobject: SObject, change_type: str, record_ids: Sequence[str], transaction: Transaction
) -> dict[str, Any]:
    """A gap or overflow event: a header and no fields.

    Args:
        change_type: `GAP_CREATE`, `GAP_UPDATE`, `GAP_DELETE`, `GAP_UNDELETE` or `GAP_OVERFLOW`.
        record_ids: which records changed; `[NO_RECORD]` for an overflow.
    """
    return _data(sobject, _header(sobject, change_type, record_ids, transaction, None), {})


def schema_id(name: str, fields: Iterable[Field]) -> str:
    """Id of the shape of an event, 22 characters; another one when a field is added."""
    shape = ' '.join([name, *(f'{each.name}:{each.type.value}' for each in fields)])
    digest = hashlib.md5(shape.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip('=')


def _header(
    sobject: SObject,
    change_type: str,
    record_ids: Sequence[str],
    transaction: Transaction,
    changed: list[str] | None,
) -> dict[str, Any]:
    header = {
        'entityName': sobject.name,
        'recordIds': list(record_ids),
        'changeType': change_type,
        'changeOrigin': transaction.origin,
        'transactionKey': transaction.key,
        'sequenceNumber': 1,  # one record is written at a time
        'commitTimestamp': milliseconds(transaction.moment),
        'commitNumber': transaction.number,
        'commitUser': transaction.user_id,
    }
    return header if changed is None else {**header, 'changedFields': changed}


def _data(sobject: SObject, header: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    schema = schema_id(sobject.change_event, sobject.fields.values())
    return {'schema': schema, 'payload': {'ChangeEventHeader': header, **body}, 'event': {}}


def _body(sobject: SObject, fields: Iterable[str], row: Row) -> dict[str, Any]:
    """The fields; parts of a name are in an object of their own."""
    body: dict[str, Any] = {}
    for name in fields:
        if name in sobject.name_parts:
            body.setdefault('Name', {})[name] = event_json(row[name])
        elif not _is_compound(sobject, name):
            body[name] = event_json(row[name])
    return body


def _is_compound(sobject: SObject, name: str) -> bool:
    return name == 'Name' and bool(sobject.name_parts)


def _changed_name(sobject: SObject, name: str) -> str:
    return f'Name.{name}' if name in sobject.name_parts else name


def rest_origin(api_version: str) -> str:
    """Origin of a write over REST."""
    return f'com/salesforce/api/rest/{api_version}'
