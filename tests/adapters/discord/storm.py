"""Many questions on a Discord where everything goes wrong: what stands there in the end is counted."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.adapters.discord.conftest import House, Living
from tests.fakes.discord.gateway import Drop
from tests.fakes.discord.limits import Faults, Limits
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.world import Post

from moabot.contract import Prompt
from moabot.testing import Said, ScriptedProvider, says

DROPS: tuple[Drop, ...] = ("abort", "reconnect", "invalid-resumable", "invalid")
SINGLE = {
    "defaults": {"strategy": "single"},
    "channels": {"discord:dm/0": {"strategy": "mixture"}},
}
WITHIN_S = 20.0


@dataclass(slots=True)
class Storm:
    """One seeded run. `questions` are asked in every way there is, over `lives` of the bot."""

    seed: int
    folder: Path
    questions: int = 10
    lives: int = 2
    chance: float = 0.06
    late: bool = False
    happened: Counter[str] = field(default_factory=Counter[str])
    events: list[str] = field(default_factory=list[str])
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - a seed repeats a run

    async def blow(self) -> list[str]:
        """What is wrong in the end, in sentences; empty when every question has its one answer."""
        faults = Faults(chance=self.chance, seed=self.seed, hits=_is_ours)
        async with FakeDiscord(limits=Limits(pace=100), faults=faults) as service:
            living = Living(service, self.folder)
            share = -(-self.questions // self.lives)
            for life in range(self.lives):
                numbers = range(life * share, min((life + 1) * share, self.questions))
                await self._live(living, numbers, last=life == self.lives - 1)
            self.happened += service.state.faults.happened
            self.happened["resumes"] += service.gateway.resumes
            self.happened["signs left over"] += sum(map(_is_on_its_way, _posts(service)))
            owed = [n for n in range(self.questions) if self._is_owed(service, n)]
            self.happened["given up by Discord"] += self.questions - len(owed)
            found = [wrong for number in owed if (wrong := _wrong(service, number))]
            return found + _left_for_all(service)

    async def _live(self, living: Living, numbers: range, *, last: bool) -> None:
        service = living.service
        async with living(ScriptedProvider({"a": self._answer}), SINGLE, models=("a",)) as house:
            await service.until(lambda: service.state.commands, within_s=WITHIN_S)
            for number in numbers:
                self.events.append(self._ask(service, number))
                await asyncio.sleep(self.dice.random() * 0.02)
                await self._shake(service, house)
            await self._taken_on(house, service)
            if last:
                await service.until(lambda: self._all_final(service), within_s=WITHIN_S)
            else:
                await asyncio.sleep(self.dice.random() * 0.05)
                self.happened["kills"] += 1

    def _answer(self, prompt: Prompt) -> Said:
        number = re.findall(r"Question (\d+)", prompt.turns[-1].text)[-1]
        filler = "\n\n".join(f"Paragraph of {number}. " * 20 for _ in range(int(number) % 4 * 5))
        text = f"Answer {number} begins.\n\n{filler}\n\nAnswer {number} ends."
        return says(text, seconds=self.dice.random() * 0.2)

    def _ask(self, service: FakeDiscord, number: int) -> str:
        text, user = f"Question {number}?", f"user-{number % 3}"
        match self.dice.choice(["mention", "direct", "ask", "private"]):
            case "mention":
                return service.mention(text, user=user, channel=f"room-{number % 3}").id
            case "direct":
                return service.direct(text, user=user).id
            case "ask":
                return f"i{service.slash('ask', {'question': text}, user=user).id}"
            case _:
                asked = service.slash("ask", {"question": text, "private": True}, user=user)
                return f"i{asked.id}"

    async def _shake(self, service: FakeDiscord, house: House) -> None:
        match self.dice.randrange(6):
            case 0:
                how = self.dice.choice(DROPS)
                self.happened[how] += 1
                await self._drop(service, how)
            case 1:
                self.happened["replays"] += 1
                service.gateway.replay()
            case 2 if self.late:
                self.happened["tokens that died"] += 1
                await self._taken_on(house, service)
                service.pass_time(901)
            case _:
                pass

    async def _drop(self, service: FakeDiscord, how: Drop) -> None:
        gateway, before = service.gateway, service.gateway.identifies
        if how == "invalid":  # what its session did not hear, no client is ever told
            await gateway.caught_up()
        await gateway.drop(how)
        if how == "invalid":
            await service.until(lambda: gateway.identifies > before, within_s=WITHIN_S)
        await service.ready()

    async def _taken_on(self, house: House, service: FakeDiscord) -> None:
        """A question that Discord told to a process that then died is not told to the next."""
        store = house.app.memory.store
        assert store is not None
        async with asyncio.timeout(WITHIN_S):
            for event in self.events:
                owed = partial(self._is_owed, service, self.events.index(event))
                # A database tells nobody when it has a row.
                while await store.accepted(f"discord:{event}") is None and owed():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    def _is_owed(self, service: FakeDiscord, number: int) -> bool:
        """Unless it is a command that Discord gave up after three seconds of its own failures."""
        event = self.events[number].removeprefix("i")
        asked = next((each for each in service.interactions.all if each.id == event), None)
        if asked is None or asked.answered_with is not None:
            return True
        return service.state.clock.now_s() - asked.born_s < service.state.limits.acknowledge_s

    def _all_final(self, service: FakeDiscord) -> bool:
        owed = [n for n in range(self.questions) if self._is_owed(service, n)]
        return all(any(_ends(post, number) for post in _posts(service)) for number in owed)


def _is_ours(route: str) -> bool:
    return "/messages" in route or "/callback" in route or "/webhooks" in route


def _posts(service: FakeDiscord) -> list[Post]:
    every = [post for there in service.state.channels.values() for post in there.posts.values()]
    return [post for post in every if post.author is service.state.bot]


def _is_on_its_way(post: Post) -> bool:
    return post.loading or "Stop" in post.buttons


def _left_for_all(service: FakeDiscord) -> list[str]:
    """A private sign whose token died cannot be reached; any other must have become its answer."""
    left = [post for post in _posts(service) if _is_on_its_way(post) and post.only_for is None]
    return [f"a sign is left over: {post.text!r}" for post in left]


def _ends(post: Post, number: int) -> bool:
    return "👍" in post.buttons and bool(re.search(rf"Answer {number} ends\.", _whole(post)))


def _whole(post: Post) -> str:
    attached = b"".join(post.files.values()).decode()
    return attached or post.text


def _wrong(service: FakeDiscord, number: int) -> str:
    posts = _posts(service)
    shown = "\n".join(_whole(post) for post in posts)
    begins, ends = (shown.count(f"Answer {number} {word}.") for word in ("begins", "ends"))
    paragraphs = shown.count(f"Paragraph of {number}. ".strip())
    wanted = number % 4 * 5 * 20
    finals = sum(_ends(post, number) for post in posts)
    if (begins, ends, finals, paragraphs) == (1, 1, 1, wanted):
        return ""
    return (
        f"{number}: begins {begins}, ends {ends}, finals {finals}, "
        f"paragraphs {paragraphs} of {wanted}"
    )
