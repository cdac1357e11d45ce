"""Requests to the APIs for data, as values."""

import pytest
from fake_salesforce.api_requests import ApiRequest, read_json, read_record
from fake_salesforce.org import OrgError

JSON = 'application/json'


def test_a_request_shows_no_token():
    assert 'hush' not in repr(ApiRequest('GET', '/', authorization='Bearer hush'))


def test_parts_of_a_path_are_decoded_one_by_one():
    request = ApiRequest('GET', '/v67.0/sobjects//Invoice__c/Key__c/A%2F1%20b/')
    assert request.parts == ['v67.0', 'sobjects', 'Invoice__c', 'Key__c', 'A/1 b']


def test_the_attributes_of_a_record_are_no_field():
    request = ApiRequest('POST', '/', body=b'{"attributes": {"type": "X"}, "Name": "a"}', content_type=JSON)
    assert read_json(request) == {'attributes': {'type': 'X'}, 'Name': 'a'}
    assert read_record(request) == {'Name': 'a'}


@pytest.mark.parametrize(
    ('body', 'kind', 'code'),
    [
        (b'', JSON, 'JSON_PARSER_ERROR'),
        (b'{', JSON, 'JSON_PARSER_ERROR'),
        (b'\xff', JSON, 'JSON_PARSER_ERROR'),
        (b'[' * 100_000, JSON, 'JSON_PARSER_ERROR'),
        (b'[]', JSON, 'JSON_PARSER_ERROR'),
        (b'{}', '', 'UNSUPPORTED_MEDIA_TYPE'),
        (b'{}', 'application/xml', 'UNSUPPORTED_MEDIA_TYPE'),
    ],
)
def test_what_is_no_record_is_refused(body, kind, code):
    with pytest.raises(OrgError) as refusal:
        read_record(ApiRequest('POST', '/', body=body, content_type=kind))
    assert refusal.value.code == code
