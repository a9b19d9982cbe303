"""`moabot discord invite`: the link that brings the bot to a server."""

from __future__ import annotations

import typer

__all__ = ["EXAMPLES", "app"]

EXAMPLES = """\b
Examples:
  moabot discord invite
  moabot discord invite --application 123456789012345678"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Set up the bot on Discord.")


@app.callback()
def discord() -> None:
    """Set up the bot on Discord."""


@app.command("invite", epilog=EXAMPLES)
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
    import asyncio  # noqa: PLC0415 - `--help` must stay fast

    from moabot.cli import running  # noqa: PLC0415 - as above
    from moabot.validation import validated  # noqa: PLC0415 - as above
    from moabot_platforms.discord.inviting import (  # noqa: PLC0415 - as above
        PERMISSIONS,
        invitation,
    )
    from moabot_platforms.discord.settings import DiscordSettings  # noqa: PLC0415 - as above

    with running.told():
        config, _ = running.setup(context)
        if application is None:
            from moabot_platforms.discord.checking import (  # noqa: PLC0415 - loads the SDK
                application_id,
            )

            table = config.platforms.get("discord")
            own = {} if table is None else table.own()
            settings = validated(DiscordSettings, own, where="[platforms.discord]")
            application = asyncio.run(application_id(settings))
        typer.echo(invitation(application))
        typer.echo(f"It asks for: {', '.join(PERMISSIONS)}.", err=True)
