"""Ways of thinking: one strategy a file, all their words in `prompts.py`."""
