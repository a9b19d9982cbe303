"""The models it asks: one vendor a file."""
