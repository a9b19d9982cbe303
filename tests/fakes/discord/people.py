"""What people do on the fake Discord: they write, answer, command, press buttons, fill in forms."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL,
    Interaction,
    Interactions,
)
from tests.fakes.discord.posting import Posting
from tests.fakes.discord.state import State
from tests.fakes.discord.world import Channel, Json, Post

Value = str | int | bool | tuple[str, bytes]


class People:
    """Everybody on the server; who is named is there."""

    state: State
    gateway: Gateway
    posting: Posting
    interactions: Interactions

    def say(
        self,
        text: str,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        files: Mapping[str, bytes] | None = None,
        reply_to: Post | None = None,
        ping: bool = False,
    ) -> Post:
        """A message; it mentions whom its text names as <@id>, and with `ping` whom it answers."""
        there, author = self._channel(channel), self.state.user(user)
        post = Post(
            self.state.clock.snowflake(), there, author, self.state.clock.date(), content=text
        )
        post.reply_to = reply_to
        everybody = [self.state.bot, *self.state.users.values()]
        rung = reply_to.author if reply_to is not None and ping else None
        post.mentions = [each for each in everybody if f"<@{each.id}>" in text or each is rung]
        for name, data in (files or {}).items():
            post.attachments.append(self.posting.attachment(there, name, data))
            post.files[name] = data
        there.posts[post.id] = post
        self.posting.tell(post, "CREATE")
        return post

    def mention(
        self,
        text: str,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        files: Mapping[str, bytes] | None = None,
    ) -> Post:
        """A message that begins with the bot's name."""
        called = f"<@{self.state.bot.id}> {text}"
        return self.say(called, user=user, channel=channel, files=files)

    def reply(self, text: str, to: Post, *, user: str = "ada", ping: bool = True) -> Post:
        """An answer to a message; without `ping` its author is not mentioned by it."""
        return self.say(text, user=user, channel=to.channel, reply_to=to, ping=ping)

    def direct(
        self, text: str, *, user: str = "ada", files: Mapping[str, bytes] | None = None
    ) -> Post:
        """A direct message to the bot."""
        there = self.state.direct(self.state.user(user))
        return self.say(text, user=user, channel=there, files=files)

    def amend(self, post: Post, text: str) -> None:
        """The author edits a message."""
        post.before.append(post.content)
        post.content, post.edited = text, self.state.clock.date()
        self.posting.tell(post, "UPDATE")

    def preview(self, post: Post) -> None:
        """Discord shows what a link in a message leads to; nobody has edited it."""
        post.embeds = [{"type": "link", "title": "A page"}]
        self.posting.tell(post, "UPDATE")

    def remove(self, post: Post) -> None:
        """The author, or who keeps order, deletes a message."""
        self.posting.delete(post)

    def slash(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        user: str = "ada",
        channel: str | Channel = "general",
        by_user_install: bool = False,
    ) -> Interaction:
        """A command such as "ask" or "moa strategy", with its options by name; a file is (name, bytes)."""
        data = self._command(name, options or {}, channel=self._channel(channel), focused="")
        return self._begin(COMMAND, user, channel, data, by_user_install=by_user_install)

    async def autocomplete(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        focused: str,
        user: str = "ada",
        channel: str | Channel = "general",
    ) -> list[str]:
        """What is offered while a person types the `focused` option."""
        typed = {focused: "", **(options or {})}
        data = self._command(name, typed, channel=self._channel(channel), focused=focused)
        interaction = self._begin(AUTOCOMPLETE, user, channel, data)
        await self.state.until(lambda: interaction.choices is not None)
        return [str(choice["name"]) for choice in interaction.choices or []]

    def menu(self, name: str, post: Post, *, user: str = "ada") -> Interaction:
        """A command from the context menu of a message."""
        command = self._registered(name, kind=3)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": 3,
            "target_id": post.id,
            "resolved": {"messages": {post.id: post.wire()}},
        }
        return self._begin(COMMAND, user, post.channel, data)

    def click(self, button: str, *, user: str = "ada", post: Post | None = None) -> Interaction:
        """Press a button by its label or custom id, on `post` or the newest message that has it."""
        there = [post] if post is not None else reversed(self._everything())
        for candidate in there:
            named = candidate.buttons
            custom_id = named.get(button) or (button if button in named.values() else None)
            visible = candidate.only_for in {None, self.state.user(user)}
            if custom_id is not None and visible:
                data: Json = {"custom_id": custom_id, "component_type": 2, "id": 1}
                return self._begin(COMPONENT, user, candidate.channel, data, source=candidate)
        shown = [candidate.buttons for candidate in self._everything() if candidate.buttons]
        raise AssertionError(f"There is no button {button!r}; there are: {shown}")

    def submit(self, asked: Interaction, values: Mapping[str, Value | list[str]]) -> Interaction:
        """Fill in the form that an interaction opened, by custom id, and send it."""
        assert asked.form is not None, "No form was opened."
        data: Json = {
            "custom_id": asked.form["custom_id"],
            "components": [_filled(part, values) for part in asked.form["components"]],
        }
        user, channel = asked.user.name, asked.channel
        return self._begin(MODAL, user, channel, data, source=asked.source)

    def _begin(
        self,
        kind: int,
        user: str,
        channel: str | Channel,
        data: Json,
        *,
        source: Post | None = None,
        by_user_install: bool = False,
    ) -> Interaction:
        return self.interactions.begin(
            kind,
            self.state.user(user),
            self._channel(channel),
            data,
            source=source,
            by_user_install=by_user_install,
        )

    def _channel(self, named: str | Channel) -> Channel:
        known = named if isinstance(named, Channel) else self.state.known_channel(named)
        if known is not None:
            return known
        made = self.state.channel(str(named))
        event = made.wire(self.state.bot)
        self.gateway.tell("CHANNEL_CREATE", lambda _: event, guild_id=made.guild_id)
        return made

    def _everything(self) -> list[Post]:
        every = [post for each in self.state.channels.values() for post in each.posts.values()]
        return sorted(every, key=lambda post: int(post.id))

    def _registered(self, name: str, *, kind: int) -> Json:
        offered = [c for group in self.state.commands.values() for c in group if c["type"] == kind]
        for command in offered:
            if command["name"] == name:
                return command
        names = [command["name"] for command in offered]
        raise AssertionError(f"No command {name!r} is registered; there are: {names}")

    def _command(
        self, name: str, options: Mapping[str, Value], *, channel: Channel, focused: str
    ) -> Json:
        """The data of a slash command: what the client sends when it is given so."""
        first, *rest = name.split()
        command = self._registered(first, kind=1)
        level, path = command, list[Json]()
        for word in rest:
            level = next(option for option in level["options"] if option["name"] == word)
            path.append({"name": word, "type": level["type"]})
        known: list[Json] = level.get("options") or []
        kinds = {str(each["name"]): int(each["type"]) for each in known}
        needed = {str(each["name"]) for each in known if each.get("required")}
        assert set(options) <= set(kinds), f"/{name} has {list(kinds)}, not {list(options)}"
        assert focused or needed <= set(options), f"/{name} needs {needed}"
        files: Json = {}
        given: list[Json] = []
        for key, value in options.items():
            told: Json = {"name": key, "type": kinds[key], "value": value}
            if isinstance(value, tuple):
                file = self.posting.attachment(channel, value[0], value[1])
                told["value"] = file["id"]
                files[file["id"]] = file
            given.append(told | ({"focused": True} if key == focused else {}))
        for each in reversed(path):
            given = [each | {"options": given}]
        data: Json = {"id": command["id"], "name": first, "type": 1, "options": given}
        return data | ({"resolved": {"attachments": files}} if files else {})


def _filled(part: Json, values: Mapping[str, Value | list[str]]) -> Json:
    """One line of a form with what a person put there; what it held before, if nothing."""
    inner: list[Json] = [part["component"]] if "component" in part else part.get("components", [])
    filled: list[Json] = []
    for field in inner:
        value = values.get(field["custom_id"], field.get("value"))
        told: Json = {"type": field["type"], "id": 1, "custom_id": field["custom_id"]}
        if field["type"] in {3, 5, 6, 7, 8, 19, 22}:
            chosen = [each["value"] for each in field.get("options", []) if each.get("default")]
            told["values"] = value if isinstance(value, list) else [value] if value else chosen
        else:
            told["value"] = "" if value is None and field["type"] == 4 else value
        filled.append(told)
    if "component" in part:
        return {"type": part["type"], "id": 1, "component": filled[0]}
    return {"type": part["type"], "id": 1, "components": filled}
