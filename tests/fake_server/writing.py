"""Answers to the wire: whole, slow, broken off, or not at all, as `faults.Wire` says."""

import asyncio
import socket
import struct
import time
from contextlib import suppress
from email.utils import formatdate

from aiohttp import web

from .clock import Clock
from .faults import Ending, Wire

__all__ = ['Writer']

GZIP_FROM_BYTES = 256  # below that, compressing makes answers longer (Jetty's default is 32, nginx's 20)


class Writer:
    """Writes answers.

    Args:
        gzip: compress long ones for clients that accept it.
        speed: how many seconds pass on the server's clock in one real second: cookies end in real time.
    """

    def __init__(self, *, gzip: bool, speed: float) -> None:
        self._gzip = gzip
        self._speed = speed

    async def write(self, request: web.Request, clock: Clock, wire: Wire) -> web.StreamResponse:
        """Write an answer to a request.

        Args:
            request: what is answered.
            clock: its time passes in delays.
            wire: the answer.
        """
        if wire.delay:
            await clock.sleep(wire.delay)
        if wire.status is None:
            return await _write_no_answer(request, wire)
        if wire.ending is Ending.COMPLETE and not wire.pace:
            response = web.Response(status=wire.status, body=wire.body, headers=wire.headers)
            self._add_cookie(response, wire, request)
            if self._gzip and len(wire.body) >= GZIP_FROM_BYTES:
                response.enable_compression()
            return response
        stream = web.StreamResponse(status=wire.status, headers=wire.headers)
        self._add_cookie(stream, wire, request)
        stream.content_length = wire.length
        # A client that hangs up is no error of ours. Mostly the task is cancelled before it writes again.
        with suppress(ConnectionResetError):
            await stream.prepare(request)
            if wire.pace:
                for byte in wire.body:
                    await stream.write(bytes([byte]))
                    await clock.sleep(wire.pace)
            else:
                await stream.write(wire.body)
        if wire.ending is not Ending.COMPLETE and request.transport is not None:
            request.transport.close()
        return stream

    def _add_cookie(self, response: web.StreamResponse, wire: Wire, request: web.Request) -> None:
        if (cookie := wire.timed_cookie) is not None:
            date = formatdate(time.time() + cookie.lifetime / self._speed, usegmt=True)
            text = f'{cookie.name}={cookie.value}; path=/; Expires={date}; SameSite=None'
            # Over plain HTTP not `Secure`: its client would never send it back.
            response.headers.add('Set-Cookie', f'{text}; Secure' if request.secure else text)


async def _write_no_answer(request: web.Request, wire: Wire) -> web.StreamResponse:
    transport = request.transport
    if wire.ending is Ending.NEVER:
        await asyncio.get_running_loop().create_future()
    if transport is not None:
        if wire.ending is Ending.RESET:
            plain = transport.get_extra_info('socket')
            # A zero linger time turns the close into a reset.
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            transport.abort()
        else:
            transport.write(wire.body)
            transport.close()
    return web.Response()  # goes nowhere: the transport is closed
