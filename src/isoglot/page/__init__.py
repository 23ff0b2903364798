"""What every HTML page of isoglot shares: look, sorting, bars, and the fence around texts of strangers."""
