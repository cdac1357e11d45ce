"""Run as a program: what a process grows by while answers are longer than it is to keep. Prints JSON."""

import eventlet

if __name__ == '__main__':
    eventlet.monkey_patch()

import json
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import requests

from nameko_salesforce.rest_session import RestSession
from tests.salesforce.peers import Org

__all__ = ['CASES', 'MIB', 'endless']

MIB = 2**20
HEAD = b'HTTP/1.1 200 OK\r\n'
CHUNKED = HEAD + b'Transfer-Encoding: chunked\r\n\r\n'


def endless(head, part):
    """A script: the head, and the part until the client has gone."""
    lump = part * (65_536 // len(part) + 1)

    def script(peer):
        with suppress(OSError):
            peer.sock.sendall(head)
            while True:
                peer.sock.sendall(lump)

    return script


def bomb(mebibytes):
    """gzip of zeros, in pieces."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    return b''.join([*(packer.compress(zeros) for _ in range(mebibytes)), packer.flush()])


def packed(body, coding=b'gzip'):
    head = HEAD + b'Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n' % (coding, len(body))
    return lambda peer: peer.send(head + body)


CASES = {
    'length': lambda: endless(HEAD + b'Content-Length: 9000000000\r\n\r\n', b'a'),
    'no length': lambda: endless(HEAD + b'\r\n', b'a'),
    'chunked': lambda: endless(CHUNKED, b'3e8\r\n' + b'a' * 1000 + b'\r\n'),
    'one chunk': lambda: endless(CHUNKED + b'ffffffffff\r\n', b'a'),
    'gzip bomb': lambda: packed(bomb(300)),
    'interim answers': lambda: endless(b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
}


def peak():
    # Not ru_maxrss: that begins with what the parent had when it forked.
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) * 1024
    raise LookupError('VmHWM')


def main():
    told = {}
    org = Org()
    session = RestSession(org.tokens, requests.Session(), answer_limit=8 * MIB)
    session.get('https://x/a')
    for name, make in CASES.items():
        org.answers = [make()]
        before = peak()
        try:
            session.get('https://x/a')
            error = None
        except requests.exceptions.RequestException as raised:
            error = type(raised).__name__
        told[name] = {'error': error, 'grown': peak() - before}
    json.dump(told, sys.stdout)


if __name__ == '__main__':
    main()
