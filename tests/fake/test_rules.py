import pytest
from fake_salesforce.rules import OpenRules


@pytest.mark.parametrize('authorization', ['Bearer anything', 'OAuth other'])
def test_without_an_org_everybody_with_a_token_is_one_user(authorization):
    assert OpenRules().user_of(authorization, 0.0) == '005000000000001AAA'


@pytest.mark.parametrize('authorization', [None, '', 'Bearer', 'Bearer ', 'Basic x'])
def test_without_a_token_one_is_nobody(authorization):
    assert OpenRules().user_of(authorization, 0.0) is None


def test_without_an_org_every_channel_exists():
    assert OpenRules().topic_problem('/topic/Anything', ('Field',)) is None
