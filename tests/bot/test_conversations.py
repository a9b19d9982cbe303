"""What models read of a thread: bounded, well-formed, and of this thread alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moabot.config import LimitSettings
from moabot.contract import Attachment, Message, Turn
from moabot.conversations import THREADS, Conversations, scope_of
from moabot.errors import QuestionRejected

MESSAGE = Message("slack", "T1", "C1", "someone", "One?", event_id="1", thread="9")


def remembered(conversations: Conversations, message: Message = MESSAGE) -> list[str]:
    """The texts of the turns that a next question brings along."""
    return [turn.text for turn in conversations.question(message).history]


def after(*pairs: tuple[str, str], limits: LimitSettings | None = None) -> Conversations:
    """A memory in which these questions were answered."""
    conversations = Conversations(limits or LimitSettings())
    for text, answer in pairs:
        conversations.keep(replace(MESSAGE, text=text), answer)
    return conversations


def test_a_question_brings_what_was_said_before() -> None:
    """Oldest first, each with its role."""
    history = after(("One?", "1"), ("Two?", "2")).question(MESSAGE).history

    assert history == (
        Turn("user", "One?"),
        Turn("assistant", "1"),
        Turn("user", "Two?"),
        Turn("assistant", "2"),
    )


@pytest.mark.parametrize(
    ("turns", "kept"), [(4, ["Two?", "2", "Three?", "3"]), (2, ["Three?", "3"]), (0, [])]
)
def test_only_so_many_turns_are_kept(turns: int, kept: list[str]) -> None:
    """None at all when the administrator says none."""
    limits = LimitSettings(history_turns=turns)

    assert remembered(after(("One?", "1"), ("Two?", "2"), ("Three?", "3"), limits=limits)) == kept


@pytest.mark.parametrize("limits", [{"history_turns": 3}, {"history_chars": 7}], ids=str)
def test_what_is_kept_never_begins_with_an_answer(limits: dict[str, int]) -> None:
    """Vendors refuse a conversation that an assistant begins."""
    conversations = after(("One?", "1"), ("Two?", "2"), limits=LimitSettings(**limits))

    assert remembered(conversations) == ["Two?", "2"]


def test_an_answer_longer_than_the_limit_is_not_kept() -> None:
    """Cut in the middle it would say something else."""
    assert remembered(after(("One?", "1" * 50_000))) == []


def test_pictures_come_along_and_other_files_do_not() -> None:
    """Files that are text are part of the message's text by now."""
    files = (Attachment("a.png", "image/png", b""), Attachment("b.zip", "application/zip", b""))
    question = Conversations(LimitSettings()).question(replace(MESSAGE, attachments=files))

    assert [image.name for image in question.images] == ["a.png"]


def test_a_question_is_stripped() -> None:
    """What a person typed around it is no part of a cache key or a prompt."""
    message = replace(MESSAGE, text="  One?\n")

    assert Conversations(LimitSettings()).question(message).text == "One?"


@pytest.mark.parametrize(
    ("text", "what"), [(" \n\t", "is empty"), ("x" * 11, "has 11 characters; at most 10")]
)
def test_a_question_that_cannot_be_answered_says_why(text: str, what: str) -> None:
    """With what to do about it."""
    with pytest.raises(QuestionRejected, match=what):
        Conversations(LimitSettings(question_chars=10)).question(replace(MESSAGE, text=text))


@pytest.mark.parametrize(
    "other",
    [{"thread": "8"}, {"channel": "C2"}, {"workspace": "T2"}, {"platform": "x"}, {"private": True}],
    ids=str,
)
def test_every_part_of_the_scope_keeps_threads_apart(other: dict[str, str]) -> None:
    """What was said in one channel must not be read in another."""
    elsewhere = Message(**{**_fields(MESSAGE), **other})  # type: ignore[arg-type]

    assert remembered(after(("One?", "1")), elsewhere) == []
    assert scope_of(elsewhere) != scope_of(MESSAGE)


def _fields(message: Message) -> dict[str, object]:
    names = ("platform", "workspace", "channel", "author", "text", "event_id", "thread", "private")
    return {name: getattr(message, name) for name in names}


def test_the_longest_silent_thread_is_forgotten_first() -> None:
    """Memory is bounded, whatever a busy workspace does."""
    conversations = after(("One?", "1"))
    for number in range(THREADS - 1):
        conversations.keep(replace(MESSAGE, thread=f"t{number}"), "x")
    conversations.keep(MESSAGE, "2")
    conversations.keep(replace(MESSAGE, thread="new"), "x")

    assert remembered(conversations) == ["One?", "1", "One?", "2"]
    assert remembered(conversations, replace(MESSAGE, thread="t0")) == []
