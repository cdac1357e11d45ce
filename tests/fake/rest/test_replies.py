"""Answers as values."""

import json

from fake_salesforce.replies import JSON_TYPE, error_list, json_reply


def test_an_error_is_a_list_with_one_object():
    reply = error_list(400, 'INVALID_FIELD', 'no such column', fields=['Query'])
    assert (reply.status, reply.error, reply.headers) == (400, 'INVALID_FIELD', {'Content-Type': JSON_TYPE})
    (error,) = json.loads(reply.body)
    assert error == {'message': 'no such column', 'errorCode': 'INVALID_FIELD', 'fields': ['Query']}


def test_a_success_has_no_error_and_may_have_headers():
    reply = json_reply(201, {'id': '003'}, headers={'Location': '/x'})
    assert (reply.status, reply.body, reply.error) == (201, b'{"id":"003"}', None)
    assert reply.headers == {'Location': '/x', 'Content-Type': JSON_TYPE}
