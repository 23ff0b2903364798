"""The page of a corpus: an `Overview` as one self-contained HTML file."""
