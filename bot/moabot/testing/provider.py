"""What every provider keeps, whatever its vendor does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import ClassVar, TypeGuard

from moabot.contract import Completion, Prompt, Provider, Turn, Usage, Wrote
from moabot.errors import ProviderError
from moabot.plugins import Kind
from moabot.testing.checked import SOON_S, Checked, ContractBroken, hold

__all__ = ["ProviderContract"]

AT_ONCE = 20


class ProviderContract(Checked):
    """The suite for a provider; inherit from it, and name your plugin.

    >>> class TestAcme(ProviderContract):
    ...     plugin, model = "moabot_acme", "loud-1"

    `model` answers `question` well. `faults` maps models to the error that asking them must lead
    to; `silent` are models that never answer. `secret` is a key that no error may tell.
    """

    kind: ClassVar[Kind] = "provider"

    model: str = "any"
    question: str = "What is the capital of Australia?"
    faults: Mapping[str, type[ProviderError]] = {}
    stream_faults: Mapping[str, type[ProviderError]] = {}
    silent: Sequence[str] = ()
    secret: str = ""

    def test_an_answer_is_whole_and_counted(self) -> None:
        """What comes back goes to aggregators, to budgets and to people."""
        done, _ = self.run(self._asked(self.model, streamed=False))

        _check(done)

    def test_what_is_streamed_is_what_is_returned(self) -> None:
        """People see the one, and the other is kept: they must be the same text."""
        done, pieces = self.run(self._asked(self.model, streamed=True))

        _check(done)
        heard = "".join(pieces)  # nothing, of one that cannot stream
        hold(heard in {"", done.text}, "What `wrote` was given is not the text returned.")

    def test_calls_run_side_by_side(self) -> None:
        """A panel asks one provider for several models at once."""

        async def together() -> list[Completion]:
            async with AsyncExitStack() as stack:
                provider = await self._provider(stack)
                calls = [provider.complete(self.prompt, model=self.model) for _ in range(AT_ONCE)]
                return list(await asyncio.gather(*calls))

        for done in self.run(together()):
            _check(done)

    def test_a_cancelled_call_ends_at_once(self) -> None:
        """The caller keeps the time, by cancelling; who goes on then is billed for nothing."""

        async def cancelled() -> None:
            async with AsyncExitStack() as stack:
                provider = await self._provider(stack)
                for model in (self.model, *self.silent):
                    for wrote in (None, _hear):
                        await _cancel(provider.complete(self.prompt, model=model, wrote=wrote))

        self.run(cancelled())

    def test_each_fault_is_told_as_ours(self) -> None:
        """Only our own errors say whether to try again; a key in their text is a key in a log."""

        async def fail() -> None:
            async with AsyncExitStack() as stack:
                provider = await self._provider(stack)
                for model, kind in self.faults.items():
                    await self._fails(provider, model, kind, wrote=None)
                for model, kind in {**self.faults, **self.stream_faults}.items():
                    await self._fails(provider, model, kind, wrote=_hear)

        self.run(fail())

    @property
    def prompt(self) -> Prompt:
        """The question as a strategy would put it."""
        return Prompt("Be brief.", (Turn("user", self.question),))

    async def _provider(self, stack: AsyncExitStack) -> Provider:
        provider = await self.opened(stack)
        if not _is_provider(provider):
            raise ContractBroken("Its `complete` is no `async def`.")
        return provider

    async def _asked(self, model: str, *, streamed: bool) -> tuple[Completion, list[str]]:
        pieces: list[str] = []
        async with AsyncExitStack() as stack:
            provider = await self._provider(stack)
            wrote = pieces.append if streamed else None
            return await provider.complete(self.prompt, model=model, wrote=wrote), pieces

    async def _fails(
        self, provider: Provider, model: str, kind: type[ProviderError], *, wrote: Wrote | None
    ) -> None:
        try:
            await provider.complete(self.prompt, model=model, wrote=wrote)
        except ProviderError as error:
            hold(type(error) is kind, f"{model!r} led to {error!r}, not to {kind.__name__}.")
            hold(error.model == model, f"The error of {model!r} names the model {error.model!r}.")
            hold(not self.secret or self.secret not in str(error), "An error tells the key.")
        else:
            raise ContractBroken(f"{model!r} answered; it should raise {kind.__name__}.")


async def _cancel(begun: Coroutine[object, object, Completion]) -> None:
    call = asyncio.create_task(begun)
    for _ in range(5):  # let it begin
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call], timeout=SOON_S)
    hold(call.done(), "A call went on after it was cancelled.")
    if not call.cancelled() and (error := call.exception()) is not None:
        raise ContractBroken(f"A cancelled call raised {error!r}. Let the cancellation pass.")


def _is_provider(opened: object) -> TypeGuard[Provider]:
    return inspect.iscoroutinefunction(getattr(opened, "complete", None))


def _check(done: object) -> None:
    if not isinstance(done, Completion):
        raise ContractBroken(f"`complete` returned {done!r}. Return a moabot.Completion.")
    hold(
        bool(str(done.text).strip()),
        "The text is empty: raise ProviderSilent instead.",
    )
    hold(done.stop in {"end", "length"}, f"stop is {done.stop!r}; it is 'end' or 'length'.")
    _check_usage(done.usage)


def _check_usage(used: object) -> None:
    if not isinstance(used, Usage):
        raise ContractBroken(f"usage is {used!r}. Return a moabot.Usage.")
    counts = (used.calls - 1, used.input_tokens, used.cached_input_tokens, used.output_tokens)
    hold(min(counts) >= 0, f"{used} counts less than one call, or less than no token.")
    hold(
        _is_money(used.cost_usd),
        f"cost_usd is {used.cost_usd!r}. Leave it as None, unless the vendor reports money, "
        f"as a Decimal.",
    )


def _is_money(cost: object) -> bool:
    return cost is None or (isinstance(cost, Decimal) and cost >= 0)


def _hear(_: str) -> None:
    """Listens, so that the call streams."""
