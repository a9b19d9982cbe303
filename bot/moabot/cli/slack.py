"""`moabot slack manifest`: what to paste when the Slack app is made."""

from __future__ import annotations

import typer

__all__ = ["EXAMPLES", "slack"]

EXAMPLES = """\b
Examples:
  moabot slack manifest
  moabot slack manifest --name oracle
  moabot slack key"""

LONGEST = 35
"""Characters of an app's name, as Slack has it."""

slack = typer.Typer(no_args_is_help=True, help="Set up the bot in Slack.")


@slack.command("manifest", epilog=EXAMPLES)
def manifest(
    context: typer.Context,
    *,
    name: str = typer.Option("moabot", help="What the bot is called in Slack."),
) -> None:
    """Print the manifest of the Slack app, to be pasted when it is made.

    It follows [platforms.slack] as it is configured; no token is needed.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import read_config  # noqa: PLC0415 - as above
    from moabot.errors import ConfigError  # noqa: PLC0415 - as above
    from moabot.validation import validated  # noqa: PLC0415 - as above
    from moabot_platforms.slack import manifest as made  # noqa: PLC0415 - as above
    from moabot_platforms.slack.settings import SlackSettings  # noqa: PLC0415 - as above

    with running.told():
        if len(name) > LONGEST:
            raise ConfigError(
                f"--name: {name!r} has {len(name)} characters.",
                fix=f"Slack takes at most {LONGEST}.",
            )
        chosen = read_config(context).platforms.get("slack")
        own = chosen.own() if chosen is not None else {}
        settings = validated(SlackSettings, own, where="[platforms.slack]")
        typer.echo(made.manifest(settings, name=name))


@slack.command("key")
def key() -> None:
    """Print a new key that seals the tokens of many workspaces.

    It belongs into the variable that [platforms.slack] secret_key_env names.
    """
    from moabot_platforms.slack.sealing import new_key  # noqa: PLC0415 - as above

    typer.echo(new_key())
