"""The page of a run: `data` says what is shown, `page` turns it into one self-contained HTML file."""
