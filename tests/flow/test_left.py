"""What is left of budgets is what the bot itself would go by."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flow.conftest import Moabot


async def test_a_stored_setting_that_cannot_be_read_is_passed_over(moabot: Moabot) -> None:
    """As it is when somebody asks: an older or a newer version may have written it."""
    await moabot("ask", "Why?")
    rows = (("budget_month_usd", '{"budget_month_usd": "3"}'), ("note", "{not json"))
    with closing(sqlite3.connect(moabot.home / "data" / "moabot.db")) as database, database:
        insert = "INSERT INTO settings (key, name, value) VALUES ('console:local/terminal', ?, ?)"
        database.executemany(insert, rows)
    shown = await moabot("usage")

    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[-1].endswith("of $3 left this month")
