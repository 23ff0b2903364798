"""The page of a distillation run: `data` says what is shown, `page` turns it into one self-contained HTML file."""
