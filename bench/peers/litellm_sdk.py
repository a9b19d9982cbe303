"""The litellm SDK: gather over the proposers, then one call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from peer import AGGREGATOR, PROPOSERS, Ask, Watch, chat, combined, serve

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would fetch one while it is imported
import litellm


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """Nothing to open."""

    def asking(model: str, content: str, *, stream: bool = False) -> dict[str, object]:
        body = chat("openai/" + model, content, stream=stream)
        return body | {"api_base": url + "/v1", "api_key": "none", "num_retries": 0}

    async def call(model: str, content: str) -> str:
        said = await litellm.acompletion(**asking(model, content))
        return str(said.choices[0].message.content)

    async def ask(question: str, watch: Watch) -> str:
        proposals = await asyncio.gather(*(call(model, question) for model in PROPOSERS))
        content = combined(question, proposals)
        if not watch.stream:
            return await call(AGGREGATOR, content)
        pieces: list[str] = []
        async for event in await litellm.acompletion(**asking(AGGREGATOR, content, stream=True)):
            if event.choices and event.choices[0].delta.content:
                watch.wrote()
                pieces.append(event.choices[0].delta.content)
        return "".join(pieces)

    yield ask


if __name__ == "__main__":
    serve(opened, packages=["litellm", "openai"])
