"""One text that several attempts may write: the first that speaks is heard, until it fails."""

from __future__ import annotations

from collections.abc import Callable

from moabot.belief import wellformed
from moabot.contract import Wrote
from moabot.fencing import Unfenced

__all__ = ["Speaker", "Voice"]


class Speaker:
    """One attempt's line to the voice: call it with each piece of text.

    `first_s` are the seconds to its first piece, `last_s` the clock at its last sign of life.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._began = self.last_s = voice.clock()
        self.first_s = float("inf")
        self.pieces: list[str] = []
        self._unfenced = Unfenced()

    def __call__(self, piece: str) -> None:
        """Say the next piece; raises `TypeError`, for the plugin that said it, when it is no text."""
        piece = self._unfenced(wellformed(_text(piece)))
        self.last_s = self._voice.clock()
        if not self.pieces:
            self.first_s = self.last_s - self._began
        self.pieces.append(piece)
        self._voice.heard(self, piece)

    @property
    def chars(self) -> int:
        """How many characters it has said."""
        return sum(map(len, self.pieces))


class Voice:
    """Lets one of several speakers through to `say`; `restart` voids what was said.

    In a `draft` several texts compete and any of them will do: the first to speak keeps the word.
    `clock` gives the time in seconds.
    """

    def __init__(
        self,
        say: Wrote,
        *,
        restart: Callable[[], None],
        clock: Callable[[], float],
        draft: bool = False,
    ) -> None:
        self._say = say
        self._restart = restart
        self._draft = draft
        self.clock = clock
        self._speaker: Speaker | None = None
        self._said: list[str] = []

    def speaker(self) -> Speaker:
        """A line for one attempt."""
        return Speaker(self)

    def heard(self, speaker: Speaker, piece: str) -> None:
        """A speaker said a piece; it is let through when the voice is free or its own."""
        if not piece:  # what may become a delimiter is held back
            return
        if self._speaker is None and not self._said:
            self._speaker = speaker
            piece = "".join(speaker.pieces)
        if self._speaker is speaker:
            self._tell(piece)

    def leave(self, speaker: Speaker) -> None:
        """A speaker failed: if it was heard, its text is void and the voice is free."""
        if self._speaker is speaker:
            self._speaker = None
            self._void()

    def settle(self, text: str) -> None:
        """This text won: whatever was said, it is what stands. A draft stays as it began."""
        said = "".join(self._said)
        if said == text or (self._draft and said):
            return
        if not text.startswith(said):
            self._void()
            said = ""
        self._tell(text.removeprefix(said))

    def _tell(self, piece: str) -> None:
        self._said.append(piece)
        self._say(piece)

    def _void(self) -> None:
        self._said.clear()
        self._restart()


def _text(piece: object) -> str:
    if isinstance(piece, str):
        return piece
    raise TypeError(f"wrote was given {piece!r:.80}, which is no text")
