"""Public test sets as streams of records, for the audit of a corpus and for evaluation alike.

Reading order: `record` (what a test set is) · `entry` (files, plain, compressed or in a zip) · `layout` (recognises
a folder) · `search`, `sts`, `mining`, `nli`, `clustering` (one reader per kind) · `matching` (which corpus languages a
test language stands for).
"""
