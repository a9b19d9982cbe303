"""`moabot discord invite`: the link that brings the bot to a server."""

from __future__ import annotations

import typer

__all__ = ["EXAMPLES", "discord"]

EXAMPLES = """\b
Examples:
  moabot discord invite
  moabot discord invite --application 123456789012345678"""

discord = typer.Typer(no_args_is_help=True, help="Set up the bot on Discord.")


@discord.command("invite", epilog=EXAMPLES)
def invite(
    context: typer.Context,
    *,
    application: int | None = typer.Option(
        None,
        metavar="ID",
        help="The application's id (default: the one that the bot's token belongs to).",
        show_default=False,
    ),
) -> None:
    """Print the link where who manages a server lets the bot in, with what it may do there."""
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot_platforms.discord.inviting import (  # noqa: PLC0415 - as above
        PERMISSIONS,
        invitation,
    )

    with running.told():
        number = _own(context) if application is None else application
        typer.echo(invitation(number))
        typer.echo(f"It asks for: {', '.join(PERMISSIONS)}.", err=True)


def _own(context: typer.Context) -> int:
    """The id of the application that the configured token belongs to; asks Discord."""
    import asyncio  # noqa: PLC0415 - as above

    from moabot.cli.storing import read_config  # noqa: PLC0415 - as above
    from moabot.validation import validated  # noqa: PLC0415 - as above
    from moabot_platforms.discord.checking import application_id  # noqa: PLC0415 - the SDK
    from moabot_platforms.discord.settings import DiscordSettings  # noqa: PLC0415 - as above

    chosen = read_config(context).platforms.get("discord")
    own = chosen.own() if chosen is not None else {}
    settings = validated(DiscordSettings, own, where="[platforms.discord]")
    return asyncio.run(application_id(settings))
