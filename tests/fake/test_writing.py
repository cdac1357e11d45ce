"""Answers on the wire: whole, compressed, slow, broken off, or not at all."""

import asyncio
import gzip
import http.client
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from fake_salesforce.client import start_fake
from fake_salesforce.clock import Clock
from fake_salesforce.faults import Ending, FaultKind, Wire
from fake_salesforce.writing import Writer

HANDSHAKE = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}


def test_long_answers_are_compressed_on_request(raw_client):
    accepting = {'headers': {'Accept-Encoding': 'gzip'}}
    with start_fake('--profile', 'vanilla', '--gzip') as fake, raw_client(fake.url) as client:
        client.connected('/a')
        fake.publish('/a', 'x' * 10_000)
        response, content = client.exchange([client.connect_message()], **accepting)
        assert response.headers['Content-Encoding'] == 'gzip'
        assert len(content) < 1000
        assert json.loads(gzip.decompress(content))[0]['data'] == 'x' * 10_000
        fake.publish('/a', 'x' * 10_000)
        assert client.post(client.connect_message())[0]['data'] == 'x' * 10_000


def test_nothing_is_compressed_by_default(client):
    response, _ = client.exchange([HANDSHAKE], headers={'Accept-Encoding': 'gzip'})
    assert response.headers['Content-Encoding'] is None


def test_a_truncated_body_ends_before_its_promised_length(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.TRUNCATE, bytes=7)
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.exchange([HANDSHAKE])
    assert len(caught.value.partial) == 7


@pytest.mark.parametrize('status', [401, 403, 413, 500, 503])
def test_a_status_instead_of_an_answer(fake_cometd, client, status):
    fake_cometd.faults.add(FaultKind.STATUS, status=status, retry_after=3)
    response, _ = client.exchange([HANDSHAKE])
    assert (response.status, response.headers['Retry-After']) == (status, '3')
    assert fake_cometd.sessions() == []


def test_html_with_200(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.HTML)
    response, content = client.exchange([HANDSHAKE])
    assert (response.status, response.headers['Content-Type']) == (200, 'text/html;charset=UTF-8')
    assert content.startswith(b'<!DOCTYPE html>')


def test_an_empty_body_with_200_keeps_the_cookie(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.EMPTY)
    response, content = client.exchange([HANDSHAKE])
    assert (response.status, content, bool(client.cookies)) == (200, b'', True)


@pytest.mark.parametrize(('processed', 'sessions'), [(True, 1), (False, 0)])
def test_a_delay_takes_its_seconds_on_the_server_clock(fake_cometd, client, processed, sessions):
    fake_cometd.configure(max_interval=1e6)
    fake_cometd.faults.add(FaultKind.DELAY, seconds=5000, processed=processed)
    connection = client.begin([HANDSHAKE])
    fake_cometd.wait_for('fault')
    assert len(fake_cometd.sessions()) == sessions
    fake_cometd.advance(5000)
    assert client.end(connection)[0].status == 200


@pytest.mark.parametrize('kind', [FaultKind.GARBAGE, FaultKind.RESET])
def test_what_is_not_http(fake_cometd, client, kind):
    fake_cometd.faults.add(kind)
    with pytest.raises((http.client.BadStatusLine, ConnectionResetError)) as caught:
        client.exchange([HANDSHAKE])
    assert isinstance(caught.value, ConnectionResetError) is (kind is FaultKind.RESET)


def test_never_leaves_the_connection_open(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.NEVER)
    connection = client.begin([HANDSHAKE])
    fake_cometd.wait_for('answer')
    connection.sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.getresponse()


def test_a_drip_arrives_whole(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.DRIP, seconds=0.0005)
    assert client.post(HANDSHAKE)[0]['successful'] is True


def test_a_client_may_hang_up_during_a_drip(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.DRIP, seconds=1000)
    connection = client.begin([HANDSHAKE])
    fake_cometd.wait_for('answer')
    connection.close()
    assert client.post(HANDSHAKE)[0]['successful'] is True


@pytest.mark.parametrize('when', ['prepare', 'write'])
@pytest.mark.parametrize('wire', [{'pace': 0.001}, {'ending': Ending.CLOSED}])
def test_a_client_that_hung_up_just_before_is_no_error(monkeypatch, when, wire):
    async def broken(*_):
        raise ConnectionResetError('Cannot write to closing transport')

    async def story():
        request = make_mocked_request('POST', '/cometd')
        writer = Writer(gzip=False, speed=1.0)
        await writer.write(request, Clock(), Wire(200, b'[]', 2, **wire))

    monkeypatch.setattr(web.StreamResponse, when, broken)
    asyncio.run(story())
