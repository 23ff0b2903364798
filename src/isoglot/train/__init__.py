"""From an untouched student to one that has learned its objective.

Reading order: `warm_start` and `head` (the closed-form start) · `schedule` and `pace` (how many steps) · `step` ·
`validation` (what ships, and when to stop) · `loop` · `interrupts` · `checkpoint` (resume). What is learned is an
objective, in the room before this one.
"""
