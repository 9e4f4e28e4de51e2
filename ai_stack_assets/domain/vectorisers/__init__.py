"""Vectorisers: text to unit vectors. `catalogue` chooses one by its settings; the rest of the platform starts
there."""
