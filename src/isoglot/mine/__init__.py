"""Nearest neighbours, margin scores, and bitext mining with them."""
