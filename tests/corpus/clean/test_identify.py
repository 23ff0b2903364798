"""The identifier answers as the library does, whatever the text."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

from isoglot.corpus.clean import identify

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Le renard brun rapide saute par-dessus le chien paresseux.",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "Брза смеђа лисица прескаче лењог пса.",
    "Tez jigarrang tulki dangasa itning ustidan sakraydi.",
    "敏捷的棕色狐狸跳过了懒狗。",
    "素早い茶色の狐がのろまな犬を飛び越える。",
    "날쌘 갈색 여우가 게으른 개를 뛰어넘는다.",
    "الثعلب البني السريع يقفز فوق الكلب الكسول.",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।",
    "Η γρήγορη καφέ αλεπού πηδά πάνω από το τεμπέλικο σκυλί.",
    "WARNUNG: NICHT ÖFFNEN",
    "12345 + 67890 = 80235",
    "e\u0301te\u0301",
    "\ud800 lone",
    "x",
    "",
]
UNTOLD = 2e-5  # closer than this the library's own sums decide by their rounding


@pytest.fixture(scope="module")
def library():
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def exact(library, text):
    """The library's model in double precision: labels -> probability."""
    data = library._encode(text)
    visits = visit_counts(library.tk_nextmove, library._rowbase, library.tk_output, data)
    scores = np.zeros(len(library.nb_classes))
    if visits:
        weights = library.nb_ptc[list(visits)].astype(np.float64)
        scores = np.log1p(np.array(list(visits.values()), float)) @ weights + library.nb_pc
    powers = np.exp((scores - scores.max()) / math.sqrt(len(data) or 1))
    found = dict.fromkeys(library.labels, 0.0)
    for code, power in zip(library.nb_classes, powers / powers.sum(), strict=True):
        found[code] += float(power)
    return found


def agree(library, texts):
    found = identify.probabilities(texts)
    assert found.dtype == np.float32
    assert found.shape == (len(texts), len(identify.model().labels))
    for text, row in zip(texts, found, strict=True):
        assert np.abs(row - list(exact(library, text).values())).max() < 1e-5
        label, probability = library.classify(text)
        best = identify.model().labels[int(row.argmax())]
        second = np.sort(row)[-2]
        assert best == label or row.max() - second < UNTOLD
        # its own rounding: about 1e-7 of a score that grows with the text, over the square root of its length
        assert abs(float(row.max()) - probability) < 1e-5 + 2e-6 * math.sqrt(
            len(text.encode("utf-8", "replace"))
        )


def test_sentences_of_many_languages_in_one_batch(library):
    agree(library, SENTENCES)


def test_long_texts(library):
    agree(library, [" ".join(SENTENCES[:10]), SENTENCES[1] * 20, "a" * 5000])


def test_no_texts():
    assert identify.probabilities([]).shape == (0, len(identify.model().labels))


def test_texts_keep_their_places_whatever_stands_beside_them():
    alone = np.concatenate([identify.probabilities([text]) for text in SENTENCES])
    assert np.abs(identify.probabilities(SENTENCES) - alone).max() < 1e-6
    assert np.abs(identify.probabilities(SENTENCES[::-1]) - alone[::-1]).max() < 1e-6


def test_more_texts_than_one_block(monkeypatch):
    together = identify.probabilities(SENTENCES)
    monkeypatch.setattr(identify, "_BLOCK", 5)
    assert np.abs(identify.probabilities(SENTENCES) - together).max() < 1e-6


def test_probabilities_sum_to_one_and_name_the_language():
    found = identify.probabilities(SENTENCES)
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-5
    best = [identify.model().labels[place] for place in found.argmax(axis=1)]
    assert best[:11] == ["en", "de", "fr", "ru", "sr", "uz", "zh", "ja", "ko", "ar", "hi"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=12))
def test_random_texts(library, texts):
    agree(library, texts)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(" ".join(SENTENCES).split()), max_size=30).map(" ".join), max_size=8)
)
def test_random_mixtures_of_languages(library, texts):
    agree(library, texts)


def test_the_weights_lie_row_by_row():
    """Otherwise scipy copies all 57 MB for each block, and small blocks become ten times slower."""
    assert identify.model().weights.flags.c_contiguous


def test_what_comes_again_is_remembered_and_the_memory_is_bounded(monkeypatch):
    asked = []
    real = identify.probabilities

    def counted(texts):
        asked.extend(texts)
        return real(texts)

    monkeypatch.setattr(identify, "probabilities", counted)
    monkeypatch.setattr(identify, "_REMEMBERED", 5)
    memory = {}
    first = identify.most_probable([*SENTENCES[:3], SENTENCES[0]], memory)
    again = identify.most_probable([SENTENCES[1], SENTENCES[0]], memory)
    assert asked == SENTENCES[:3]
    assert (first[0][[1, 0]].tolist(), first[1][[1, 0]].tolist()) == (again[0].tolist(), again[1].tolist())
    assert [identify.model().labels[label] for label in first[0]] == ["en", "de", "fr", "en"]
    identify.most_probable(SENTENCES[:6], memory)
    assert set(memory) == set(SENTENCES[:6])
    assert asked == [*SENTENCES[:3], *SENTENCES[:6]]
    assert [column.shape for column in identify.most_probable([], memory)] == [(0,), (0,)]
