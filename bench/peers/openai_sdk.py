"""The bare openai SDK: gather over the proposers, then one call; streams its typed events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from openai import AsyncOpenAI
from peer import AGGREGATOR, PROPOSERS, Ask, Watch, chat, combined, serve


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """One client."""
    async with AsyncOpenAI(base_url=url + "/v1", api_key="none", max_retries=0) as client:

        async def call(model: str, content: str) -> str:
            said = await client.chat.completions.create(**chat(model, content))  # type: ignore[call-overload]
            return str(said.choices[0].message.content)

        async def ask(question: str, watch: Watch) -> str:
            proposals = await asyncio.gather(*(call(model, question) for model in PROPOSERS))
            content = combined(question, proposals)
            if not watch.stream:
                return await call(AGGREGATOR, content)
            pieces: list[str] = []
            body = chat(AGGREGATOR, content, stream=True)
            async for event in await client.chat.completions.create(**body):  # type: ignore[call-overload]
                if event.choices and event.choices[0].delta.content:
                    watch.wrote()
                    pieces.append(event.choices[0].delta.content)
            return "".join(pieces)

        yield ask


if __name__ == "__main__":
    serve(opened, packages=["openai"])
