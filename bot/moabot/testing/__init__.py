"""What tests of plugins stand on: scripted models, a whole bot on them, and the contracts' suites."""

from moabot.testing.cache import CacheContract
from moabot.testing.checked import ContractBroken
from moabot.testing.clock import VirtualTimeLoop
from moabot.testing.platform import PlatformContract
from moabot.testing.provider import ProviderContract
from moabot.testing.rehearsing import ask, rehearsal
from moabot.testing.replies import Heard, RecordingReply
from moabot.testing.scripted import Said, Script, ScriptedProvider, hangs, says
from moabot.testing.strategy import StrategyContract

__all__ = [
    "CacheContract",
    "ContractBroken",
    "Heard",
    "PlatformContract",
    "ProviderContract",
    "RecordingReply",
    "Said",
    "Script",
    "ScriptedProvider",
    "StrategyContract",
    "VirtualTimeLoop",
    "ask",
    "hangs",
    "rehearsal",
    "says",
]
