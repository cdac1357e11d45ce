"""What is said of how an attempt ended: values that logs and dead letters show."""

import pytest

from nameko_salesforce.bayeux.outcomes import Ended, Failed


@pytest.mark.parametrize('ended', Ended)
def test_each_way_to_end_says_in_words_what_happened(ended):
    assert len(ended.value) > 0
    assert ended.value != ended.name


def test_ways_to_end_cannot_be_confused_with_each_other():
    assert len({each.value for each in Ended}) == len(Ended) == 4


def test_a_failure_holds_the_very_exception():
    error = ValueError('no')
    assert Failed(error).error is error


def test_a_failure_is_told_from_all_other_ways_to_end():
    assert not any(isinstance(each, Failed) for each in Ended)
    assert Failed(ValueError()) not in list(Ended)
