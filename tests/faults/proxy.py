"""A TCP proxy that now and then breaks the connection instead of delivering an answer."""

import asyncio
import contextlib
import random

DROP_SHARE = 0.3


class DroppingProxy:
    """Passes requests on to an API on this machine; drops some answers when they are there."""

    def __init__(self, port: int, choose: random.Random) -> None:
        self._port = port
        self._random = choose
        self._server: asyncio.Server | None = None
        self.url = ""
        self.dropped = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError):
            answers, there = await asyncio.open_connection("127.0.0.1", self._port)
            passing = asyncio.create_task(_pass_on(reader, there))
            try:
                while answer := await answers.read(1 << 20):
                    if self._random.random() < DROP_SHARE:
                        self.dropped += 1
                        break
                    writer.write(answer)
                    await writer.drain()
            finally:
                passing.cancel()
                await asyncio.gather(passing, return_exceptions=True)
        for end in (writer, there):
            if end is not None:
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 20):
        writer.write(data)
        await writer.drain()
