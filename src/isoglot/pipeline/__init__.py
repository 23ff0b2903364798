"""The main job, stage by stage: corpus, teacher vectors, warm start, training, student folder, scores, report.

Reading order: `layout` (what a run folder holds) · `run` (all stages in order) · `start` (the warm start) · `learn`
(training and the student folder) · `assess` (held-out scores and the page).
"""
