"""The joint vocabulary: the same for the same texts, as large as asked for, and text comes back."""

import json
import os
import subprocess
import sys

import pytest

import tiny
from isoglot.artefact import verify
from isoglot.errors import RequestError
from isoglot.objective.translation.vocabulary import TOKENIZER, learn_vocabulary, tokenizer_of

TEXTS = [
    text
    for number in range(80)
    for text in (tiny.sentence(number), tiny.translation("tr", tiny.sentence(number)))
]
RARE = [f"one {chr(letter)} alone" for letter in range(0x4E00, 0x4E00 + 200)]  # every one of them once


@pytest.mark.parametrize(
    "texts", [TEXTS, TEXTS + RARE], ids=["words", "more characters than there is room for"]
)
def test_equal_texts_in_any_order_give_equal_bytes(tmp_path, texts):
    folders = [tmp_path / "one", tmp_path / "two"]
    learn_vocabulary(folders[0], texts, 150)
    learn_vocabulary(folders[1], texts[::-1], 150)
    assert (folders[0] / TOKENIZER).read_bytes() == (folders[1] / TOKENIZER).read_bytes()


@pytest.mark.slow
def test_another_process_with_other_threads_gives_equal_bytes(tmp_path):
    learn_vocabulary(tmp_path / "here", TEXTS + RARE, 150)
    source = (
        "import json, sys; from pathlib import Path;"
        "from isoglot.objective.translation.vocabulary import learn_vocabulary;"
        "learn_vocabulary(Path(sys.argv[1]), json.load(sys.stdin), 150)"
    )
    environment = {**os.environ, "RAYON_NUM_THREADS": "3", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", source, tmp_path / "there"],
        input=json.dumps(TEXTS + RARE), text=True, check=True, env=environment,
    )  # fmt: skip
    assert (tmp_path / "here" / TOKENIZER).read_bytes() == (tmp_path / "there" / TOKENIZER).read_bytes()


@pytest.mark.parametrize("size", [64, 100, 150])
def test_it_is_as_large_as_asked_for(tmp_path, size):
    assert learn_vocabulary(tmp_path / "v", TEXTS + RARE, size).get_vocab_size() == size


def test_it_is_published_and_learned_once(tmp_path):
    learn_vocabulary(tmp_path / "v", TEXTS, 100)
    assert verify(tmp_path / "v") == []
    stamp = (tmp_path / "v" / TOKENIZER).stat().st_mtime_ns
    learn_vocabulary(tmp_path / "v", TEXTS, 100)
    assert (tmp_path / "v" / TOKENIZER).stat().st_mtime_ns == stamp
    learn_vocabulary(tmp_path / "v", TEXTS, 120)
    assert (tmp_path / "v" / TOKENIZER).stat().st_mtime_ns != stamp


def test_joined_pieces_are_the_text_in_lower_case(tmp_path):
    texts = ["The big house, today!", "Çok güzel; bir ev.", "我们在这里。"]
    vocabulary = learn_vocabulary(tmp_path / "v", texts, 200)
    for text in texts:
        assert vocabulary.decode(vocabulary.encode(text).ids) == text.lower()


def test_white_space_of_any_kind_is_one_space(tmp_path):
    vocabulary = learn_vocabulary(tmp_path / "v", TEXTS, 150)
    assert vocabulary.encode(" the red\t\n house\u3000 ").ids == vocabulary.encode("the red house").ids


def test_no_text_is_empty_and_none_has_a_token_behind_it(tmp_path):
    tokenizer = tokenizer_of(learn_vocabulary(tmp_path / "v", TEXTS, 100), 8)
    empty, short, long = (tokenizer([text]).ids.tolist() for text in ("", TEXTS[0], " ".join(TEXTS)))
    assert len(empty) == 1
    assert short[0] == long[0] == empty[0]
    assert empty[0] not in short[1:]
    assert len(long) == 8
    assert tokenizer.pad_id not in short


def test_lone_surrogates_do_no_harm(tmp_path):
    assert learn_vocabulary(tmp_path / "v", [*TEXTS, "half \ud800 a pair"], 100).get_vocab_size() == 100


def test_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(RequestError, match="nothing to learn"):
        learn_vocabulary(tmp_path / "v", ["", "  "], 100)
    assert not (tmp_path / "v").exists()
