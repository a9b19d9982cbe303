"""The options that commands share, and how a command's options become one frozen value."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer

__all__ = ["Json", "Panel", "Preset", "QuestionOptions", "Strategy", "spread"]

T = TypeVar("T")


def spread(options: type[T]) -> Callable[[Callable[[typer.Context, T], None]], Callable[..., None]]:
    """Each field of the frozen dataclass `options` becomes an option of the decorated command.

    So a command takes two values however many options it has, and can hand them on as one.
    """

    def decorate(command: Callable[[typer.Context, T], None]) -> Callable[..., None]:
        def spreading(context: typer.Context, **given: object) -> None:
            command(context, options(**given))

        spread_out = inspect.signature(options).parameters.values()
        context = inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        parameters = [context, *spread_out]
        # typer reads both, and must find the same in them.
        vars(spreading)["__signature__"] = inspect.Signature(parameters)
        spreading.__annotations__ = {each.name: each.annotation for each in parameters}
        spreading.__doc__ = command.__doc__
        return spreading

    return decorate


def _strategies(incomplete: str) -> list[str]:
    from moabot.plugins import Plugins  # noqa: PLC0415 - only while a shell completes

    return [name for name in Plugins().offers("strategy") if name.startswith(incomplete)]


def _presets(incomplete: str) -> list[str]:
    from moabot import config  # noqa: PLC0415 - only while a shell completes

    return [name for name in get_args(config.Preset) if name.startswith(incomplete)]


def _panels(incomplete: str) -> list[str]:
    from moabot import config  # noqa: PLC0415 - only while a shell completes
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above

    try:
        panels = config.load(None).panels
    except ConfigError:  # it is told when the line is run, not while it is typed
        return []
    return [name for name in panels if name.startswith(incomplete)]


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUESTION",
        help="What you want to know; '-', or nothing in a pipe, reads it from stdin.",
        show_default=False,
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="A text to append to the question, or an image to show. Repeatable.",
        show_default=False,
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How to think: single, mixture, router, specialization, refinement, vote.",
        autocompletion=_strategies,
        show_default=False,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How deeply: fast, balanced, thorough, deep or max.",
        autocompletion=_presets,
        show_default=False,
    ),
]
Panel = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Which [panels] entry of the configuration answers.",
        autocompletion=_panels,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True)
class QuestionOptions:
    """A question, and how it is to be answered."""

    words: Words = None
    file: Files = None
    strategy: Strategy = None
    preset: Preset = None
    panel: Panel = None
    json: Json = False
