"""SBERT (Reimers & Gurevych 2019): a monolingual encoder learns from NLI and from graded pairs of sentences.

The losses and the training are sentence-transformers' own; what is here is the text that they are given (`columns`) and
the way they are driven (`trainer`).
"""
