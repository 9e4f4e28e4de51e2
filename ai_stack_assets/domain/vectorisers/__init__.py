"""Vectorisers: text to unit vectors. `catalogue`, where others start, chooses one by its settings."""
