"""`moabot schema`: what an editor needs to complete and check a config.toml while it is written."""

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moabot.plugins import Kind, Offer, Plugins

__all__ = ["EXAMPLES", "schema", "schema_of"]

EXAMPLES = """\b
Examples:
  moabot schema > config.schema.json

\b
Then write this as the first line of config.toml, for editors with Taplo or
Even Better TOML:
  #:schema ./config.schema.json"""


def schema(context: typer.Context) -> None:
    """Print the JSON Schema of config.toml, for editors.

    With the keys of all plugins that it allows.
    """
    from moabot.cli import running  # noqa: PLC0415 - `--help` must stay fast

    with running.told():
        _, plugins = running.plugged(context)
        typer.echo(json.dumps(schema_of(plugins), indent=2))


def schema_of(plugins: "Plugins") -> dict[str, object]:
    """The schema, as JSON Schema 2020-12."""
    from moabot.config import Config  # noqa: PLC0415 - `--help` must stay fast

    whole = Config.model_json_schema()
    tables = whole["properties"]
    kinds: tuple[tuple[str, Kind], ...] = (("providers", "provider"), ("strategies", "strategy"))
    for table, kind in kinds:
        variants = [
            _own(offer, whole["$defs"], also={"plugin": {"const": name}})
            for name, offer in plugins.offers(kind).items()
        ]
        tables[table]["additionalProperties"] = {"anyOf": variants}
    tables["platforms"] |= {
        "properties": {
            name: _own(offer, whole["$defs"], also={})
            for name, offer in plugins.offers("platform").items()
        },
        "additionalProperties": False,
    }
    return whole


def _own(
    offer: "Offer", shared: "dict[str, object]", *, also: "Mapping[str, object]"
) -> dict[str, object]:
    """A plugin's own table; what its keys refer to joins what is shared."""
    own = offer.settings.model_json_schema()
    shared.update(own.pop("$defs", {}))
    own["properties"] = {**also, **own.get("properties", {})}
    own["required"] = [*also, *own.get("required", [])]
    own["additionalProperties"] = False
    return own
