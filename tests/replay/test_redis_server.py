"""The tests' own Redis."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from tests.services.child import reserved_port, start_child
from tests.services.redis_server import START, RedisServer

ROOT = Path(__file__).parents[2]


def alive(pid):
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_it_answers_on_its_port_and_its_socket_and_on_the_loopback_alone(redis):
    with redis.client() as client:
        assert client.ping()
        assert client.config_get('bind') == {'bind': '127.0.0.1'}
        assert redis.address.endswith(':' + client.config_get('port')['port'])


def test_it_comes_back_at_its_address_with_what_it_held(own_redis):
    with own_redis.client() as client:
        client.set('a', '1')
        own_redis.end()
        own_redis.end()
        with pytest.raises(RedisError):
            client.ping()
        own_redis.start()
        assert client.get('a') == '1'


def test_a_frozen_one_can_be_ended(own_redis):
    own_redis.freeze()
    pid = own_redis.pid
    own_redis.end()
    assert not alive(pid)


PROGRAM = """
import sys
from pathlib import Path
from tests.services.redis_server import RedisServer
with RedisServer(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def test_it_ends_with_a_process_that_is_killed(tmp_path, until):
    process = subprocess.Popen(
        [sys.executable, '-W', 'ignore', '-c', PROGRAM, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    pid = int(process.stdout.readline())
    assert alive(pid)
    process.kill()
    process.communicate()
    until('its end', lambda: not alive(pid))


def test_one_that_does_not_start_is_told_with_its_log(tmp_path, monkeypatch):
    (tmp_path / 'redis-server').write_text('#!/bin/sh\necho no memory today\nexit 1\n')
    (tmp_path / 'redis-server').chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match='no memory today'), RedisServer(tmp_path):
        pass
    assert time.monotonic() - begun < START


def test_a_machine_without_redis_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(RuntimeError, match='install the Debian package'), RedisServer(tmp_path):
        pass


def test_a_reserved_port_is_given_to_who_asks_for_it(tmp_path):
    with reserved_port() as port, reserved_port() as other:
        assert port != other
        listening = f'import socket; print(socket.create_server(("127.0.0.1", {port})).getsockname())'
        process = start_child([sys.executable, '-c', listening], folder=tmp_path, log=tmp_path / 'log')
        assert process.wait() == 0
        process.stdin.close()
    assert str(port) in (tmp_path / 'log').read_text()
