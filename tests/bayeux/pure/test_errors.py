"""Errors say what happened, to people and to programs."""

from nameko_salesforce.bayeux import errors


def test_a_refusal_names_channel_and_reason():
    refused = errors.SubscriptionRefused('/a', '403:x:no')
    assert (refused.channel, refused.reason, str(refused)) == ('/a', '403:x:no', '/a: 403:x:no')
