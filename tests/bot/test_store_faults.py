"""What is wrong with a disk or a file is said with its remedy, and nothing is destroyed."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from moabot.contract import Scope
from moabot.errors import StoreError
from moabot.store.rows import Accepted
from moabot.store.schema import CHANGES
from moabot.store.sqlite import SqliteStore, opened


def accepted(event: str, *, text: str = "hello") -> Accepted:
    """A message as the journal hands it over."""
    return Accepted(
        event=event,
        scope=Scope("slack", "T1", "C1"),
        author="U1",
        text=text,
        addressed=True,
        said_at=0.0,
        seed=b"seed",
        at=0.0,
    )


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where the database is to be."""
    return tmp_path / "deep" / "data"


async def _filled(data_dir: Path) -> None:
    async with opened(data_dir, alone=True) as store:
        await store.accept(accepted("slack:E1"))


async def _unfinished(data_dir: Path) -> int:
    async with opened(data_dir, alone=True) as store:
        return len(await store.take_up("slack"))


async def test_directory_and_files_belong_to_their_owner_alone(data_dir: Path) -> None:
    """Questions are private, also from the other users of the machine."""
    old = os.umask(0)
    try:
        async with opened(data_dir, alone=True) as store:
            await store.accept(accepted("slack:E1"))
            rights = _rights(data_dir)
    finally:
        os.umask(old)

    assert rights == {
        "data": 0o700,
        "moabot.db": 0o600,
        "moabot.db-wal": 0o600,
        "moabot.db-shm": 0o600,
        "moabot.lock": 0o600,
    }


def _rights(directory: Path) -> dict[str, int]:
    files = (directory, *directory.iterdir())
    return {file.name: file.stat().st_mode & 0o777 for file in files}


async def test_a_second_bot_is_refused_and_told_who_is_there(data_dir: Path) -> None:
    """Two bots on one journal would answer everything twice."""
    async with opened(data_dir, alone=True):
        with pytest.raises(StoreError, match=rf"running \(process {os.getpid()}\)\. Stop that one"):
            async with opened(data_dir, alone=True):
                pytest.fail("it was let in")
        async with opened(data_dir, alone=False) as beside:
            assert await beside.accept(accepted("slack:E2"))

    assert await _unfinished(data_dir) == 1


async def test_a_bot_that_was_killed_leaves_no_lock_behind(data_dir: Path) -> None:
    """After a power cut nobody is there to remove a file."""
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path;"
        "from moabot.store.sqlite import opened\n"
        "async def main():\n"
        "    async with opened(Path(sys.argv[1]), alone=True):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, str(data_dir)], check=False
    )

    assert killed.returncode < 0
    assert (data_dir / "moabot.lock").exists()
    assert await _unfinished(data_dir) == 0


async def test_a_damaged_file_is_named_and_left_as_it_is(data_dir: Path) -> None:
    """A remedy may still read what we cannot; nothing may write over it."""
    await _filled(data_dir)
    file = data_dir / "moabot.db"
    file.write_bytes(b"This is no database." + file.read_bytes()[20:])
    before = file.read_bytes()

    with pytest.raises(StoreError, match=r"moabot\.db' is damaged .* Put a backup in its place"):
        await _unfinished(data_dir)
    assert file.read_bytes() == before


async def test_a_hole_in_the_file_is_found_by_the_check(data_dir: Path) -> None:
    """A bad sector need not be noticed for months; `moabot check` looks."""
    async with opened(data_dir, alone=True) as store:
        await asyncio.gather(*[store.accept(accepted(f"E{n}", text="x" * 500)) for n in range(200)])
    file = data_dir / "moabot.db"
    whole = file.read_bytes()
    half = len(whole) // 2 // 4096 * 4096
    file.write_bytes(whole[:half] + b"\xff" * 4096 + whole[half + 4096 :])

    async with opened(data_dir, alone=False) as store:
        try:
            found = list(await store.check())
        except StoreError as error:
            found = [str(error)]
    assert found


async def test_the_database_of_a_newer_moabot_is_not_touched(data_dir: Path) -> None:
    """After a downgrade, guessing at unknown tables would lose what they hold."""
    await _filled(data_dir)
    with closing(sqlite3.connect(data_dir / "moabot.db")) as connection:
        connection.execute(f"PRAGMA user_version = {len(CHANGES) + 1}")

    with pytest.raises(StoreError, match="newer moabot"):
        await _unfinished(data_dir)


async def test_a_change_of_tables_that_fails_leaves_the_old_ones_whole(tmp_path: Path) -> None:
    """Half a migration is a database that no version can read."""
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as connection:
        connection.executescript(CHANGES[0])
        connection.execute("PRAGMA user_version = 1")
        connection.execute("CREATE TABLE settings (surprise TEXT)")  # the second change makes it
        connection.commit()

    with pytest.raises(StoreError, match="settings already exists"):
        await _unfinished(tmp_path)
    with closing(sqlite3.connect(tmp_path / "moabot.db")) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "turns" not in tables


