"""LASER: a BiLSTM learns by what a decoder can write out of its vectors (Artetxe & Schwenk 2019, arXiv:1812.10464).

Reading order: `vocabulary` (text becomes pieces) · `encoder` (the untouched student over them) · `turns` (what is
translated into what) · `decoder` (out of a vector) · `surprise` (its loss) · `objective` (all of it, for the loop).
"""
