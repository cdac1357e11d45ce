"""The process of a fake server, and its end."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from fake_salesforce.client import FakeServer, start_fake


def test_a_server_comes_back_on_the_same_port_without_its_sessions(raw_client):
    with start_fake('--profile', 'vanilla', timeout=7) as fake, raw_client(fake.url) as client:
        client.connected()
        url = fake.url
        fake.stop()
        assert not fake.running
        with pytest.raises(ConnectionRefusedError):
            client.post(client.connect_message())
        fake.start()
        fake.start()
        assert fake.url == url
        assert client.post(client.connect_message())[0]['error'] == '402::session_unknown'
        assert fake.settings()['timeout'] == 7.0
        fake.kill()
        fake.kill()
        fake.stop()
        assert not fake.running
        with pytest.raises(RuntimeError, match='does not run'):
            assert fake.pid


@pytest.mark.parametrize('end', ['stop', 'kill'])
def test_nobody_else_is_given_the_port_of_a_server_that_is_down(end):
    with start_fake('--profile', 'vanilla') as fake, socket.socket() as other:
        url, address = fake.url, ('127.0.0.1', urlsplit(fake.url).port)
        getattr(fake, end)()
        with pytest.raises(OSError, match='in use'):
            other.bind(address)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        fake.start()
        assert fake.url == url
        socket.create_connection(address).close()


def test_a_server_that_cannot_start_says_why():
    with pytest.raises(RuntimeError, match='(?s)did not start: .*nope: no such setting'), start_fake(nope=1):
        pass


def test_an_error_of_the_server_itself_is_reported_at_its_stop(fake_cometd):
    server = FakeServer()
    server.start()
    os.write(server._output.fileno(), b'Traceback (most recent call last): ...\n')
    with pytest.raises(RuntimeError, match='had an error of its own'):
        server.stop()


def test_the_server_dies_with_the_process_that_started_it():
    code = (
        'import os, signal; from fake_salesforce.client import FakeServer\n'
        'server = FakeServer(); server.start(); print(server.pid, flush=True)\n'
        'os.kill(os.getpid(), signal.SIGKILL)'
    )
    result = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, timeout=60)
    pid = int(result.stdout)
    ended = os.pidfd_open(pid) if os.path.exists(f'/proc/{pid}/stat') else None
    if ended is not None:
        import select

        try:
            assert select.select([ended], [], [], 10)[0], 'it lives on'
        finally:
            os.close(ended)
