"""Whatever bytes a server answers with, an exchange ends in time, with messages or one failure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.decoder import MessageDecoder, Unkept
from nameko_salesforce.bayeux.failures import Failure
from nameko_salesforce.bayeux.messages import parse
from tests.bayeux.sockets.raw_server import Client, RawServer
from tests.fuzz.strategies import MESSAGES, MUTATIONS, mutated

GOOD = json.dumps(
    [
        {'channel': '/a', 'data': {'text': 'Zażółć \ud83d\udc22', 'n': [1, 2.5, None]}},
        {'channel': '/meta/connect', 'id': '1', 'successful': True, 'advice': {'timeout': 1000}},
    ]
).encode()
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n'


@given(MUTATIONS, st.lists(st.integers(1, 40), max_size=8))
def test_any_body_in_any_pieces_gives_messages_that_can_be_read(mutations, cuts):
    body = mutated(GOOD, mutations)
    decoder, found = MessageDecoder(), []
    for cut in cuts:
        piece, body = body[:cut], body[cut:]
        found += decoder.feed(piece)
    found += decoder.feed(body)
    failure = decoder.close()
    assert failure is None or isinstance(failure, Failure)
    for each in found:
        assert isinstance(each, Unkept) or parse(each) is not None


@given(st.lists(MESSAGES, max_size=4))
def test_any_messages_are_read(messages):
    decoder = MessageDecoder()
    for each in decoder.feed(json.dumps(messages).encode()):
        assert isinstance(each, Unkept) or parse(each) is not None
    assert decoder.close() is None


@pytest.mark.parametrize('chunked', [False, True], ids=['length', 'chunked'])
def test_any_answer_ends_an_exchange(chunked):
    answers = []

    def script(peer):
        while True:
            try:
                peer.request()
            except (OSError, EOFError, ValueError, AssertionError):
                return
            peer.send(answers[-1])
            return

    server = RawServer(script)
    try:

        @given(MUTATIONS)
        def exchange(mutations):
            whole = CHUNKED % (len(GOOD), GOOD) if chunked else HEAD % len(GOOD) + GOOD
            answers.append(mutated(whole, mutations))
            client = Client(server.url, network_allowance=0.3)
            try:
                failure = client.exchange({'channel': '/meta/connect'}, read_timeout=0.3)
            finally:
                client.connection.close()
            assert failure is None or isinstance(failure, Failure)

        exchange()
    finally:
        server.close()
