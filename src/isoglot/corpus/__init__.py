"""Text in: formats, sources, cleaning, splitting and the Parquet store. This room never imports torch."""
