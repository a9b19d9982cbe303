"""Discord: asked by mention, reply, direct message, `/ask` or a message's menu; gateway only."""
