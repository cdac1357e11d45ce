"""The HTTP side over real sockets, with the standard library as the client."""

import http.client
import json
from urllib.parse import urlencode

import pytest
from fake_salesforce.faults import FaultKind

HANDSHAKE = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}


def held(fake, client, **fields):
    """A connect that the server holds; returns its connection."""
    before = len(fake.journal('held'))
    connection = client.begin([client.connect_message(**fields)])
    fake.wait_for('held', count=before + 1)
    return connection


# --- envelope ---------------------------------------------------------------------------------------


def test_a_service_at_work(fake_cometd, client):
    client.connected('/t/a')
    connection = held(fake_cometd, client, id='5')
    assert fake_cometd.publish('/t/a', {'n': 'ä'}) == 1
    response, content = client.end(connection)
    assert response.headers['Content-Type'] == 'application/json;charset=UTF-8'
    assert json.loads(content) == [
        {'channel': '/t/a', 'data': {'n': 'ä'}},
        {'channel': '/meta/connect', 'id': '5', 'successful': True},
    ]
    assert fake_cometd.violations() == []


@pytest.mark.parametrize('path', ['', '/', '/handshake', '/60.0', '/60.0/', '/60.0/handshake'])
def test_every_path_below_cometd_is_the_endpoint(client, path):
    assert client.post(HANDSHAKE, path=path)[0]['successful'] is True


def test_other_paths_are_404(client):
    assert client.exchange([HANDSHAKE], path='-other')[0].status == 404


@pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE', 'OPTIONS'])
def test_other_methods_are_400(client, method):
    response, content = client.exchange([HANDSHAKE], method=method)
    assert (response.status, content) == (400, b'Unknown Bayeux Transport')


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'{',
        b'\xff',
        b'[NaN]',
        b'{"data":1e999}',
        b'[' * 100_000,
        b'[' * 300 + b']' * 300,
        b'"text"',
        b'[1]',
    ],
)
def test_what_is_not_json_made_of_messages_is_400(fake_cometd, client, body):
    assert client.exchange(body)[0].status == 400


def test_an_unknown_charset_is_400(client):
    how = {'content_type': 'application/json;charset=nonsense'}
    assert client.exchange([HANDSHAKE], **how)[0].status == 400


@pytest.mark.parametrize('content_type', [None, 'text/plain', 'text/json'])
def test_a_wrong_content_type_is_500(client, content_type):
    assert client.exchange([HANDSHAKE], content_type=content_type)[0].status == 500


def test_an_empty_array_is_500_without_a_body(client):
    response, content = client.exchange([])
    assert (response.status, content) == (500, b'')


def test_a_bare_object_is_answered_with_an_array(client):
    assert json.loads(client.exchange(HANDSHAKE)[1])[0]['successful'] is True


def test_a_form_with_message_fields_is_a_request_too(client):
    client.connected()
    messages = [
        {'channel': '/a', 'clientId': client.client_id, 'data': 1, 'id': '1'},
        [{'channel': '/a', 'clientId': client.client_id, 'data': 1, 'id': '2'}],
    ]
    body = urlencode([('message', json.dumps(message)) for message in messages]).encode()
    response, content = client.exchange(body, content_type='application/x-www-form-urlencoded')
    assert [reply['id'] for reply in json.loads(content)] == ['1', '2']


def test_the_cookie_has_neither_domain_nor_secure(client):
    response, _ = client.exchange([HANDSHAKE])
    assert response.headers['Set-Cookie'].split('; ')[1:] == ['Path=/', 'HttpOnly']


def test_a_request_over_the_limit_of_salesforce_is_noted(fake_cometd, client):
    client.connected()
    client.post({'channel': '/a', 'clientId': client.client_id, 'data': 'x' * 33_000})
    assert fake_cometd.journal('violation')[0].detail['violation'] == 'large_request'


def test_connections_are_kept_alive(client):
    connection = client.begin([HANDSHAKE])
    client.end(connection)
    body, headers = json.dumps([HANDSHAKE]), {'Content-Type': 'application/json'}
    connection.request('POST', '/cometd', body, headers)
    assert connection.getresponse().read()


# --- held connects --------------------------------------------------------------------------------------


def test_a_held_connect_ends_with_its_time_on_the_server_clock(fake_cometd, client):
    client.connected()
    connection = held(fake_cometd, client)
    fake_cometd.advance(30.0)
    assert json.loads(client.end(connection)[1])[0]['successful'] is True


