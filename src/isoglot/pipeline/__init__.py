"""The main job, stage by stage: corpus, teacher vectors, warm start, training, student folder, scores, report.

Reading order: `layout` (what a run folder holds) · `run` (all stages in order) · `start` (the warm start) · `learn`
(training and the student folder) · `alone` (what is asked of an evaluation) · `evaluate_suite` (which tasks run, and
why not the others) · `evaluate_models` (each text encoded once) · `evaluate_parts` (what is measured) · `evaluate`
(all of it in order) · `assess`, `evaluate_shown`, `evaluate_report` (scores.json and the page) · `evaluate_compare`.
"""
