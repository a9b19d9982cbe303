"""The floor: aiohttp and json by hand, nothing checked, nothing limited. No one can do with less."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from peer import AGGREGATOR, PROPOSERS, Ask, Watch, chat, combined, serve


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """One session for all."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        address = url + "/v1/chat/completions"

        async def call(model: str, content: str) -> str:
            async with session.post(address, json=chat(model, content)) as reply:
                reply.raise_for_status()
                said = json.loads(await reply.read())
                return str(said["choices"][0]["message"]["content"])

        async def streamed(model: str, content: str, watch: Watch) -> str:
            pieces: list[str] = []
            body = chat(model, content, stream=True)
            async with session.post(address, json=body) as reply:
                reply.raise_for_status()
                async for line in reply.content:
                    if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
                        continue
                    for choice in json.loads(line[6:])["choices"]:
                        if piece := choice["delta"].get("content"):
                            watch.wrote()
                            pieces.append(piece)
            return "".join(pieces)

        async def ask(question: str, watch: Watch) -> str:
            proposals = await asyncio.gather(*(call(model, question) for model in PROPOSERS))
            content = combined(question, proposals)
            if watch.stream:
                return await streamed(AGGREGATOR, content, watch)
            return await call(AGGREGATOR, content)

        yield ask


if __name__ == "__main__":
    serve(opened, packages=["aiohttp"])
