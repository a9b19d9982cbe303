"""The terminal: replies that are drawn live or written plainly, and the conversation of `chat`."""
