// A small app on Slack's own framework, unmodified; honest.py lets people use it at our fake Slack.
// A mention: thinking, then an edit, then a streamed answer with a task card. A button, a command,
// a modal, App Home. Any refusal of the fake is an error here and ends the process.
const { App, LogLevel } = require("@slack/bolt");

const { SLACK_API_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, MODE } = process.env;
const app = new App({
  token: SLACK_BOT_TOKEN,
  appToken: SLACK_APP_TOKEN,
  signingSecret: SLACK_SIGNING_SECRET,
  socketMode: MODE === "socket",
  clientOptions: { slackApiUrl: SLACK_API_URL },
  logLevel: LogLevel.WARN,
});
const plain = (text) => ({ type: "plain_text", text });
const modal = {
  type: "modal",
  callback_id: "settings",
  title: plain("Settings"),
  submit: plain("Save"),
  blocks: [
    {
      type: "input",
      block_id: "strategy",
      label: plain("Strategy"),
      element: { type: "plain_text_input", action_id: "name" },
    },
  ],
};

app.event("app_mention", async ({ event, client, context, say }) => {
  const button = { type: "button", action_id: "again", text: plain("Again"), value: "1" };
  const thinking = await say({ text: "Thinking", thread_ts: event.ts });
  const { channel } = event;
  await client.chat.update({
    channel,
    ts: thinking.ts,
    text: "Done",
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: "Done" } },
      { type: "actions", elements: [button] },
    ],
  });
  const stream = client.chatStream({
    channel,
    thread_ts: event.ts,
    recipient_team_id: context.teamId,
    recipient_user_id: event.user,
    task_display_mode: "plan",
  });
  const task = { type: "task_update", id: "1", title: "model-a", status: "complete" };
  await stream.append({ chunks: [task] });
  await stream.append({ markdown_text: "The sky " });
  await stream.stop({ markdown_text: "is blue." });
});
app.event("message", async () => {});
app.action("again", async ({ ack, respond }) => {
  await ack();
  await respond({ text: "Once more", response_type: "ephemeral", replace_original: false });
});
app.command("/moa", async ({ ack, command, client }) => {
  await ack(`You said ${command.text}`);
  await client.views.open({ trigger_id: command.trigger_id, view: modal });
});
app.view("settings", async ({ ack, view, client, body }) => {
  const chosen = view.state.values.strategy.name.value;
  if (chosen === "wrong") return ack({ response_action: "errors", errors: { strategy: "No" } });
  await ack();
  await client.chat.postMessage({ channel: body.user.id, text: `Strategy ${chosen}` });
});
app.event("app_home_opened", async ({ event, client }) => {
  const view = { type: "home", blocks: [{ type: "section", text: plain("At home") }] };
  await client.views.publish({ user_id: event.user, view });
});
app.error(async (error) => {
  console.error(error);
  process.exit(1);
});

(async () => {
  const server = await app.start(MODE === "socket" ? undefined : { host: "127.0.0.1", port: 0 });
  console.log(MODE === "socket" ? "ready" : `ready ${server.address().port}`);
})();
