"""Events of any shape between good ones: each is kept or told, and the service lives on."""

import json

import pytest

from tests.integration.printers import Store, ids, publish, service
from tests.integration.wild_proxy import WildProxy

# As JSON, the data of events; what the event service of an org never sends, and a bug of tomorrow may.
WILD = {
    'null': 'null',
    'a text': '"printer"',
    'a number': '1' + '0' * 400,
    'no number': 'NaN',
    'a list': '[1, 2]',
    'nothing': '{}',
    'a lone surrogate': r'{"payload": {"Printer_Model__c": "\ud800"}, "event": {"replayId": "\ud800"}}',
    'keys twice': '{"payload": 1, "payload": {}, "event": [], "event": {"replayId": 7, "replayId": 8}}',
    'no event': '{"payload": {"Printer_Model__c": "x"}}',
    'an event that is a list': '{"payload": {"Printer_Model__c": "x"}, "event": []}',
    'an event that is a text': '{"payload": {"Printer_Model__c": "x"}, "event": "replayId"}',
    'no payload': '{"event": {"replayId": 2}}',
    'a payload that is a text': '{"payload": "Printer_Model__c", "event": {"replayId": 3}}',
    'a replay id that is true': '{"payload": {}, "event": {"replayId": true}}',
    'a replay id that is null': '{"payload": {}, "event": {"replayId": null}}',
    'a replay id that is a fraction': '{"payload": {}, "event": {"replayId": 1.5}}',
    'a replay id that is an object': '{"payload": {}, "event": {"replayId": {"a": 1}}}',
    'a replay id that is huge': '{"payload": {}, "event": {"replayId": 1' + '0' * 400 + '}}',
    'a replay id that is long': '{"payload": {}, "event": {"replayId": "' + 'x' * 5000 + '"}}',
    'dates that are none': '{"payload": {"CreatedDate": []}, "event": {"replayId": 5, "createdDate": {}}}',
    'a header that is a list': '{"payload": {"ChangeEventHeader": [1]}, "event": {"replayId": 6}}',
    'records that are none': '{"payload": {"ChangeEventHeader": {"recordIds": 1, "commitTimestamp": 1e400}}}',
    'a megabyte': '{"payload": {"Printer_Model__c": "' + 'x' * 2**20 + '"}, "event": {"replayId": 9}}',
    'depth': '{"payload": ' + '[' * 200 + ']' * 200 + ', "event": {"replayId": 10}}',
}
# These are no JSON that can be decoded, and are passed over with a word.
UNREADABLE = {
    'great depth': '[' * 100_000 + ']' * 100_000,
    'a number of 5,000 digits': '1' * 5000,
}


@pytest.fixture
def uri(redis_process):
    with redis_process.client() as client:
        client.flushall()
    return redis_process.uri


@pytest.fixture
def proxy():
    """Changes the event `number` into the one of that number."""
    shapes = [*WILD.values(), *UNREADABLE.values()]

    def change(message):
        found = json.loads(message)
        payload = found.get('data', {}).get('payload', {})
        name, _, number = str(payload.get('Printer_Model__c')).partition(' ')
        if name != 'wild':
            return message
        return f'{{"channel": "{found["channel"]}", "data": {shapes[int(number)]}}}'

    proxy = WildProxy(change)
    yield proxy
    proxy.close()


def test_what_is_wild_is_told_and_kept_and_no_good_event_is_lost(org, uri, proxy):
    org.log.expect_error('for good, after 1 attempts|cannot be given to|error handling worker|was skipped')
    kind, handled = service(attempts=1)
    first = org.run(kind, REPLAY_STORE_URI=uri, PROXY=proxy.url)
    publish(org, 0)
    for number in range(len(WILD) + len(UNREADABLE)):
        publish(org, f'wild {number}', number + 1)
    good = list(range(len(WILD) + len(UNREADABLE) + 1))
    org.until('all good ones', lambda: len(handled) >= len(good))
    assert handled == good
    store = Store(org, uri)
    org.until('a letter of each that could be read', lambda: len(store.letters()) == len(WILD))
    assert len(org.log.lines('was skipped')) == len(UNREADABLE)
    org.until('the position behind all of them', lambda: store.id() == ids(org)[-1])
    first.end('stop')
    # The next process meets none of them again.
    org.run(kind, REPLAY_STORE_URI=uri, PROXY=proxy.url)
    publish(org, len(good))
    org.until('a new one', lambda: len(handled) > len(good))
    assert handled == [*good, len(good)]
    assert len(store.letters()) == len(WILD)
