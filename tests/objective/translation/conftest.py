"""A small parallel corpus of made-up languages, and LASER over it in miniature."""

import dataclasses

import numpy as np
import pytest
import torch

import tiny
from isoglot.compared_config import ComparedStudentConfig
from isoglot.config import TrainConfig
from isoglot.corpus.store import Groups
from isoglot.objective.translation.encoder import new_encoder
from isoglot.objective.translation.objective import new_objective
from isoglot.objective.translation.turns import translation_texts
from isoglot.objective.translation.vocabulary import learn_vocabulary
from isoglot.objective_config import TranslationConfig

TARGETS = ("en", "de")
TRAIN = TrainConfig(epochs=1, batch_tokens=512)
MODEL = TranslationConfig(targets=TARGETS, vocabulary=200, embedding=16, decoder=24, language=4, dropout=0.0)
STUDENT = ComparedStudentConfig(kind="lstm", lstm_width=12, max_tokens=32)


def grouped(sizes, first=0):
    """Groups of as many sources as the largest size, of which so many have a translation in each language."""
    numbers = range(first, first + max(sizes.values()))
    sources = [tiny.sentence(number * 7) for number in numbers]
    rows = sorted((place, language) for language, size in sizes.items() for place in range(size))
    languages = tuple(sorted(sizes))
    return Groups(
        sources=sources,
        targets=[tiny.translation(language, sources[place]) for place, language in rows],
        group=np.array([place for place, _ in rows], np.int32),
        language=np.array([languages.index(language) for _, language in rows], np.int16),
        languages=languages,
    )


@dataclasses.dataclass
class Laser:
    """Groups, and what is made of them: vocabulary, encoder, texts, objective."""

    groups: Groups
    vocabulary: object
    student: object
    texts: object
    objective: object


def make(groups, folder, student=STUDENT, model=MODEL, train=TRAIN, seed=0):
    vocabulary = learn_vocabulary(folder, groups.sources + groups.targets, model.vocabulary)
    encoder = new_encoder(vocabulary, student, model.embedding, seed)
    texts = translation_texts(groups, encoder.tokenizer, "", "en", model.targets)
    return Laser(groups, vocabulary, encoder, texts, new_objective(texts, model, train, seed, encoder))


@pytest.fixture(scope="session")
def make_laser():
    return make


@pytest.fixture(scope="session")
def make_groups():
    return grouped


@pytest.fixture(scope="session")
def small():
    """Options of the miniature, to change some of them."""
    return {"student": STUDENT, "model": MODEL, "train": TRAIN}


@pytest.fixture
def laser(tmp_path):
    """60 sources; 60 of them in German, 30 in French, 10 in Turkish."""
    torch.manual_seed(0)
    return make(grouped({"de": 60, "fr": 30, "tr": 10}), tmp_path / "vocabulary")
