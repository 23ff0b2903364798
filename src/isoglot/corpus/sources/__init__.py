"""One module per kind of source that is not a single file."""
