"""What one answer is made by, from its beginning to its end, whatever is reloaded meanwhile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

from moabot.config import Config, Defaults, PanelSettings
from moabot.wording import Prompts

__all__ = ["Terms"]


@dataclass(frozen=True)
class Terms:
    """The settings that hold for a message, with the configuration in which they were found."""

    settings: Defaults
    config: Config
    prompts: Prompts

    @property
    def panel(self) -> PanelSettings:
        """Who is asked, and how far that may go."""
        return self.config.panels[self.settings.panel]

    @cached_property
    def key(self) -> str:
        """A hash of whatever changes the answer to the same question."""
        config, settings = self.config, self.settings
        chosen = (settings.strategy, settings.preset, settings.panel, settings.note)
        models = {name: model.model_dump_json() for name, model in config.models.items()}
        own = {name: plugin.model_dump_json() for name, plugin in config.strategies.items()}
        servers = {name: plugin.model_dump_json() for name, plugin in config.providers.items()}
        panel = self.panel.model_dump_json()
        whole = repr((chosen, panel, models, own, servers, self.prompts, version("moabot")))
        return hashlib.sha256(whole.encode()).hexdigest()
