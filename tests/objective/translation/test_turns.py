"""What is translated into what, and in which batches."""

import dataclasses

import numpy as np
import pytest

from isoglot.errors import RequestError
from isoglot.objective.translation.turns import epoch, translation_texts, turns


def named(laser, drawn):
    """(text read, text written) of every turn."""
    texts = laser.texts.read.texts
    return [(texts[read], texts[written]) for read, written in zip(*drawn, strict=True)]


def codes(laser):
    """Language of every text."""
    return np.array(
        ["en" if code < 0 else laser.texts.read.languages[code] for code in laser.texts.read.language]
    )


def test_every_text_is_translated_into_every_target_that_its_group_has_but_not_into_its_own(laser, small):
    train = small["train"].model_copy(update={"targets_per_group": 9})  # reads all
    read, written = turns(laser.texts, train, (0, 0))
    group, tags = laser.texts.read.group, codes(laser)
    assert (group[read] == group[written]).all()
    expected = {
        (row, other)
        for row in range(len(tags))
        for other in np.flatnonzero(group == group[row])
        if tags[other] in ("en", "de") and tags[other] != tags[row]
    }
    assert set(zip(read.tolist(), written.tolist(), strict=True)) == expected
    assert len(read) == len(expected) == 60 + 60 + 2 * 30 + 2 * 10


def test_an_epoch_reads_as_many_translations_of_a_group_as_train_says(laser, small):
    train = small["train"].model_copy(update={"targets_per_group": 1})
    read, _ = turns(laser.texts, train, (0, 0))
    first = laser.texts.read.sources
    assert np.bincount(laser.texts.read.group[np.unique(read[read >= first])]).max() == 1
    assert (read < first).sum() == 60  # English into German


def test_temperature_decides_which_translations_are_read(laser, small):
    def turkish(temperature):
        train = small["train"].model_copy(update={"targets_per_group": 1, "temperature": temperature})
        return sum((codes(laser)[turns(laser.texts, train, (0, n))[0]] == "tr").sum() for n in range(20))

    assert turkish(0.0) > 1.2 * turkish(1.0)


def test_of_several_texts_of_a_target_one_is_drawn_in_each_epoch(make_laser, make_groups, small, tmp_path):
    groups = make_groups({"de": 8, "fr": 8})
    doubled = dataclasses.replace(
        groups,
        targets=[text + tail for text in groups.targets for tail in ("", " xyadot")],
        group=np.repeat(groups.group, 2),
        language=np.repeat(groups.language, 2),
    )
    texts = make_laser(doubled, tmp_path / "v").texts
    found = [turns(texts, small["train"], (0, number)) for number in range(8)]
    for read, written in found:
        assert len(read) == len({(r, texts.target[w]) for r, w in zip(read, written, strict=True)})
    assert len(np.unique(np.concatenate([written for _, written in found]))) == 8 + 16


def test_an_epoch_is_its_turns_in_batches_within_the_budget(laser, small):
    read, written = turns(laser.texts, small["train"], (5, 1))
    batches = list(epoch(laser.texts, small["train"], 5, 1))
    seen = [pair for batch in batches for pair in zip(batch.read[batch.origin], batch.written, strict=True)]
    assert sorted(seen) == sorted(zip(read, written, strict=True))
    assert len(batches) > 3
    for batch in batches:
        tokens = (
            laser.texts.read.tokens.count(batch.read) + (laser.texts.pieces.lengths[batch.written] + 1).sum()
        )
        assert tokens <= small["train"].batch_tokens
        assert len(np.unique(batch.read)) == len(batch.read)
    mean = np.mean(
        [laser.texts.read.tokens.count(b.read) + laser.texts.pieces.count(b.written) for b in batches[:-1]]
    )
    assert mean > 0.5 * small["train"].batch_tokens


def test_epochs_can_be_repeated_and_differ(laser, small):
    def rows(seed, number):
        return np.concatenate([batch.written for batch in epoch(laser.texts, small["train"], seed, number)])

    assert np.array_equal(rows(0, 0), rows(0, 0))
    assert not np.array_equal(rows(0, 0), rows(0, 1))
    assert not np.array_equal(rows(0, 0), rows(1, 0))


def test_a_translation_weighs_what_is_read_times_what_is_written(laser, small):
    own = np.array([2.0, 3.0, 5.0], np.float32)[laser.texts.read.language[60:]]
    read = dataclasses.replace(laser.texts.read, weight=own)
    weighted = dataclasses.replace(laser.texts, read=read)
    value = {"en": 1, "de": 2, "fr": 3, "tr": 5}
    tags = codes(laser)
    for batch in epoch(weighted, small["train"], 0, 0):
        expected = [
            value[tags[r]] * value[tags[w]]
            for r, w in zip(batch.read[batch.origin], batch.written, strict=True)
        ]
        assert batch.weights.tolist() == expected


def test_pieces_are_those_of_the_written_texts_alone(laser):
    texts, backend = laser.texts, laser.vocabulary
    for row in (0, 59, 60, 61):
        ids = texts.alphabet[texts.pieces.ids[texts.pieces.offsets[row] : texts.pieces.offsets[row + 1]]]
        wanted = texts.read.texts[row] if texts.target[row] >= 0 else ""
        assert backend.decode(ids.tolist()) == wanted
        assert ids.tolist() == backend.encode(wanted, add_special_tokens=False).ids
    assert len(texts.alphabet) < backend.get_vocab_size()  # French and Turkish are never written


def test_a_target_without_texts_is_refused(laser):
    with pytest.raises(
        RequestError, match=r"names es, and no training text is in it \(they are in de, en, fr, tr\)"
    ):
        translation_texts(laser.groups, laser.student.tokenizer, "", "en", ("en", "es"))
