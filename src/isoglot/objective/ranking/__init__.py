"""A dual encoder ranks translations, as mUSE was trained (Chidambaram et al. 2018, Guo et al. 2018, Yang et al. 2019).

Reading order: `texts` (what is learned, of all tasks) · `known` (which texts say the same) · `loss` · `heads` (what
learns beside the student) · `batches` and `turns` (one batch per task, in a stated ratio) · `negatives` (hard ones,
mined with a preliminary model) · `objective` (all of it as the loop sees it).
"""
