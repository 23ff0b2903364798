"""Text to array, for any sentence encoder: teacher, student, evaluation, mining and serving all pass through here.

Reading order: `locate` (a name becomes a folder) · `model` (a folder becomes a network) · `tokens` (text becomes ids)
· `batches` (ids of similar length together) · `encoder` (all of it, order restored) · `static` and `onnx` (the same
without torch) · `fingerprint` (which space).
"""
