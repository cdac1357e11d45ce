"""What objects look like, as `describe` tells: the documented shape, as far as clients read it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from .records import Row
from .schema import Field, Kind, Schema, SObject, plural_of
from .values import FieldType, rest_json

__all__ = ['describe', 'describe_global']

_SOAP_TYPES = {
    FieldType.ID: 'tns:ID',
    FieldType.REFERENCE: 'tns:ID',
    FieldType.BOOLEAN: 'xsd:boolean',
    FieldType.INT: 'xsd:int',
    FieldType.DOUBLE: 'xsd:double',
    FieldType.CURRENCY: 'xsd:double',
    FieldType.DATE: 'xsd:date',
    FieldType.DATETIME: 'xsd:dateTime',
}


def describe_global(schema: Schema, api_version: str) -> dict[str, Any]:
    """All objects in brief."""
    return {
        'encoding': 'UTF-8',
        'maxBatchSize': 200,
        'sobjects': [_brief(each, api_version) for each in schema],
    }


def describe(sobject: SObject, record_types: Iterable[Row], api_version: str) -> dict[str, Any]:
    """One object with its fields.

    Args:
        record_types: those of this object.
    """
    return {
        **_brief(sobject, api_version),
        'fields': [_field(each, sobject) for each in sobject.fields.values()],
        'recordTypeInfos': [_record_type(each) for each in record_types],
        'childRelationships': [],
    }


def _brief(sobject: SObject, api_version: str) -> dict[str, Any]:
    url = f'/services/data/v{api_version}/sobjects/{sobject.name}'
    stored = sobject.kind is not Kind.EVENT
    urls = {'sobject': url, 'describe': f'{url}/describe', 'rowTemplate': f'{url}/{{ID}}'}
    return {
        'name': sobject.name,
        'label': sobject.label,
        'labelPlural': plural_of(sobject.label),
        'keyPrefix': sobject.prefix,
        'custom': sobject.kind is not Kind.STANDARD,
        'createable': sobject.writable,
        'updateable': sobject.writable and stored,
        'deletable': sobject.writable and stored,
        'undeletable': sobject.writable and stored,
        'queryable': stored,
        'retrieveable': stored,
        'urls': urls,
    }


def _field(field: Field, sobject: SObject) -> dict[str, Any]:
    choices = [{'value': each, 'label': each, 'active': True} for each in field.choices]
    return {
        'name': field.name,
        'label': field.label,
        'type': field.type.value,
        'soapType': _SOAP_TYPES.get(field.type, 'xsd:string'),
        'length': 18 if field.type.is_id else field.length,
        'custom': field.custom,
        'nameField': field.name == sobject.name_field,
        'nillable': not field.required and field.type not in (FieldType.ID, FieldType.BOOLEAN),
        'createable': field.writable,
        'updateable': field.writable,
        'defaultedOnCreate': field.default is not None or not field.writable,
        'defaultValue': rest_json(field.default),
        'unique': field.unique,
        'externalId': field.external_id,
        'idLookup': field.external_id or field.type is FieldType.ID,
        'autoNumber': field.auto_number,
        'filterable': field.type is not FieldType.TEXTAREA,
        'sortable': field.type is not FieldType.TEXTAREA,
        'restrictedPicklist': bool(field.choices),
        'picklistValues': choices,
        'referenceTo': list(field.references),
        'relationshipName': field.relationship,
    }


def _record_type(row: Row) -> Mapping[str, Any]:
    return {
        'recordTypeId': row['Id'],
        'name': row['Name'],
        'developerName': row['DeveloperName'],
        'active': row['IsActive'],
        'available': row['IsActive'],
        'defaultRecordTypeMapping': False,
        'master': False,
    }
