# The provider acme: a model that repeats, loudly.
from contextlib import nullcontext

from moabot import Completion, Usage, hookimpl


class Acme:
    async def complete(self, prompt, *, model, wrote=None):
        return Completion(prompt.turns[-1].text.upper(), Usage(calls=1), "end")


@hookimpl
def moabot_register(register):
    register.provider("acme", lambda settings: nullcontext(Acme()))
