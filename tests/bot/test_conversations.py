"""What models read of a thread: bounded, well-formed, and of this thread alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moabot.config import ChannelSettings, LimitSettings
from moabot.contract import Attachment, Message, Turn
from moabot.conversations import SHORTENED, Conversations
from moabot.errors import QuestionRejected
from moabot.journal import THREADS, Entry, PassingJournal, scope_of

MESSAGE = Message("slack", "T1", "C1", "someone", "One?", event_id="1", thread="9")


async def remembered(conversations: Conversations, message: Message = MESSAGE) -> list[str]:
    """The texts of the turns that a next question brings along."""
    question, _ = await conversations.question(message)
    return [turn.text for turn in question.history]


async def keep(journal: PassingJournal, message: Message, answer: str) -> None:
    """An answer was given."""
    await journal.done(Entry(message, ChannelSettings(), b""), text=answer)


async def after(*pairs: tuple[str, str], limits: LimitSettings | None = None) -> Conversations:
    """A memory in which these questions were answered."""
    journal = PassingJournal()
    for text, answer in pairs:
        await keep(journal, replace(MESSAGE, text=text), answer)
    return Conversations(limits or LimitSettings(), journal)


async def test_a_question_brings_what_was_said_before() -> None:
    """Oldest first, each with its role."""
    conversations = await after(("One?", "1"), ("Two?", "2"))
    question, _ = await conversations.question(MESSAGE)

    assert question.history == (
        Turn("user", "One?"),
        Turn("assistant", "1"),
        Turn("user", "Two?"),
        Turn("assistant", "2"),
    )


async def test_older_turns_are_shortened_to_first_sentences_and_that_is_said() -> None:
    """What a thread is about is mostly said at its beginning; a model must know it is not whole."""
    long = (
        ("Is tea hot? I ask since I like it.", "Yes. It is made with boiling water."),
        ("B?", "b"),
    )
    conversations = await after(*long, ("C?", "c"), limits=LimitSettings(history_turns=2))

    assert await remembered(conversations) == [
        f"{SHORTENED}\nuser: Is tea hot?\nassistant: Yes.\nuser: B?\nassistant: b\n\nC?",
        "c",
    ]


@pytest.mark.parametrize("chars", [20, 100, 1000, 5000])
async def test_a_thread_never_takes_more_than_its_characters(chars: int) -> None:
    """Tokens are money, and some models have little room."""
    pairs = [(f"Question {n}? And more.", f"Answer {n}. " * 9) for n in range(30)]
    conversations = await after(*pairs, limits=LimitSettings(history_chars=chars))

    assert sum(map(len, await remembered(conversations))) <= chars + 2


async def test_a_question_made_again_reads_no_further_than_before() -> None:
    """Another answer in the thread must not change the prompts of one that is resumed."""
    journal = PassingJournal()
    await keep(journal, replace(MESSAGE, text="One?"), "1")
    conversations = Conversations(LimitSettings(), journal)
    first, horizon = await conversations.question(MESSAGE)
    await keep(journal, replace(MESSAGE, text="Two?"), "2")

    again, _ = await conversations.question(MESSAGE, horizon=horizon)
    assert again == first


@pytest.mark.parametrize(("turns", "kept"), [(4, 4), (2, 2), (0, 0)])
async def test_only_so_many_turns_are_kept(turns: int, kept: int) -> None:
    """None at all when the administrator says none."""
    limits = LimitSettings(history_turns=turns)
    conversations = await after(("One?", "1"), ("Two?", "2"), ("Three?", "3"), limits=limits)

    assert len(await remembered(conversations)) == kept


@pytest.mark.parametrize("limits", [{"history_turns": 3}, {"history_chars": 9}], ids=str)
async def test_what_is_kept_never_begins_with_an_answer(limits: dict[str, int]) -> None:
    """Vendors refuse a conversation that an assistant begins."""
    conversations = await after(("One?", "1"), ("Two?", "2"), limits=LimitSettings(**limits))

    question, _ = await conversations.question(MESSAGE)
    assert [turn.role for turn in question.history] == ["user", "assistant"]
    assert question.history[0].text.endswith("Two?")


async def test_an_answer_longer_than_the_limit_is_not_kept() -> None:
    """Cut in the middle it would say something else."""
    assert await remembered(await after(("One?", "1" * 50_000))) == []


async def test_pictures_come_along_and_other_files_do_not() -> None:
    """Files that are text are part of the message's text by now."""
    files = (Attachment("a.png", "image/png", b""), Attachment("b.zip", "application/zip", b""))
    conversations = await after()
    question, _ = await conversations.question(replace(MESSAGE, attachments=files))

    assert [image.name for image in question.images] == ["a.png"]


async def test_a_question_is_stripped() -> None:
    """What a person typed around it is no part of a cache key or a prompt."""
    message = replace(MESSAGE, text="  One?\n")

    question, _ = await (await after()).question(message)
    assert question.text == "One?"


@pytest.mark.parametrize(
    ("text", "what"), [(" \n\t", "is empty"), ("x" * 11, "has 11 characters; at most 10")]
)
async def test_a_question_that_cannot_be_answered_says_why(text: str, what: str) -> None:
    """With what to do about it."""
    conversations = await after(limits=LimitSettings(question_chars=10))
    with pytest.raises(QuestionRejected, match=what):
        await conversations.question(replace(MESSAGE, text=text))


@pytest.mark.parametrize(
    "other",
    [{"thread": "8"}, {"channel": "C2"}, {"workspace": "T2"}, {"platform": "x"}, {"private": True}],
    ids=str,
)
async def test_every_part_of_the_scope_keeps_threads_apart(other: dict[str, str]) -> None:
    """What was said in one channel must not be read in another."""
    elsewhere = Message(**{**_fields(MESSAGE), **other})  # type: ignore[arg-type]

    assert await remembered(await after(("One?", "1")), elsewhere) == []
    assert scope_of(elsewhere) != scope_of(MESSAGE)


def _fields(message: Message) -> dict[str, object]:
    names = ("platform", "workspace", "channel", "author", "text", "event_id", "thread", "private")
    return {name: getattr(message, name) for name in names}


async def test_the_longest_silent_thread_is_forgotten_first() -> None:
    """Memory is bounded, whatever a busy workspace does."""
    journal = PassingJournal()
    await keep(journal, MESSAGE, "1")
    for number in range(THREADS - 1):
        await keep(journal, replace(MESSAGE, thread=f"t{number}"), "x")
    await keep(journal, MESSAGE, "2")
    await keep(journal, replace(MESSAGE, thread="new"), "x")

    conversations = Conversations(LimitSettings(), journal)
    assert await remembered(conversations) == ["One?", "1", "One?", "2"]
    assert await remembered(conversations, replace(MESSAGE, thread="t0")) == []
