// A small bot on discord.js, unmodified; honest.py lets people use it at our fake Discord.
// A message: typing, a reply, an edit, a reaction, a thread. A command: deferred, then edited; a
// private one; autocompletion; a menu; a button that opens a form. Any refusal is an error here and
// ends the process.
const discord = require("discord.js");

const { DISCORD_URL, DISCORD_TOKEN } = process.env;
const { ButtonStyle, ComponentType, GatewayIntentBits, MessageFlags } = discord;
const client = new discord.Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.DirectMessages,
  ],
  partials: [discord.Partials.Channel],
  allowedMentions: { parse: [], repliedUser: false },
  rest: { api: `${DISCORD_URL}/api` },
});
const fail = (error) => {
  console.error(error);
  process.exit(1);
};
const strategy = { name: "strategy", description: "How", type: 3, autocomplete: true };
const commands = [
  {
    name: "ask",
    description: "Ask",
    options: [{ name: "question", description: "What", type: 3, required: true }, strategy],
  },
  {
    name: "moa",
    description: "Settings",
    options: [{ name: "usage", description: "What was used", type: 1 }],
  },
  { name: "Ask about this", type: 3 },
];
const layout = (text) => ({
  flags: MessageFlags.IsComponentsV2,
  components: [
    { type: ComponentType.TextDisplay, content: text },
    {
      type: ComponentType.ActionRow,
      components: [
        { type: ComponentType.Button, style: ButtonStyle.Primary, label: "Why", custom_id: "why" },
      ],
    },
  ],
});
const form = {
  title: "Why",
  custom_id: "form",
  components: [
    {
      type: ComponentType.Label,
      label: "Reason",
      component: { type: ComponentType.TextInput, custom_id: "reason", style: 1 },
    },
  ],
};

client.on("messageCreate", async (message) => {
  if (message.author.bot) return;
  await message.channel.sendTyping();
  const heard = `${message.content.replace(/<@\d+> /, "")} @everyone`;
  const nonce = { nonce: message.id, enforceNonce: true };
  const replied = await message.reply({ content: "Thinking", ...nonce });
  const again = await message.reply({ content: "Thinking", ...nonce });
  if (again.id !== replied.id) throw new Error("The nonce made a second message.");
  await replied.edit({ content: `Heard ${heard}`, flags: MessageFlags.SuppressEmbeds });
  if (message.content.includes("thread")) {
    const thread = await message.startThread({ name: "Aside", autoArchiveDuration: 60 });
    await thread.send({ files: [{ attachment: Buffer.from("whole"), name: "answer.md" }] });
    const newest = await message.channel.messages.fetch({ limit: 10 });
    if (!newest.has(replied.id)) throw new Error("The history lacks the reply.");
  }
});

client.on("interactionCreate", async (interaction) => {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond([{ name: `${typed}ixture`, value: "mixture" }]);
  } else if (interaction.isButton()) {
    await interaction.showModal(form);
  } else if (interaction.isModalSubmit()) {
    const reason = interaction.fields.getTextInputValue("reason");
    await interaction.reply({ content: `So ${reason}`, flags: MessageFlags.Ephemeral });
  } else if (interaction.isMessageContextMenuCommand()) {
    await interaction.reply({ content: `About ${interaction.targetMessage.content}` });
  } else if (interaction.commandName === "moa") {
    const manages = interaction.memberPermissions.has("ManageGuild");
    await interaction.reply({ content: `Manages: ${manages}`, flags: MessageFlags.Ephemeral });
  } else {
    await interaction.deferReply();
    await interaction.editReply(layout(interaction.options.getString("question")));
    const more = await interaction.followUp({ content: "And more" });
    await more.delete();
  }
});
client.on("error", fail);
process.on("unhandledRejection", fail);

client.once("clientReady", async () => {
  await client.application.commands.set(commands);
  console.log(`ready ${client.user.username} ${client.guilds.cache.first().name}`);
});
client.login(DISCORD_TOKEN);
