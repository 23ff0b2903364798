"""Work as a plan of immutable chunks, and what runs such a plan."""
