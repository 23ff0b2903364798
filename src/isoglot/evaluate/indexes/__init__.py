"""Indexes of vectors that a teacher once made, one file per kind, all read only."""
