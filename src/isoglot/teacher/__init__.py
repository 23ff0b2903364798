"""The teacher: who owns the space, and the store of its vectors, each distinct sentence once.

Reading order: `protocol` (what a teacher is) · `kinds` (a name becomes one) · `endpoint` and `vectors` (those that are
no model folder) · `joined` and `reduced` (made of others) · `coverage` (what it knows of a corpus) · `embed` and
`store` (its vectors on disk).
"""
