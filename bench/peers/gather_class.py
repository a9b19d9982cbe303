"""The usual hand-written mixture: official SDKs, gather over all, 30 s each, a minimum afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from peer import AGGREGATOR, MAX_TOKENS, PROPOSERS, SYSTEM, Ask, Watch, chat, combined, serve

MIN_PROPOSERS = 2
TIMEOUT_S = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """One client for each vendor; the second proposer is asked through the other SDK."""
    openai = AsyncOpenAI(base_url=url + "/v1", api_key="none")
    anthropic = AsyncAnthropic(base_url=url, api_key="none")

    async def by_openai(model: str, content: str) -> str:
        said = await openai.chat.completions.create(**chat(model, content))  # type: ignore[call-overload]
        return str(said.choices[0].message.content)

    async def by_anthropic(model: str, content: str) -> str:
        said = await anthropic.messages.create(
            model=model,
            max_tokens=MAX_TOKENS,
            system=SYSTEM,
            messages=[{"role": "user", "content": content}],
        )
        return "".join(block.text for block in said.content if block.type == "text")

    async def propose(place: int, model: str, question: str) -> str:
        vendor = by_anthropic if place == 1 else by_openai
        return await asyncio.wait_for(vendor(model, question), TIMEOUT_S)  # noqa: TID251 - as such code does

    async def ask(question: str, watch: Watch) -> str:
        came = await asyncio.gather(
            *(propose(place, model, question) for place, model in enumerate(PROPOSERS)),
            return_exceptions=True,
        )
        proposals = [text for text in came if isinstance(text, str)]
        if len(proposals) < MIN_PROPOSERS:
            raise RuntimeError(f"Only {len(proposals)} proposers succeeded")
        final = by_openai(AGGREGATOR, combined(question, proposals))
        return await asyncio.wait_for(final, TIMEOUT_S)  # noqa: TID251 - the same

    async with openai, anthropic:
        yield ask


if __name__ == "__main__":
    serve(opened, packages=["openai", "anthropic"])
