"""TensorZero's gateway inside the process, its experimental mixture of n, from a static TOML."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from peer import AGGREGATOR, COMBINE, MAX_TOKENS, PROPOSERS, SYSTEM, Ask, Watch, serve
from tensorzero import AsyncTensorZeroGateway

FUNCTION = """
[functions.panel]
type = "chat"

[functions.panel.variants.mixture]
type = "experimental_mixture_of_n"
candidates = {candidates}

[functions.panel.variants.mixture.fuser]
model = "{aggregator}"
max_tokens = {max_tokens}
"""
MODEL = """
[models.{name}]
routing = ["up"]

[models.{name}.providers.up]
type = "openai"
model_name = "{name}"
api_base = "{url}/v1/"
api_key_location = "none"

[functions.panel.variants.{name}]
type = "chat_completion"
model = "{name}"
max_tokens = {max_tokens}
"""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Ask]:
    """The gateway, configured for this one panel."""
    names = [*PROPOSERS, AGGREGATOR]
    config = FUNCTION.format(
        candidates=list(PROPOSERS), aggregator=AGGREGATOR, max_tokens=MAX_TOKENS
    ) + "".join(MODEL.format(name=name, url=url, max_tokens=MAX_TOKENS) for name in names)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tensorzero.toml"
        file.write_text(config, encoding="utf-8")
        gateway = await AsyncTensorZeroGateway.build_embedded(config_file=str(file))  # type: ignore[misc]

    async def ask(question: str, watch: Watch) -> str:
        messages = [{"role": "user", "content": f"{SYSTEM}\n\n{question}\n\n{COMBINE}"}]
        said = await gateway.inference(
            function_name="panel",
            variant_name="mixture",
            input={"messages": messages},
            stream=watch.stream,
        )
        if not watch.stream:
            return "".join(block.text for block in said.content)
        pieces: list[str] = []
        async for event in said:
            for block in event.content:
                watch.wrote()
                pieces.append(block.text)
        return "".join(pieces)

    async with gateway:
        yield ask


if __name__ == "__main__":
    serve(opened, packages=["tensorzero"])
