"""MTEB (extra `mteb`): its tasks on our encoders, from the hub or from local files, with its own result files.

Reading order: `subsets` (which languages of a task) · `data` (local test sets as MTEB holds them) · `tasks` (MTEB's
tasks with their data) · `model` (an encoder as MTEB wants it) · `files` (its results folder). `pipeline.mteb` runs it.
"""
