"""The fake Slack lets an app in as Slack does: codes are for one app, one address, one use."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from tests.fakes.slack import FakeSlack

SECRET = "client-secret"
BACK = "https://bot.example/slack/oauth_redirect"


@pytest.fixture
async def slack() -> AsyncGenerator[FakeSlack]:
    """With an app whose manifest names one address."""
    async with FakeSlack() as made:
        made.room.redirects = (BACK,)
        yield made


async def worth(
    slack: FakeSlack,
    code: str,
    *,
    client_id: str = "client-id",
    secret: str = SECRET,
    back: str = BACK,
) -> str:
    """What a code is worth: the token, or why it gets none."""
    given = {"client_id": client_id, "client_secret": secret, "code": code, "redirect_uri": back}
    url = f"{slack.api_url}oauth.v2.access"
    async with aiohttp.ClientSession() as session, session.post(url, data=given) as reply:
        said = await reply.json()
        return str(said["access_token"] if said["ok"] else said["error"])


async def test_the_app_s_credentials_may_also_come_in_a_header(slack: FakeSlack) -> None:
    """As Slack's own SDK sends them."""
    header = {"Authorization": f"Basic {b64encode(b'client-id:client-secret').decode()}"}
    given = {"code": slack.install(redirect_uri=BACK), "redirect_uri": BACK}
    url = f"{slack.api_url}oauth.v2.access"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=given, headers=header) as reply,
    ):
        assert (await reply.json())["ok"]


async def test_a_code_is_worth_its_workspace_s_token_once(slack: FakeSlack) -> None:
    """A code that is found in a browser's history lets nobody in."""
    slack.add_team("T2")
    code = slack.install("T2", redirect_uri=BACK)

    assert [await worth(slack, code) for _ in range(2)] == ["xoxb-T2", "invalid_code"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"client_id": "other"}, "invalid_client_id"),
        ({"secret": "wrong"}, "bad_client_secret"),
        ({"back": "https://elsewhere.example"}, "bad_redirect_uri"),
    ],
    ids=["client", "secret", "address"],
)
async def test_a_code_is_for_its_app_and_address_only(
    slack: FakeSlack, given: dict[str, str], error: str
) -> None:
    """Else a stolen code would do."""
    assert await worth(slack, slack.install(redirect_uri=BACK), **given) == error


async def test_a_code_lives_ten_minutes(slack: FakeSlack) -> None:
    """Slack's own limit."""
    young, old = (slack.install(redirect_uri=BACK) for _ in range(2))
    slack.clock.leap(599)
    first = await worth(slack, young)
    slack.clock.leap(2)

    assert (first, await worth(slack, old)) == ("xoxb-T1-fake", "invalid_code")


async def test_an_app_that_was_removed_gets_a_new_token(slack: FakeSlack) -> None:
    """Who goes on with the old one is turned away."""
    slack.room.revoked.add("xoxb-T1-fake")
    token = await worth(slack, slack.install(redirect_uri=BACK))

    assert token.startswith("xoxb-")
    assert token not in slack.room.revoked
    assert slack.workspace.teams["T1"].token == token


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "other"}, "invalid_client_id"),
        ({"redirect_uri": f"{BACK}.evil.example"}, "bad_redirect_uri"),
        ({"scope": ""}, "no_scopes"),
    ],
    ids=["client", "address", "scopes"],
)
async def test_nobody_is_asked_to_allow_what_is_wrong(
    slack: FakeSlack, changed: dict[str, str], error: str
) -> None:
    """Slack shows a page of its own, and sends nobody back."""
    asked = {"client_id": "client-id", "scope": "chat:write", "redirect_uri": BACK, **changed}
    url = f"{slack.url}/oauth/v2/authorize"
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(url, params=asked, allow_redirects=False) as page,
    ):
        assert (page.status, error in await page.text()) == (400, True)


@pytest.mark.parametrize("declining", [False, True])
async def test_a_person_s_answer_comes_back_with_the_state(
    slack: FakeSlack, *, declining: bool
) -> None:
    """By which the app knows whose it is."""
    slack.room.declining = declining
    asked = {"client_id": "client-id", "scope": "chat:write", "redirect_uri": BACK, "state": "s1"}
    url = f"{slack.url}/oauth/v2/authorize"
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(url, params=asked, allow_redirects=False) as page,
    ):
        back = parse_qs(urlsplit(page.headers["Location"]).query)

    assert page.headers["Location"].startswith(f"{BACK}?")
    assert back["state"] == ["s1"]
    assert ("error" in back, "code" in back) == (declining, not declining)
