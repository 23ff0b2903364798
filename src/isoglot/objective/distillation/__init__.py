"""A student is drawn to a teacher's vectors (Reimers & Gurevych 2020, arXiv:2004.09813).

Reading order: `examples` (what is learned) · `batches` · `loss` · `objective` (the three as the loop sees them).
"""
