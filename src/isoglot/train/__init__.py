"""From an untouched student to one in the teacher's space.

Reading order: `examples` (what is learned) · `warm_start` and `head` (the closed-form start) · `batches` · `loss` ·
`schedule` · `validation` (what ships, and when to stop) · `loop` · `checkpoint` (resume).
"""
