"""What a person sees while several attempts write one text."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from moabot.voice import Speaker, Voice


class Screen:
    """What is shown now, and what was shown after each change."""

    def __init__(self) -> None:
        self.text = ""
        self.seen: list[str] = []
        self.restarts = 0

    def say(self, piece: str) -> None:
        """Show the next piece."""
        self.text += piece
        self.seen.append(self.text)

    def restart(self) -> None:
        """Show nothing."""
        self.text = ""
        self.restarts += 1


def heard(*, draft: bool = False) -> tuple[Screen, Voice]:
    """A screen and the voice that writes on it, at a clock of twelve."""
    screen = Screen()
    voice = Voice(screen.say, restart=screen.restart, clock=lambda: 12.0, draft=draft)
    return screen, voice


def test_pieces_are_shown_as_they_are_said() -> None:
    """The usual case: one speaker, no restart, nothing twice."""
    screen, voice = heard()
    speaker = voice.speaker()
    for piece in ("Pa", "ris", "."):
        speaker(piece)
    voice.settle("Paris.")

    assert (screen.seen, screen.restarts) == (["Pa", "Paris", "Paris."], 0)


def test_half_a_surrogate_pair_is_never_shown() -> None:
    """A chat that cannot encode it would break in the middle of the answer."""
    screen, voice = heard()
    speaker = voice.speaker()
    for piece in ("Paris \ud83d", "\uddfc."):
        speaker(piece)
    voice.settle("Paris 🗼.")

    assert screen.seen[:2] == ["Paris \ufffd", "Paris \ufffd\ufffd."]
    assert screen.text == "Paris 🗼."


def test_only_the_first_speaker_is_heard() -> None:
    """Two texts mixed word by word would be nonsense."""
    screen, voice = heard()
    one, other = voice.speaker(), voice.speaker()
    one("Paris")
    other("Lyon")
    one(".")

    assert screen.text == "Paris."


def test_a_speaker_that_fails_makes_room_for_the_other_from_its_beginning() -> None:
    """The backup was speaking already; the person sees its text whole, not from the middle."""
    screen, voice = heard()
    one, other = voice.speaker(), voice.speaker()
    one("Par")
    other("Ly")
    voice.leave(one)
    other("on.")

    assert (screen.text, screen.restarts) == ("Lyon.", 1)


def test_who_was_not_heard_leaves_without_a_trace() -> None:
    """A backup that fails is no reason to wipe the screen."""
    screen, voice = heard()
    one, other = voice.speaker(), voice.speaker()
    one("Paris")
    other("Ly")
    voice.leave(other)

    assert (screen.text, screen.restarts) == ("Paris", 0)


def test_the_winner_s_text_takes_the_place_of_a_loser_s() -> None:
    """The backup finished first though the first was heard."""
    screen, voice = heard()
    one, other = voice.speaker(), voice.speaker()
    one("Par")
    other("Lyon.")
    voice.settle("Lyon.")

    assert (screen.text, screen.restarts) == ("Lyon.", 1)


def test_a_text_that_was_not_streamed_is_shown_whole_at_its_end() -> None:
    """Some providers cannot stream; a person must not see an empty answer."""
    screen, voice = heard()
    voice.speaker()
    voice.settle("Paris.")

    assert (screen.seen, screen.restarts) == (["Paris."], 0)


def test_a_draft_keeps_its_first_speaker_when_another_is_done_sooner() -> None:
    """A text that flips back and forth between two proposers cannot be read."""
    screen, voice = heard(draft=True)
    one, other = voice.speaker(), voice.speaker()
    one("Pa")
    other("Lyon.")
    voice.settle("Lyon.")
    one("ris")

    assert (screen.text, screen.restarts) == ("Paris", 0)


def test_a_draft_of_those_who_cannot_stream_is_the_first_that_is_done() -> None:
    """Without streaming the first whole proposal is still a draft worth showing."""
    screen, voice = heard(draft=True)
    voice.settle("Paris.")
    voice.settle("Lyon.")
    voice.speaker()("Rome.")

    assert screen.seen == ["Paris."]


def test_a_speaker_knows_when_it_began_to_speak() -> None:
    """The seconds to the first piece decide when the next one is called silent."""
    times = iter([10.0, 12.5, 13.0])
    screen = Screen()
    voice = Voice(screen.say, restart=screen.restart, clock=lambda: next(times))
    speaker = Speaker(voice)
    speaker("Par")
    speaker("is")

    assert (speaker.first_s, speaker.last_s, speaker.chars) == (2.5, 13.0, 5)


pieces = st.lists(st.text("abc ", min_size=1, max_size=3), min_size=1, max_size=5)
scripts = st.lists(st.tuples(pieces, st.booleans()), min_size=1, max_size=4)


@given(scripts=scripts, turns=st.lists(st.integers(0, 3), max_size=30), data=st.data())
def test_in_the_end_the_screen_shows_the_winner_s_text(
    scripts: list[tuple[list[str], bool]], turns: list[int], data: st.DataObject
) -> None:
    """However attempts interleave, fail and win: what stands is whole, and one speaker's own."""
    screen, voice = heard()
    speakers = [voice.speaker() for _ in scripts]
    said = [0 for _ in scripts]
    gone: set[int] = set()
    for turn in turns:
        who = turn % len(scripts)
        words, fails = scripts[who]
        if who in gone:
            continue
        if said[who] < len(words):
            speakers[who](words[said[who]])
            said[who] += 1
        elif fails:
            voice.leave(speakers[who])
            gone.add(who)
        prefixes = {beginning for words, _ in scripts for beginning in accumulate(words)}
        assert screen.text in prefixes | {""}
    winner = "".join(data.draw(st.sampled_from(scripts))[0])
    voice.settle(winner)

    assert screen.text == winner


def test_what_is_held_back_takes_no_word_from_a_draft() -> None:
    """A text that begins with a bracket may begin with a delimiter; the draft stands until then."""
    heard: list[str] = []
    voice = Voice(heard.append, restart=heard.clear, clock=lambda: 0.0)
    speaker = voice.speaker()
    speaker("[proposal")
    before = list(heard)
    speaker(" of mine]")

    assert before == []
    assert heard == ["[proposal of mine]"]
