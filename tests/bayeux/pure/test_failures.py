"""How a failure reads in a log line."""

import pytest

from nameko_salesforce.bayeux.failures import Failure, FailureKind


def test_a_failure_says_its_kind_and_what_exactly():
    assert (
        str(Failure(FailureKind.STATUS, '503 Service Unavailable', 503))
        == 'HTTP status: 503 Service Unavailable'
    )


@pytest.mark.parametrize('kind', FailureKind)
def test_every_kind_can_stand_alone(kind):
    assert str(Failure(kind)) == kind.value
    assert len([each for each in FailureKind if each.value == kind.value]) == 1