async def test_a_command_does_not_change_the_tables_under_a_running_bot(data_dir: Path) -> None:
    """The bot that runs is of the old version, and would stumble over new tables."""
    await _filled(data_dir)
    async with opened(data_dir, alone=True):
        with closing(sqlite3.connect(data_dir / "moabot.db")) as connection:
            connection.execute("PRAGMA user_version = 1")
        with pytest.raises(StoreError, match="Stop that one first"):
            async with opened(data_dir, alone=False):
                pytest.fail("it was let in")


async def test_a_file_locked_by_another_program_is_named(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database browser left open in a transaction stops every write."""
    await _filled(data_dir)
    async with opened(data_dir, alone=True) as store:
        store._writer._connection.execute("PRAGMA busy_timeout = 20")
        with closing(sqlite3.connect(data_dir / "moabot.db")) as browser:
            browser.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked by another program"):
                await store.accept(accepted("slack:E2"))
        assert await store.accept(accepted("slack:E2"))


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A typing error in data_dir, or a file where a directory should be."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="Set data_dir to a directory that may be written"):
        await _unfinished(tmp_path / "file" / "data")


async def test_a_full_database_refuses_and_takes_again_when_there_is_room(data_dir: Path) -> None:
    """Room comes back without a restart of the bot; a bound on pages plays the disk."""
    async with opened(data_dir, alone=True) as store:
        await store.accept(accepted("slack:E1"))
        pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
        store._writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")

        with pytest.raises(StoreError, match=r"has no room on its disk .* Make room"):
            await store.accept(accepted("slack:E2", text="x" * 100_000))
        store._writer._connection.execute("PRAGMA max_page_count = 1000000")
        assert await store.accept(accepted("slack:E2", text="x" * 100_000))

    assert await _unfinished(data_dir) == 2


async def test_no_question_is_taken_when_little_room_is_left(data_dir: Path) -> None:
    """What was taken on must find room for its calls."""
    async with opened(data_dir, alone=True, keep_free_mb=10**9) as store:
        with pytest.raises(StoreError, match="keep_free_mb = 1000000000, so no new question"):
            await store.accept(accepted("slack:E1"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of one megabyte; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("Only root may mount a small disk.")
    mounting = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("This machine lets nobody mount.")
    yield place
    subprocess.run([umount, str(place)], check=True)


@pytest.fixture
def small_files() -> Generator[None]:
    """No file may grow beyond 100 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_copy_that_cannot_grow_is_what_is_blamed(
    data_dir: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Who looks for room on the disk of the database looks at the wrong disk."""
    async with opened(data_dir, alone=True) as store:
        await store.accept(accepted("slack:E1", text="x" * 200_000))
        request.getfixturevalue("small_files")
        with pytest.raises(
            StoreError, match=r"The backup '.*copy\.db' cannot be written: disk I/O"
        ):
            await store.back_up(tmp_path / "copy.db")

    assert list(tmp_path.glob("copy*")) == []


async def test_a_database_that_cannot_be_read_is_blamed_itself(
    data_dir: Path, tmp_path: Path
) -> None:
    """No other place for the copy would help."""
    async with opened(data_dir, alone=True) as store:
        await store.accept(accepted("slack:E1"))
        store._reading.close()
        with pytest.raises(StoreError, match=r"The database '.*moabot\.db' did not do as asked"):
            await store.back_up(tmp_path / "copy.db")


async def test_a_full_disk_costs_nothing_that_was_taken_on(small_disk: Path) -> None:
    """The same with a disk that is truly full, of which SQLite tells in its own way."""
    async with opened(small_disk / "data", alone=True) as store:
        taken = await _fill(store, small_disk)
        with pytest.raises(StoreError, match=r"no room on its disk|by the disk"):
            await store.accept(accepted("slack:more", text="x" * 50_000))
        (small_disk / "ballast").unlink()
        assert await store.accept(accepted("slack:more"))

    async with opened(small_disk / "data", alone=True) as store:
        again = [await store.accept(accepted(f"slack:E{number}")) for number in range(taken)]
        assert list(await store.check()) == []
    assert again == [False] * taken
    assert taken > 3


async def _fill(store: SqliteStore, disk: Path) -> int:
    (disk / "ballast").write_bytes(b"x" * 300_000)
    for number in range(1000):
        try:
            await store.accept(accepted(f"slack:E{number}", text="x" * 20_000))
        except StoreError:
            return number
    return 0


async def test_a_disk_that_became_read_only_is_named(small_disk: Path) -> None:
    """A kernel mounts a failing disk read-only, in the middle of everything."""
    await _filled(small_disk / "data")
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)  # noqa: ASYNC221 - a test may wait

    with pytest.raises(StoreError, match="cannot be written"):
        await _unfinished(small_disk / "data")
    subprocess.run([*remount[:2], "remount,rw", str(small_disk)], check=True)  # noqa: ASYNC221
    assert await _unfinished(small_disk / "data") == 1
