"""The chats it lives in: one a folder, and the words that all of them share."""
