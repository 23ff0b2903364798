"""Paragraphs: consecutive sentences of one corpus and language, joined on both sides."""

import numpy as np
import pytest

from isoglot.corpus.store import Groups, Origins
from isoglot.errors import RequestError
from isoglot.objective.paragraphs import LONGEST, with_paragraphs

SENTENCES = 200


def made(keep=lambda number: True, languages=("de", "zh"), corpora=("a", "b")):
    """Sentence n of corpus a in both languages, and corpus b in German in reverse order."""
    rows = [(n, tag, 0, n) for n in range(SENTENCES) for tag in range(2)]
    rows += [(n, 0, 1, 10_000 - n) for n in range(SENTENCES)]
    rows = sorted(row for row in rows if keep(row[0]))
    numbers = sorted({n for n, *_ in rows})
    place = {n: i for i, n in enumerate(numbers)}
    column = list(zip(*rows, strict=True))
    origins = Origins(np.array(column[2], np.int16), np.array(column[3]), corpora)
    return Groups(
        [f"s{n}" for n in numbers], [f"{languages[tag]}{n}" for n, tag, *_ in rows],
        np.array([place[n] for n in column[0]], np.int32), np.array(column[1], np.int16), languages, origins,
    )  # fmt: skip


def added(groups, longer):
    """(source, language, target) of each paragraph."""
    first = len(groups.targets)
    return [
        (longer.sources[group], longer.languages[tag], target)
        for group, tag, target in zip(
            longer.group[first:], longer.language[first:], longer.targets[first:], strict=True
        )
    ]


def test_paragraphs_are_runs_of_the_corpus_joined_on_both_sides():
    groups = made()
    longer = with_paragraphs(groups, [], 1.0, seed=0)
    assert longer.sources[: len(groups.sources)] == groups.sources
    assert longer.targets[: len(groups.targets)] == groups.targets
    found = added(groups, longer)
    lengths = set()
    for source, tag, target in found:
        numbers = [int(word[1:]) for word in source.split(" ")]
        step = {int(d) for d in np.diff(numbers)}
        assert step in ({1}, {-1})
        lengths.add(len(numbers))
        glue = "" if tag == "zh" else " "
        assert target == glue.join(f"{tag}{n}" for n in numbers)
    assert lengths == set(range(2, LONGEST + 1))
    assert {int(d) for d in np.diff(longer.group)} <= {0, 1, *np.diff(longer.group)}
    assert (np.diff(longer.group[len(groups.targets) :]) >= 0).all()


def test_languages_with_the_same_text_share_their_paragraphs():
    groups = made()
    found = added(groups, with_paragraphs(groups, [], 1.0, seed=0))
    german = {source for source, tag, _ in found if tag == "de"}
    chinese = {source for source, tag, _ in found if tag == "zh"}
    assert chinese <= german


def test_a_sentence_is_in_one_paragraph_per_corpus_and_language():
    groups = made()
    found = added(groups, with_paragraphs(groups, [], 1.0, seed=0))
    words = [word for source, tag, _ in found if tag == "zh" for word in source.split(" ")]
    assert len(words) == len(set(words))
    assert len(words) > 0.7 * SENTENCES


def test_a_paragraph_skips_no_sentence_of_another_split():
    train, dev = made(lambda n: n % 5 != 0), made(lambda n: n % 5 == 0)
    for source, *_ in added(train, with_paragraphs(train, [dev], 1.0, seed=0)):
        numbers = [int(word[1:]) for word in source.split(" ")]
        assert np.abs(np.diff(numbers)).max() == 1
    jumping = added(train, with_paragraphs(train, [], 1.0, seed=0))
    assert any(np.abs(np.diff([int(w[1:]) for w in source.split(" ")])).max() == 2 for source, *_ in jumping)


def test_the_share_is_that_of_the_paragraphs_and_the_seed_draws_them():
    groups = made()
    count = {
        (share, seed): added(groups, with_paragraphs(groups, [], share, seed))
        for share in (0.0, 0.3, 1.0) for seed in (0, 1)
    }  # fmt: skip
    assert count[0.0, 0] == []
    assert 0.15 < len(count[0.3, 0]) / len(count[1.0, 0]) < 0.45
    assert count[0.3, 0] != count[0.3, 1]


def test_a_corpus_that_does_not_know_its_order_is_named():
    groups = made()
    unordered = Origins(groups.origins.corpus, None, groups.origins.corpora)
    for origins in (None, unordered):
        with pytest.raises(RequestError, match="in which order"):
            with_paragraphs(
                Groups(groups.sources, groups.targets, groups.group, groups.language, groups.languages, origins),
                [], 1.0, 0,
            )  # fmt: skip
