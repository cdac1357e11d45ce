import pytest
from fake_salesforce.filters import Filter, split


@pytest.mark.parametrize(
    ('subscription', 'channel', 'terms'),
    [
        ('/topic/X', '/topic/X', ()),
        ('/topic/X?', '/topic/X', ()),
        ('/topic/X?a=1', '/topic/X', (('a', '1'),)),
        ("/topic/X?a='b c'&d=e", '/topic/X', (('a', 'b c'), ('d', 'e'))),
        ("/topic/X?a='b&c=d'&e=f", '/topic/X', (('a', 'b&c=d'), ('e', 'f'))),
        ('/topic/X?a=b=c', '/topic/X', (('a', 'b=c'),)),
        ("/topic/X?a='", '/topic/X', (('a', "'"),)),
        ("/topic/X?a=''", '/topic/X', (('a', ''),)),
        ('/topic/X?a&&b=1', '/topic/X', (('a', ''), ('b', '1'))),
    ],
)
def test_a_subscription_is_a_channel_and_terms(subscription, channel, terms):
    assert split(subscription) == (channel, Filter(terms))


def test_the_fields_of_a_filter_are_named():
    assert split('/topic/X?a=1&b=2')[1].fields == ('a', 'b')


RECORD = {'sobject': {'Id': '001', 'Status__c': 'Open', 'Paid__c': False, 'Amount__c': 12, 'Note__c': None}}


@pytest.mark.parametrize(
    ('query', 'passes'),
    [
        ('', True),
        ('Status__c=Open', True),
        ("Status__c='Open'", True),
        ('status__c=Open', True),
        ('Status__c=open', False),
        ('Status__c=Shut', False),
        ('Status__c=Shut&Id=001', True),
        ('Paid__c=false', True),
        ('Paid__c=true', False),
        ('Amount__c=12', True),
        ('Note__c=null', True),
        ('Other__c=1', False),
    ],
)
def test_one_true_term_is_enough(query, passes):
    assert split(f'/topic/X?{query}')[1].lets_through(RECORD) is passes


def test_an_event_without_a_record_passes_no_filter():
    assert split('/topic/X?a=1')[1].lets_through({'payload': 'x'}) is False
    assert split('/topic/X')[1].lets_through({'payload': 'x'}) is True
