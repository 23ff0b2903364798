"""Hard negatives against a brute-force miner, and what may never be one."""

import numpy as np
import pytest
from tests.objective.ranking import samples

import tiny
from isoglot.artefact import read_manifest, verify
from isoglot.corpus.split import key
from isoglot.corpus.store import Groups
from isoglot.encode.encoder import load_encoder
from isoglot.objective.ranking.known import KnownPairs, number_keys
from isoglot.objective.ranking.negatives import kept_negatives, mine_negatives
from isoglot.objective.ranking.texts import ranking_texts

WANTED = 5


@pytest.fixture(scope="module")
def crowded(tiny_folder):
    """Texts with several translations each, translations shared by sources, and texts that differ in case only."""
    random = np.random.default_rng(0)
    sources, targets, group, language = [], [], [], []
    for number in range(40):
        text = tiny.sentence(number * 7)
        sources.append(text.upper() + "!" if number % 10 == 3 else text)
    sources += [sources[3].lower(), sources[8] + "."]
    for number, text in enumerate(sources):
        for tag, code in enumerate(("de", "fr")):
            own = [tiny.translation(code, text.lower().rstrip("!."))]
            own += [tiny.translation(code, tiny.sentence(int(random.integers(60)) * 7))]
            own += [own[0].upper()] if number % 4 == 0 else []
            own += [text] if number % 9 == 0 else []
            targets += own
            group += [number] * len(own)
            language += [tag] * len(own)
    groups = Groups(sources, targets, np.array(group, np.int32), np.array(language, np.int16), ("de", "fr"))
    return ranking_texts(groups, load_encoder(tiny_folder / "student").tokenizer, "")


def brute(texts, vectors, wanted):
    """Look at every target of the language for every pair, best cosine first, ties by row."""
    exact = vectors.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1)
    first, names = texts.sources, [key(text) for text in texts.texts]
    table = np.full((len(texts.group) - first, wanted), -1)
    for row in range(first, len(texts.group)):
        source = texts.group[row]
        rows = [r for r in range(first, len(texts.group)) if texts.language[r] == texts.language[row]]
        right = {names[r] for r in rows if names[texts.group[r]] == names[source]} | {names[source]}
        scores = np.float32(exact[rows] @ exact[source] / (lengths[rows] * lengths[source]))
        found = []
        for place in sorted(range(len(rows)), key=lambda p: (-scores[p], rows[p])):
            name = names[rows[place]]
            representative = next(r for r in rows if names[r] == name)
            if name not in right and rows[place] == representative:
                found.append(rows[place])
        table[row - first, : len(found[:wanted])] = found[:wanted]
    return table


def random_vectors(texts, seed, coarse=False):
    vectors = np.random.default_rng(seed).normal(size=(len(texts.group), 8)).astype(np.float32)
    return np.sign(vectors) if coarse else vectors  # coarse ones have many ties


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("wanted", [1, 5, 200])
def test_they_equal_a_brute_force_miner(crowded, coarse, wanted):
    vectors = random_vectors(crowded, 1, coarse)
    assert np.array_equal(mine_negatives(crowded, vectors, wanted), brute(crowded, vectors, wanted))


def test_none_is_the_gold_pair_nor_a_duplicate_of_it(crowded):
    # every target lies exactly on its source: what is right is always nearest
    vectors = random_vectors(crowded, 2)
    vectors[crowded.sources :] = vectors[crowded.group[crowded.sources : len(crowded.group)]]
    table = mine_negatives(crowded, vectors, WANTED)
    assert (table >= 0).all()
    for pair, found in enumerate(table):
        row = crowded.sources + pair
        names = [key(crowded.texts[other]) for other in found]
        assert len(set(names)) == WANTED
        source = key(crowded.texts[crowded.group[row]])
        gold = {
            key(crowded.texts[other])
            for other in range(crowded.sources, len(crowded.group))
            if key(crowded.texts[crowded.group[other]]) == source
            and crowded.language[other] == crowded.language[row]
        }
        assert not (set(names) & (gold | {source}))
        assert (crowded.language[found] == crowded.language[row]).all()


def test_texts_equal_when_normalised_have_one_number():
    numbers = number_keys(["The house.", "the  House", "a house", "É", "É!"])
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[3] == numbers[4]
    assert number_keys([]).shape == (0,)


def test_known_pairs_hold_what_they_were_given_and_equal_texts():
    known = KnownPairs.of(np.array([0, 0, 3]), np.array([4, 5, 1]), 6)
    held = known.holds(np.arange(4)[:, None], np.arange(6)[None, :])
    assert set(zip(*np.nonzero(held), strict=True)) == {
        (0, 4),
        (0, 5),
        (3, 1),
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 3),
    }
    assert known.most() == 3
    empty = KnownPairs.of(np.zeros(0, np.int64), np.zeros(0, np.int64), 6)
    assert empty.holds(np.array([1, 2]), np.array([1, 3])).tolist() == [True, False]


def test_the_table_is_kept_until_the_preliminary_model_is_another(tiny_folder, tmp_path):
    student, texts = samples.material(tiny_folder)
    folder = tmp_path / "negatives"
    table = kept_negatives(folder, student, texts, 3)
    assert verify(folder) == []
    manifest = read_manifest(folder)
    assert manifest.counts == {"translations": 120, "negatives": int((table >= 0).sum())}
    vectors = student.encode(texts.texts)
    assert np.array_equal(table, mine_negatives(texts, vectors, 3))
    made = (folder / "negatives.safetensors").stat().st_mtime_ns
    assert np.array_equal(kept_negatives(folder, student, texts, 3), table)
    assert (folder / "negatives.safetensors").stat().st_mtime_ns == made
    next(student.model.parameters()).data += 0.5
    kept_negatives(folder, student, texts, 3)
    changed = read_manifest(folder)
    assert changed.inputs["preliminary model"] != manifest.inputs["preliminary model"]
    assert changed.inputs["texts"] == manifest.inputs["texts"]
