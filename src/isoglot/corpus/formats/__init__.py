"""One module per file format: each is a plain generator from a path to sentence pairs."""
