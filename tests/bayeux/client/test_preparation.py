"""The seam for what comes from outside: its default, and how a failure travels."""

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.preparation import NoPreparation, PreparationFailed, Prepared


def test_nothing_is_needed_by_default():
    assert NoPreparation().prepare(login=True) == Prepared(url=None, ext=None)
    assert NoPreparation().prepare_channel('/a', refusal='no') is None


def test_a_failed_preparation_says_what_failed_in_words_and_as_a_value():
    failure = Failure(FailureKind.TIMEOUT, 'login')
    assert str(PreparationFailed(failure)) == 'answer took too long: login'
    assert PreparationFailed(failure).failure is failure
    assert str(PreparationFailed('401::Authentication invalid')) == '401::Authentication invalid'
