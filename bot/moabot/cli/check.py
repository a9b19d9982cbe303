"""`moabot check`: whether configuration, plugins and database are as they should be."""

import typer

__all__ = ["EXAMPLES", "check"]

EXAMPLES = """\b
Examples:
  moabot check
  moabot --config team.toml check"""


def check(context: typer.Context) -> None:
    """Check configuration, plugins and database.

    The exit code is 1 when something is wrong.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast
    from moabot.cli.storing import with_store  # noqa: PLC0415 - as above
    from moabot_platforms.console.screen import complain  # noqa: PLC0415 - as above

    with running.told():
        config, plugins = running.setup(context)
        typer.echo(f"configuration: {len(config.panels)} panels, {len(config.models)} models")
        database = config.data_dir / "moabot.db"
        wrong = list(plugins.problems)
        if database.exists():
            found = with_store(config, lambda store: store.check())
            wrong += [f"The database {str(database)!r} is damaged: {each}." for each in found]
            for each in found:
                complain(f"{each}; put a backup in the place of {str(database)!r}.")
            typer.echo(f"database: {'damaged' if found else 'whole'}")
        else:
            typer.echo(f"database: none yet in {str(config.data_dir)!r}")
        raise typer.Exit(running.NO_ANSWER if wrong else running.OK)
