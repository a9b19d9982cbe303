"""What people see of an answer in Slack, as a page: real payloads, in a likeness of Slack's looks.

    python bench/slack_pages.py OUT.html [--chromium chromium]      # with it, also OUT.png

The bot answers on scripted models in our fake Slack (tests/fakes/slack); what it posted is drawn
block by block. Slack's own fonts, colours and its drawing of Markdown differ; order, wording and
what stands where do not.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]
from markdown_it import MarkdownIt
from tests.adapters.slack.conftest import running
from tests.fakes.loops import LoopbackTimeLoop
from tests.fakes.slack import FakeSlack, Post

from moabot.testing import ScriptedProvider, says

Json = Mapping[str, Any]
ANSWER = """\
The sky is blue because air scatters **short** wavelengths more than long ones.

| light | wavelength | scattered |
|---|---:|---|
| violet | 400 nm | most |
| red | 700 nm | least |

```python
def scattered(wavelength_nm: float) -> float:
    return wavelength_nm ** -4
```

1. Sunlight holds all colours.
2. Blue is scattered *about five times* as much as red.

> At sunset the way through the air is longer, so little blue is left. ![sun](https://example.org/x.png)
"""
STYLE = """
body{font:15px/1.46 Lato,'Liberation Sans',sans-serif;width:720px;margin:24px;color:#1d1c1d}
.post{border-top:1px solid #ddd;padding:10px 0} .who{font-weight:700}
.task{border:1px solid #ddd;border-radius:8px;padding:4px 10px;margin:3px 0;color:#454447}
.plan{font-weight:700;margin:6px 0} .context{color:#616061;font-size:13px;margin:6px 0}
button{font:700 13px Lato,sans-serif;border:1px solid #bbb;border-radius:4px;background:#fff;
padding:5px 12px;margin:4px 6px 0 0} .danger{color:#e01e5a;border-color:#e01e5a}
pre{background:#f8f8f8;border:1px solid #ddd;border-radius:4px;padding:8px;overflow-x:auto}
table{border-collapse:collapse} td,th{border:1px solid #ddd;padding:3px 10px}
blockquote{border-left:4px solid #ddd;margin:4px 0;padding-left:12px}
h2{font-size:14px;color:#888;margin-top:28px}
"""
SIGNS = {"in_progress": "◌", "complete": "✓", "error": "✗", "pending": "·"}


async def _seen() -> list[tuple[str, str]]:
    fast = {"seconds": 2.0, "word_s": 0.05}
    provider = ScriptedProvider(
        {
            "claude": [says("Rayleigh.", seconds=3.1), says(ANSWER, **fast)],
            "gpt": says("Scattering.", seconds=5),
            "gemini": says(error=RuntimeError("down"), seconds=1),
        }
    )
    tables = {
        "models": {name: {"provider": "scripted", "name": name} for name in provider.scripts},
        "panels": {
            "default": {
                "proposers": [
                    {"model": "claude", "role": "analytical"},
                    {"model": "gpt", "role": "critical"},
                    {"model": "gemini"},
                ],
                "synthesizer": ["claude"],
                "tries": 1,
            }
        },
    }
    pages: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeSlack() as slack,
            running(slack, provider, Path(folder), tables=tables) as bot,
        ):
            asked = slack.mention("C1", "U1", "Why is the sky blue?")
            await asyncio.sleep(4)
            pages.append(("After 4 seconds", _thread(bot.answers(asked.ts))))
            await asyncio.sleep(5)
            pages.append(("While it is written", _thread(bot.answers(asked.ts))))
            (post,) = await bot.answered(asked.ts)
            pages.append(("In the end", _thread([post])))
            slack.click(post, "moabot_proposals", user="U1")
            await slack.until(lambda: bool(slack.private("U1")))
            pages.append(("Show proposals", _thread(slack.private("U1"))))
            slack.faults.busy, slack.faults.of = 1.0, frozenset({"chat.startStream"})
            again = slack.mention("C1", "U1", "And at night?")
            await asyncio.sleep(2.5)
            pages.append(("Without a stream, after 2.5 seconds", _thread(bot.answers(again.ts))))
            await bot.answered(again.ts)
            return [*pages, *await _around(slack)]


async def _around(slack: FakeSlack) -> list[tuple[str, str]]:
    slack.open_home("U1")
    await slack.until(lambda: slack.home("U1") is not None)
    home = slack.home("U1")
    helped = slack.slash("C1", "U1", "help")
    await helped.acked()
    await slack.slash("C1", "U9", "strategy").acked()
    await slack.until(lambda: bool(slack.views))
    return [
        ("Home tab", _blocks(home.content["blocks"] if home else [])),
        ("/moa help", _mrkdwn(str(helped.answer.get("text")))),
        ("/moa strategy", _blocks(slack.views[0].content["blocks"])),
    ]


def _thread(posts: list[Post]) -> str:
    return "".join(
        f'<div class="post"><div class="who">moabot</div>{_post(p)}</div>' for p in posts
    )


def _post(post: Post) -> str:
    parts: list[str] = []
    if post.stream is not None and post.stream.plan:
        parts.append(f'<div class="plan">{html.escape(post.stream.plan)}</div>')
    for task in post.tasks.values():
        said = f"{SIGNS[task['status']]} {task['title']} &nbsp; {task.get('details', '')}"
        parts.append(f'<div class="task">{said}</div>')
    parts += [_markdown(post.markdown)] if post.markdown else []
    parts.append(_blocks(post.blocks) if post.blocks else _mrkdwn(post.text))
    return "".join(parts)


def _blocks(blocks: list[Any]) -> str:
    return "".join(_block(block) for block in blocks)


def _block(block: Json) -> str:
    match block["type"]:
        case "markdown":
            return _markdown(block["text"])
        case "section":
            extra = "<button>this conversation ▾</button>" if "accessory" in block else ""
            return f"<p>{_mrkdwn(block['text']['text'])} {extra}</p>"
        case "context":
            return f'<div class="context">{_mrkdwn(block["elements"][0]["text"])}</div>'
        case "divider":
            return "<hr>"
        case "input":
            chosen = block["element"].get("initial_option", {}).get("value", "")
            return f"<p><b>{block['label']['text']}</b><br><button>{chosen} ▾</button></p>"
        case _:
            return "<div>" + "".join(_button(each) for each in block["elements"]) + "</div>"


def _button(element: Json) -> str:
    if element["type"] == "feedback_buttons":
        return "<button>👍</button><button>👎</button>"
    return f'<button class="{element.get("style", "")}">{element["text"]["text"]}</button>'


def _markdown(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


def _mrkdwn(text: str) -> str:
    bold = re.sub(r"(?<!\w)\*([^*\n]+)\*", r"<b>\1</b>", text)
    code = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", bold)
    return code.replace("\n", "<br>").replace(":warning:", "⚠️")


def main() -> None:
    """Write the page, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--chromium", default="")
    given = parser.parse_args()
    os.environ["SLACK_BOT_TOKEN"], os.environ["SLACK_APP_TOKEN"] = "xoxb-T1-fake", "xapp-1-A1-fake"
    with asyncio.Runner(loop_factory=LoopbackTimeLoop) as runner:
        pages = runner.run(_seen())
    body = "".join(f"<h2>{title}</h2>{page}" for title, page in pages)
    given.out.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}")
    print(given.out)
    if given.chromium:
        picture = given.out.with_suffix(".png").resolve()
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=780,3300"]
        subprocess.run(
            [given.chromium, *options, f"--screenshot={picture}", given.out.resolve().as_uri()],
            check=True,
            capture_output=True,
        )
        print(picture)


if __name__ == "__main__":
    main()
