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


@pytest.mark.parametrize(
    ('failure', 'lost'),
    [
        (Failure(FailureKind.RESET), True),
        (Failure(FailureKind.TIMEOUT), True),
        (Failure(FailureKind.TRUNCATED), True),
        (Failure(FailureKind.MALFORMED), True),
        (Failure(FailureKind.WITHIN), True),
        (Failure(FailureKind.EMPTY), True),
        (Failure(FailureKind.STATUS, status=502), True),
        (Failure(FailureKind.STATUS), True),
        (Failure(FailureKind.STATUS, status=403), False),
        (Failure(FailureKind.CONNECT), False),
        (Failure(FailureKind.DNS), False),
        (Failure(FailureKind.NO_REPLY), False),
    ],
)
def test_only_an_answer_that_was_on_its_way_may_have_held_events(failure, lost):
    assert failure.may_hide_events is lost
