"""The teacher: which encoder owns the space, and the store of its vectors, each distinct sentence once."""
