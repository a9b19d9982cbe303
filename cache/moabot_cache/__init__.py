"""What the bot remembers of earlier answers: exact repeats, and guarded repeats in other words."""
