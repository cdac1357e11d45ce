"""The objects that every org has, as far as streaming services meet them. Pure.

Source: Object Reference for Salesforce; a choice of the fields, with their real lengths.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .notation import read_field
from .schema import Field, Kind, Schema, SObject, label_of
from .values import FieldType

__all__ = ['custom_object', 'platform_event', 'standard_schema']

Notation = Mapping[str, Any]

_REQUIRED = {'type': 'text', 'required': True}
_NAME: Notation = {'FirstName': {'type': 'text', 'length': 40}, 'LastName': {**_REQUIRED, 'length': 80}}
_FULL_NAME: Notation = {'type': 'text', 'length': 121, 'read_only': True}
_OWNER: Notation = {'OwnerId': {'reference': 'User'}}
_RECORD_TYPE: Notation = {'RecordTypeId': {'reference': 'RecordType'}}

# Key prefix and fields; those that all objects share come on top.
_OBJECTS: Mapping[str, tuple[str, Notation]] = {
    'Account': (
        '001',
        {
            'Name': {**_REQUIRED, 'length': 255},
            'AccountNumber': {'type': 'text', 'length': 40},
            'Type': 'picklist',
            'Industry': 'picklist',
            'ParentId': {'reference': 'Account'},
            'Phone': 'phone',
            'Website': 'url',
            'BillingCity': {'type': 'text', 'length': 40},
            'BillingCountry': {'type': 'text', 'length': 80},
            'AnnualRevenue': 'currency',
            'NumberOfEmployees': 'int',
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Contact': (
        '003',
        {
            'AccountId': {'reference': 'Account'},
            'Salutation': 'picklist',
            **_NAME,
            'Name': _FULL_NAME,
            'Title': {'type': 'text', 'length': 128},
            'Department': {'type': 'text', 'length': 80},
            'Email': 'email',
            'Phone': 'phone',
            'MobilePhone': 'phone',
            'MailingCity': {'type': 'text', 'length': 40},
            'MailingCountry': {'type': 'text', 'length': 80},
            'Birthdate': 'date',
            'ReportsToId': {'reference': 'Contact'},
            'HasOptedOutOfEmail': 'boolean',
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Lead': (
        '00Q',
        {
            'Salutation': 'picklist',
            **_NAME,
            'Name': _FULL_NAME,
            'Company': {**_REQUIRED, 'length': 255},
            'Title': {'type': 'text', 'length': 128},
            'Email': 'email',
            'Phone': 'phone',
            'Status': {'type': 'picklist', 'default': 'Open - Not Contacted'},
            'LeadSource': 'picklist',
            'IsConverted': {'type': 'boolean', 'read_only': True},
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Opportunity': (
        '006',
        {
            'Name': {**_REQUIRED, 'length': 120},
            'AccountId': {'reference': 'Account'},
            'StageName': {'type': 'picklist', 'required': True},
            'CloseDate': {'type': 'date', 'required': True},
            'Amount': 'currency',
            'Probability': 'number',
            'Type': 'picklist',
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Case': (
        '500',
        {
            'CaseNumber': {'type': 'text', 'length': 30, 'read_only': True},
            'AccountId': {'reference': 'Account'},
            'ContactId': {'reference': 'Contact'},
            'Subject': 'text',
            'Status': {'type': 'picklist', 'default': 'New'},
            'Origin': 'picklist',
            'Priority': {'type': 'picklist', 'default': 'Medium'},
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Task': (
        '00T',
        {
            'Subject': 'text',
            'Status': {'type': 'picklist', 'default': 'Not Started'},
            'Priority': {'type': 'picklist', 'default': 'Normal'},
            'ActivityDate': 'date',
            'WhoId': {'reference': ['Contact', 'Lead']},
            'WhatId': {'reference': ['Account', 'Opportunity', 'Case', 'Campaign']},
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'Campaign': (
        '701',
        {
            'Name': {**_REQUIRED, 'length': 80},
            'Type': 'picklist',
            'Status': 'picklist',
            'StartDate': 'date',
            'EndDate': 'date',
            'IsActive': 'boolean',
            'Description': 'textarea',
            **_OWNER,
            **_RECORD_TYPE,
        },
    ),
    'User': (
        '005',
        {
            'Username': {**_REQUIRED, 'length': 80, 'unique': True},
            **_NAME,
            'Name': _FULL_NAME,
            'Email': 'email',
            'IsActive': {'type': 'boolean', 'default': True},
        },
    ),
    'Organization': (
        '00D',
        {'Name': {**_REQUIRED, 'length': 80}, 'OrganizationType': 'picklist', 'IsSandbox': 'boolean'},
    ),
    'RecordType': (
        '012',
        {
            'Name': {**_REQUIRED, 'length': 80},
            'DeveloperName': {**_REQUIRED, 'length': 80},
            'SobjectType': {'type': 'picklist', 'required': True},
            'IsActive': {'type': 'boolean', 'default': True},
            'Description': 'text',
        },
    ),
    'PushTopic': (
        '0IF',
        {
            'Name': {**_REQUIRED, 'length': 25, 'unique': True},
            'Query': {'type': 'textarea', 'length': 1300, 'required': True},
            'ApiVersion': {'type': 'number', 'required': True},
            'IsActive': {'type': 'boolean', 'default': True},
            'NotifyForFields': {
                'type': 'picklist',
                'default': 'Referenced',
                'choices': ['All', 'Referenced', 'Select', 'Where'],
            },
            'NotifyForOperations': {'type': 'picklist', 'read_only': True},
            'NotifyForOperationCreate': {'type': 'boolean', 'default': True},
            'NotifyForOperationUpdate': {'type': 'boolean', 'default': True},
            'NotifyForOperationDelete': {'type': 'boolean', 'default': True},
            'NotifyForOperationUndelete': {'type': 'boolean', 'default': True},
            'Description': {'type': 'text', 'length': 400},
        },
    ),
    'StreamingChannel': (
        '0M6',
        {'Name': {**_REQUIRED, 'length': 80, 'unique': True}, 'Description': 'text', **_OWNER},
    ),
}

# Those of the objects above that PushTopics may watch (Streaming API guide, "Supported Objects").
_TOPICS = {'Account', 'Campaign', 'Case', 'Contact', 'Lead', 'Opportunity', 'Task'}
# They change by the seed alone: whom an org lets in is none of a service's business.
_READ_ONLY = {'Organization', 'RecordType', 'User'}
_WITH_NAME_PARTS = {'Contact', 'Lead', 'User'}


def _read_only(name: str, type_: FieldType, label: str = '', **more: Any) -> Field:
    label = label or label_of(name)
    return Field(name=name, label=label, type=type_, writable=False, **more)


_SYSTEM = (
    _read_only('Id', FieldType.ID, 'Record ID'),
    _read_only('IsDeleted', FieldType.BOOLEAN, 'Deleted', default=False),
)
_AUDIT = (
    _read_only('CreatedDate', FieldType.DATETIME),
    _read_only('CreatedById', FieldType.REFERENCE, references=('User',)),
    _read_only('LastModifiedDate', FieldType.DATETIME),
    _read_only('LastModifiedById', FieldType.REFERENCE, references=('User',)),
    _read_only('SystemModstamp', FieldType.DATETIME),
)
# PushTopic fields of API 29.0 and later (object reference, "PushTopic").
_SINCE_29 = (
    'NotifyForOperationCreate',
    'NotifyForOperationUpdate',
    'NotifyForOperationDelete',
    'NotifyForOperationUndelete',
)


def standard_schema() -> Schema:
    """A schema of the standard objects."""
    return Schema(_standard_object(name, prefix, notation) for name, (prefix, notation) in _OBJECTS.items())


def custom_object(name: str, label: str, prefix: str, fields: list[Field], *, with_name: bool) -> SObject:
    """A custom object; its Name, if it has one, is a text of 80 characters."""
    own = [read_field('Name', {'type': 'text', 'length': 80})] if with_name else []
    own += [
        read_field('OwnerId', _OWNER['OwnerId']),
        read_field('RecordTypeId', _RECORD_TYPE['RecordTypeId']),
    ]
    return SObject(name, label, prefix, Kind.CUSTOM, _fields([*own, *fields]), topics=True)


def platform_event(name: str, label: str, prefix: str, fields: list[Field]) -> SObject:
    """A platform event: its fields, and what the event bus adds."""
    bus = (*_AUDIT[:2], _read_only('EventUuid', FieldType.STRING))
    return SObject(name, label, prefix, Kind.EVENT, {each.name.lower(): each for each in (*bus, *fields)})


def _standard_object(name: str, prefix: str, notation: Notation) -> SObject:
    fields = [_special(read_field(each, value)) for each, value in notation.items()]
    return SObject(
        name,
        label_of(name),
        prefix,
        Kind.STANDARD,
        _fields(fields),
        writable=name not in _READ_ONLY,
        topics=name in _TOPICS,
        name_parts=('FirstName', 'LastName') if name in _WITH_NAME_PARTS else (),
    )


def _special(field: Field) -> Field:
    """What the notation has no words for."""
    if field.name in _SINCE_29:
        return replace(field, since=29.0)
    return replace(field, auto_number=True) if field.name == 'CaseNumber' else field


def _fields(own: list[Field]) -> Mapping[str, Field]:
    return {each.name.lower(): each for each in (_SYSTEM[0], *own, _SYSTEM[1], *_AUDIT)}
