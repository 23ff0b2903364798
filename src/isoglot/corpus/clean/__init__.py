"""Text is repaired, then judged: what is dropped before training, and why, a column of sentences at a time."""
