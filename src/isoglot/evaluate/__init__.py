"""How good is the student: test sets, held-out sentences, agreement with the teacher, and the page that shows it.

Reading order: `score`, `task` (what is measured, and by what) · `statistics` (numbers and intervals from items) ·
`sts`, `search`, `bitext`, `bias`, `clustering` (the tasks; `tasks` makes them of test sets) · `heldout`, `closeness`,
`health` (a student's own corpus and space) · `results`, `compare` (files, and two models side by side) · `report`.
"""
