"""From an untouched student to one in the teacher's space.

Reading order: `examples` (what is learned) · `warm_start` and `head` (the closed-form start) · `batches` · `loss` ·
`schedule` · `loop` · `checkpoint` (resume) · `guard` (when something goes wrong).
"""
