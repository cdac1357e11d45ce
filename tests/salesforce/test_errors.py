"""Errors say what happened and what next, and can be copied and sent."""

import copy
import json
import pickle

import pytest
from nameko.exceptions import serialize

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.errors import (
    DeclarationError,
    LoginFailed,
    LoginPostponed,
    LoginRefused,
    StreamRefused,
)

EXAMPLES = [
    (LoginRefused('INVALID_LOGIN', 'no', 60.0), 'login refused: INVALID_LOGIN: no'),
    (LoginFailed(Failure(FailureKind.DNS, 'acme'), 2.0), 'login failed: host name not resolved: acme'),
    (LoginPostponed('login refused: X: no', 59.6), 'no login for another 60 s: login refused: X: no'),
    (DeclarationError('Topic', 'INVALID_FIELD: no'), 'PushTopic Topic: INVALID_FIELD: no'),
    (StreamRefused('/topic/Topic', '403::no'), '/topic/Topic is refused: 403::no'),
]


@pytest.mark.parametrize(('error', 'said'), EXAMPLES, ids=lambda each: type(each).__name__)
def test_an_error_says_what_happened(error, said):
    assert str(error) == said


@pytest.mark.parametrize('duplicate', [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize('error', [error for error, _ in EXAMPLES], ids=lambda each: type(each).__name__)
def test_an_error_can_be_copied_and_sent(error, duplicate):
    other = duplicate(error)
    assert type(other) is type(error)
    assert (other.args, vars(other), str(other)) == (error.args, vars(error), str(error))


@pytest.mark.parametrize(('error', 'said'), EXAMPLES, ids=lambda each: type(each).__name__)
def test_a_caller_by_rpc_is_told_what_happened(error, said):
    sent = json.loads(json.dumps(serialize(error)))
    assert (sent['exc_type'], sent['value']) == (type(error).__name__, said)
