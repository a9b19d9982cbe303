"""The same conversation in Slack and on Discord is the same to the models and to the ledger."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.adapters.discord.conftest import Living
from tests.adapters.slack.conftest import running
from tests.fakes.discord.limits import Limits
from tests.fakes.discord.service import FakeDiscord
from tests.fakes.discord.state import TOKEN
from tests.fakes.discord.world import Post
from tests.fakes.slack import FakeSlack

from moabot.app import App
from moabot.contract import Asker, Prompt, Proposal, Scope
from moabot.desk import Desk
from moabot.store.rows import Spending
from moabot.testing import Said, ScriptedProvider, says
from moabot_platforms.slack.said import event_id

QUESTIONS = ("Why is the sky blue?", "And at sunset?", "And on Mars?")
MIXTURE = {"defaults": {"strategy": "mixture", "preset": "thorough"}}


@dataclass(frozen=True, slots=True)
class Record:
    """What a conversation was to the core: shown texts, prompts, proposals and what it cost."""

    shown: Sequence[str]
    prompts: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    proposals: Sequence[Sequence[Proposal]]
    spent: Sequence[Spending]


@asynccontextmanager
async def on_discord(provider: ScriptedProvider, folder: Path) -> AsyncGenerator[Record]:
    """A mention, then replies to each answer."""
    async with (
        FakeDiscord(limits=Limits(pace=100)) as service,
        Living(service, folder)(provider, MIXTURE) as house,
    ):
        asked = service.mention(QUESTIONS[0])
        events = [asked.id]
        for number in range(1, len(QUESTIONS) + 1):
            post = await service.said(number=number)
            await service.until(partial(_is_final, post))
            if number < len(QUESTIONS):
                events.append(service.reply(QUESTIONS[number], post).id)
        posts = [post for post in service.seen() if post.author is service.state.bot]
        scope = Scope("discord", service.state.guild_id, asked.channel.id)
        yield await record(house.app, scope, events, [post.text for post in posts], provider)


@asynccontextmanager
async def on_slack(provider: ScriptedProvider, folder: Path) -> AsyncGenerator[Record]:
    """A mention, then words in its thread."""
    async with (
        FakeSlack() as slack,
        running(slack, provider, folder, tables=MIXTURE) as bot,
    ):
        asked = slack.mention("C1", "U1", QUESTIONS[0])
        said = [asked.ts]
        for number in range(1, len(QUESTIONS) + 1):
            await bot.answered(asked.ts, count=number)
            if number < len(QUESTIONS):
                said.append(slack.say("C1", "U1", QUESTIONS[number], thread=asked.ts).ts)
        posts = await bot.answered(asked.ts, count=len(QUESTIONS))
        scope = Scope("slack", "T1", "C1")
        shown = [post.shown for post in posts]
        events = [event_id("T1", "C1", ts) for ts in said]
        yield await record(bot.app, scope, events, shown, provider)


async def record(
    app: App, scope: Scope, events: Sequence[str], shown: Sequence[str], provider: ScriptedProvider
) -> Record:
    """What the core knows of it."""
    assert app.memory.store is not None
    desk, asker = Desk(app.answering, app.memory), Asker(scope, "anybody")
    return Record(
        shown=[text.partition("\n")[0] for text in shown],
        prompts=sorted(
            (model, [(turn.role, turn.text) for turn in prompt.turns])
            for model, prompt in provider.prompts
            if "[proposal" not in prompt.turns[-1].text  # its fences are secrets, made anew
        ),
        proposals=[
            sorted(await desk.proposals(asker, f"{scope.platform}:{event}"), key=_slot)
            for event in events
        ],
        spent=await app.memory.store.spending("model", since=0),
    )


def _is_final(post: Post) -> bool:
    return "👍" in post.buttons


def _slot(proposal: Proposal) -> str:
    return proposal.slot


def answer(prompt: Prompt) -> Said:
    """The same words for the same question."""
    return says(f"Answer after {len(prompt.turns)} turns.")


Chat = Callable[[ScriptedProvider, Path], AbstractAsyncContextManager[Record]]


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both chats are opened with tokens from the environment."""
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-T1-fake")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-fake")


@pytest.mark.parametrize("chat", [on_slack, on_discord], ids=["slack", "discord"])
@pytest.mark.usefixtures("tokens")
async def test_a_conversation_is_the_same_in_every_chat(chat: Chat, tmp_path: Path) -> None:
    """What a team pays and reads must not depend on where it asks."""
    provider = ScriptedProvider({"a": answer, "b": answer, "c": answer})
    async with chat(provider, tmp_path) as here:
        pass

    assert [len(proposals) for proposals in here.proposals] == [3, 3, 3]
    assert [p.model for p in here.proposals[0]] == ["a", "b", "c"]
    assert [(row.key, row.answers, row.calls) for row in here.spent] == [
        ("a", 3, 6),
        ("b", 3, 3),
        ("c", 3, 3),
    ]
    assert [turns[0][1] for _, turns in here.prompts] == [QUESTIONS[0]] * 9
    asked = sorted((model, len(turns)) for model, turns in here.prompts)
    assert asked == [(model, turns) for model in "abc" for turns in (1, 3, 5)]
    assert here.shown == [f"Answer after {turns} turns." for turns in (1, 3, 5)]
