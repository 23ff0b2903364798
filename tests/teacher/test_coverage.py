"""A corpus as far as its teacher knows it."""

import numpy as np
import pytest

from isoglot.corpus.store import Groups
from isoglot.errors import RequestError
from isoglot.teacher.coverage import cover

SPLITS = {"train": ["a", "b", "c", "d"], "dev": ["e"], "test": ["f", "g"]}


class SmallCorpus:
    """What `cover` needs of a corpus: three splits, two translations of every sentence."""

    def sources(self, split=None):
        return [text for name, texts in SPLITS.items() for text in texts if split in (None, name)]

    def groups(self, split):
        sources = self.sources(split)
        return Groups(
            sources=sources,
            targets=[f"{text}-{language}" for text in sources for language in ("de", "fr")],
            group=np.repeat(np.arange(len(sources), dtype=np.int32), 2),
            language=np.tile(np.array([0, 1], np.int16), len(sources)),
            languages=("de", "fr"),
        )


class Knows:
    def __init__(self, texts):
        self.texts = set(texts)

    def missing(self, texts):
        return np.array([text not in self.texts for text in texts], bool)


def test_sentences_without_a_vector_leave_with_their_translations():
    covered = cover(SmallCorpus(), Knows("acdf"), "drop")
    assert covered.lacking == {"b", "e", "g"}
    assert covered.sources() == ["a", "c", "d", "f"]
    assert covered.sources("test") == ["f"]
    train = covered.groups("train")
    assert train.sources == ["a", "c", "d"]
    assert train.targets == ["a-de", "a-fr", "c-de", "c-fr", "d-de", "d-fr"]
    assert train.group.tolist() == [0, 0, 1, 1, 2, 2] and train.group.dtype == np.int32
    assert train.language.tolist() == [0, 1] * 3 and train.language.dtype == np.int16
    empty = covered.groups("dev")
    assert (empty.sources, empty.targets, len(empty.group), empty.languages) == ([], [], 0, ("de", "fr"))


def test_a_teacher_that_knows_all_changes_nothing():
    corpus = SmallCorpus()
    for missing in ("error", "drop"):
        covered = cover(corpus, Knows("abcdefg"), missing)
        assert covered.sources() == corpus.sources()
        assert covered.groups("train").targets == corpus.groups("train").targets


def test_missing_sentences_stop_with_their_number_and_examples():
    with pytest.raises(
        RequestError, match="no vector for 4 of 7 source sentences, such as 'b', 'c', 'd'"
    ) as caught:
        cover(SmallCorpus(), Knows("aef"), "error")
    assert "missing = drop" in caught.value.next_step
    with pytest.raises(RequestError, match="7 of 7"):
        cover(SmallCorpus(), Knows("xyz"), "drop")
