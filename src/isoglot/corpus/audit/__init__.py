"""Does a corpus hold sentences of the test sets that its models will be scored on?

Two kinds of leaks are found. **Exact**: the key (`isoglot.corpus.split.key`: NFC, case folded, without punctuation,
single spaces) of a side of a row is the key of a test sentence. **Near**: at least a given share of a test
sentence's 5-grams is in the side (`ngrams`). The side in the corpus's source language is compared with the test
sentences of that language, the other side with all others, whatever their language.

Reading order: `ngrams` (what is compared when texts are not equal) · `index` (all test sentences, searchable) ·
`rows` (the corpus as a stream) · `scan` (rows against index, counted) · `groups` (the same for training groups).
"""