def test_a_short_hold_ends_by_itself(fake_cometd, client):
    client.connected()
    assert client.post(client.connect_message(advice={'timeout': 20}))[0]['successful'] is True
    assert fake_cometd.journal('held') != []


def test_an_overtaken_connect_is_500_without_a_body(fake_cometd, client):
    client.connected()
    first, second = held(fake_cometd, client), held(fake_cometd, client)
    response, content = client.end(first)
    assert (response.status, content) == (500, b'')
    fake_cometd.advance(30.0)
    assert client.end(second)[0].status == 200


def test_a_client_that_hangs_up_reaches_the_broker(fake_cometd, client):
    client.connected()
    held(fake_cometd, client).close()
    fake_cometd.wait_for('gone')
    assert fake_cometd.sessions()[0]['held'] is False
    fake_cometd.advance(10.1)
    assert fake_cometd.sessions() == []


def test_a_command_is_answered_while_a_connect_is_held(fake_cometd, client):
    client.connected()
    connection = held(fake_cometd, client)
    subscribe = {'channel': '/meta/subscribe', 'clientId': client.client_id, 'subscription': '/a'}
    assert client.post(subscribe)[0]['successful'] is True
    fake_cometd.disconnect_all()
    assert [one['channel'] for one in json.loads(client.end(connection)[1])] == [
        '/meta/disconnect',
        '/meta/connect',
    ]


def test_a_restart_breaks_held_connects(fake_cometd, client):
    client.connected()
    connection = held(fake_cometd, client)
    fake_cometd.restart()
    with pytest.raises(http.client.RemoteDisconnected):
        client.end(connection)
    assert client.post(client.connect_message())[0]['error'] == '402::session_unknown'


@pytest.mark.parametrize('kind', [None, FaultKind.NEVER, FaultKind.DELAY, FaultKind.DRIP])
def test_a_reset_leaves_nothing_under_way(fake_cometd, client, kind):
    client.connected()
    if kind is not None:
        fake_cometd.faults.add(kind, seconds=1000)
    connection = client.begin([client.connect_message()])
    fake_cometd.wait_for('held' if kind is None else 'fault')
    fake_cometd.reset()
    with pytest.raises((http.client.RemoteDisconnected, http.client.IncompleteRead)):
        client.end(connection)
    assert fake_cometd.journal() == []


# --- faults --------------------------------------------------------------------------------------------


def test_dropped_before_the_broker_saw_it(fake_cometd, client):
    client.connected('/a')
    fake_cometd.faults.add(FaultKind.DROP_BEFORE)
    with pytest.raises(http.client.RemoteDisconnected):
        client.post({'channel': '/a', 'clientId': client.client_id, 'data': 1})
    assert fake_cometd.journal('published') == []
    assert fake_cometd.faults.list()[0]['struck'] == 1


def test_dropped_after_the_broker_processed_it(fake_cometd, client):
    client.connected('/a')
    fake_cometd.faults.add(FaultKind.DROP_AFTER, channel='/a')
    with pytest.raises(http.client.RemoteDisconnected):
        client.post({'channel': '/a', 'clientId': client.client_id, 'data': 1})
    assert len(fake_cometd.journal('published')) == 1


def test_a_fault_strikes_a_held_connect_when_it_is_answered(fake_cometd, client):
    client.connected('/a')
    fake_cometd.faults.add(FaultKind.DROP_AFTER, channel='/meta/connect')
    connection = held(fake_cometd, client)
    fake_cometd.publish('/a', 1)
    with pytest.raises(http.client.RemoteDisconnected):
        client.end(connection)
    assert fake_cometd.sessions()[0]['queued'] == 0


@pytest.mark.parametrize('kind', FaultKind)
def test_the_server_works_on_after_every_fault(fake_cometd, client, kind):
    fake_cometd.faults.add(kind, seconds=0.0)
    connection = client.begin([HANDSHAKE])
    fake_cometd.wait_for('fault')
    connection.close()
    assert client.connected().client_id


def test_a_malformed_request_is_not_worth_a_fault(fake_cometd, client):
    fake_cometd.faults.add(FaultKind.HTML)
    assert client.exchange(b'{')[0].status == 400
    assert fake_cometd.faults.list()[0]['struck'] == 0
