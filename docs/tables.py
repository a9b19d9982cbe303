"""The tables of README.md and docs/reference, from what is really there; cog puts them in place."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from moabot import config, hookspecs
from moabot.cli import app
from moabot.plugins import Kind, Offer, Plugins
from moabot.presets import PRESETS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = [
    "commands",
    "commands_briefly",
    "configuration",
    "hooks",
    "hooks_briefly",
    "plugin_settings",
    "presets",
    "providers",
    "strategies",
    "table",
]

PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    Path: "path",
}
TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("the top of the file", config.Config),
    ("[providers.NAME] and [strategies.NAME]", config.PluginSettings),
    ("[models.NAME]", config.ModelSettings),
    ("[models.NAME.price]", config.PriceSettings),
    ("[panels.NAME]", config.PanelSettings),
    ("[panels.NAME] proposers", config.ProposerSettings),
    ("[defaults]", config.Defaults),
    (
        '[channels."PLATFORM:WORKSPACE/CHANNEL"] and [channels."PLATFORM:WORKSPACE"]',
        config.ChannelSettings,
    ),
    ("[prompts]", config.PromptSettings),
    ("[limits]", config.LimitSettings),
    ("[admission]", config.AdmissionSettings),
    ("[admission.allow] and [admission.deny]", config.Names),
    ("[store]", config.StoreSettings),
    ("[store.keep_days]", config.KeepDays),
    ("[plugins]", config.Plugging),
)


def providers() -> str:
    """Each provider on offer, what it is, and the variable that switches it on."""
    rows = [
        (f"`{name}`", _about(offer), _switch(offer)) for name, offer in _offers("provider").items()
    ]
    return table(("provider", "what it asks", "used by itself when"), rows)


def strategies() -> str:
    """Each strategy on offer and its one sentence."""
    rows = [
        (f"`{name}`", _about(offer).removeprefix(f"{name}: "))
        for name, offer in _offers("strategy").items()
    ]
    return table(("strategy", "what it does"), rows)


def presets() -> str:
    """Each depth: how many propose, and how often they are combined."""
    rows = [
        (f"`{name}`", str(depth.proposers), str(max(depth.layers - 1, 0)), _calls(name))
        for name, depth in PRESETS.items()
    ]
    return table(
        ("preset", "models that propose", "layers of two aggregators", "calls of `mixture`"), rows
    )


def plugin_settings(kind: Kind) -> str:
    """The keys that each plugin of one kind defines."""
    parts: list[str] = []
    for name, offer in _offers(kind).items():
        if offer.settings.model_fields:
            parts.append(f'### plugin = "{name}"\n\n{_fields(offer.settings)}')
    return "\n\n".join(parts)


def configuration() -> str:
    """Every key of config.toml."""
    return "\n\n".join(
        f"## {title}\n\n{inspect.getdoc(model)}\n\n{_fields(model)}" for title, model in TABLES
    )


def hooks() -> str:
    """Each hook with its arguments and its whole docstring."""
    return "\n\n".join(
        f"## {name}({', '.join(inspect.signature(hook).parameters)})\n\n"
        f"```text\n{name}{str(inspect.signature(hook)).replace(chr(39), '')}\n```\n\n"
        f"{inspect.getdoc(hook)}"
        for name, hook in _hooks()
    )


def hooks_briefly() -> str:
    """Each hook and its first sentence."""
    rows = [
        (f"`{name}({', '.join(inspect.signature(hook).parameters)})`", _first(inspect.getdoc(hook)))
        for name, hook in _hooks()
    ]
    return table(("hook", "what it is for"), rows)


def commands_briefly() -> str:
    """Each command and its first sentence."""
    rows = [(f"`moabot {name}`", _first(command.help)) for name, command in _commands()]
    return table(("command", "what it does"), rows)


def commands() -> str:
    """Each command with its help and its options."""
    parts = [f"## moabot\n\nBefore any command:\n\n{_options(_program())}"]
    for name, command in _commands():
        help_ = inspect.cleandoc(command.help or "")
        parts.append(f"## moabot {name}\n\n{help_}\n\n{_options(command)}")
    return "\n\n".join(parts)


def _offers(kind: Kind) -> Mapping[str, Offer]:
    plugins = Plugins()
    if plugins.problems:
        raise SystemExit("\n".join(plugins.problems))
    return plugins.offers(kind)


def _about(offer: Offer) -> str:
    """The first sentence of the module that offers it."""
    return _first(inspect.getdoc(sys.modules[offer.owner]))


def _switch(offer: Offer) -> str:
    if offer.starter is None:
        return "never; needs a table in config.toml"
    if not offer.starter.key_env:
        return "no key is set"
    return f"`{offer.starter.key_env}` is set"


def _calls(preset: str) -> str:
    depth = PRESETS[preset]
    return "1" if depth.layers == 0 else str(depth.proposers + 2 * (depth.layers - 1) + 1)


def _hooks() -> Iterator[tuple[str, Callable[..., object]]]:
    for name in hookspecs.__all__:
        if name.startswith("moabot_"):
            yield name, getattr(hookspecs, name)


def _program() -> TyperGroup:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    return program


def _commands() -> Iterator[tuple[str, TyperCommand]]:
    for name, command in _program().commands.items():
        if isinstance(command, TyperGroup):
            for part, below in command.commands.items():
                assert isinstance(below, TyperCommand)
                yield f"{name} {part}", below
        else:
            assert isinstance(command, TyperCommand)
            yield name, command


def _options(command: TyperCommand | TyperGroup) -> str:
    rows = [
        (
            ", ".join(f"`{flag}`" for flag in [*option.opts, *option.secondary_opts]),
            option.help or "",
        )
        for option in command.params
        if isinstance(option, TyperOption)
    ]
    return table(("option", "what it does"), rows) if rows else "It has no options of its own."


def _fields(model: type[BaseModel]) -> str:
    rows = [
        (f"`{name}`", _type(field.annotation), _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]
    return table(("key", "value", "default", "meaning"), rows)


def _type(annotation: object) -> str:
    """A type as an administrator would say it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    if isinstance(annotation, type) and annotation in PLAIN:
        return PLAIN[annotation]
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in arguments if part is not NoneType)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return "tables by name" if arguments and _type(arguments[-1]) == "table" else "text by name"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value: object = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ((), {}):
        return ""
    return f"`{json.dumps(value, default=str)}`"


def _first(text: str | None) -> str:
    """The first sentence; it may run over a line's end."""
    return " ".join((text or "").split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines
    )
