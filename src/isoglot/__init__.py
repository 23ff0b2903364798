"""isoglot teaches a sentence-embedding model new languages without moving its vector space."""
