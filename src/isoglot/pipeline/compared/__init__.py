"""Runs without a teacher: the systems that the paper compares, on the same text, with the same student folder.

Reading order: `material` (what every objective is given, and gives back) · `run` (all stages in order) · `start` (the
untouched student) · `training` (the loop for any of them) · `look` (the dev split without a teacher) · `publish` (the
student folder) · `assess` (held-out scores and report). What is an objective's own is one function of its own file:

    ranking.py:      learn_ranking(material: Material, stage: Stage) -> Learnt
    translation.py:  learn_translation(material: Material, stage: Stage) -> Learnt
    siamese.py:      learn_siamese(material: Material, stage: Stage) -> Learnt

Each is called when the student folder does not answer the request yet, must be able to go on after a kill (it keeps
what it makes under `stage.folder`, a `RunFolder`, with `stage.request` in its checkpoints), and returns the trained
student with its full vocabulary. Ranking and siamese begin with `material.student()`; translation makes its own where
`material.origin` is None. Ranking and translation train through `training.train_student(student, ids, make, material,
stage)`: `ids` are all token ids that the objective's texts use, `make(remap)` gives the objective, its tokens
renumbered by `remap`; the vocabulary is cut to those in use, the dev split looked at, and everything put back. Its
`part` names one of several trainings, each with checkpoints of its own; `config` is its `TrainConfig` where that is
not the recipe's.
"""
