"""Parts of `bench/distil_vs_sentence_transformers.py`.

Reading order: `material` (settings, pairs) · `judge` (the one evaluator) · `clock` (time, snapshots) · `peer` ·
`sweep` (the peer's best settings) · `ours` · `levels` (times and ratios) · `picture` (the curves) ·
`turns` (both step by step).
"""
