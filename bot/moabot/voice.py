"""One text that several attempts may write: the first that speaks is heard, until it fails."""

from __future__ import annotations

from collections.abc import Callable

from moabot.contract import Wrote

__all__ = ["Speaker", "Voice"]


class Speaker:
    """One attempt's line to the voice: call it with each piece of text."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._began = voice.clock()
        self.first_s = float("inf")
        self.pieces: list[str] = []

    def __call__(self, piece: str) -> None:
        """Say the next piece."""
        if not self.pieces:
            self.first_s = self._voice.clock() - self._began
        self.pieces.append(piece)
        self._voice.heard(self, piece)

    @property
    def chars(self) -> int:
        """How many characters it has said."""
        return sum(map(len, self.pieces))


class Voice:
    """Lets one of several speakers through to `say`; `restart` voids what was said.

    With `say` None nobody listens, but signs of life are still noted. `clock` gives the time.
    """

    def __init__(
        self, say: Wrote | None, *, restart: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._say = say
        self._restart = restart
        self.clock = clock
        self._speaker: Speaker | None = None
        self.heard_at = clock()

    def speaker(self) -> Speaker:
        """A line for one attempt."""
        return Speaker(self)

    def heard(self, speaker: Speaker, piece: str) -> None:
        """A speaker said a piece; it is let through when the voice is free or its own."""
        self.heard_at = self.clock()
        if self._speaker is None:
            self._speaker = speaker
            piece = "".join(speaker.pieces)
        if self._speaker is speaker and self._say is not None:
            self._say(piece)

    def leave(self, speaker: Speaker) -> None:
        """A speaker failed: if it was heard, its text is void and the voice is free."""
        if self._speaker is speaker:
            self._speaker = None
            self._restart()

    def settle(self, speaker: Speaker, text: str) -> None:
        """A speaker finished with `text`: whatever was said, this is what stands."""
        if self._speaker is speaker and "".join(speaker.pieces) == text:
            return
        if self._speaker is not None:
            self._restart()
        self._speaker = speaker
        if self._say is not None:
            self._say(text)
