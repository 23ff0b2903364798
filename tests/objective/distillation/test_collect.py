"""What training holds of the teacher's vectors: row numbers, resolved once."""

import numpy as np

import stores
from isoglot.corpus.store import Groups
from isoglot.encode.tokens import load_tokenizer
from isoglot.objective.distillation.examples import collect
from isoglot.teacher.store import Store


def test_vectors_stay_in_the_store_until_a_batch_asks_for_them(tmp_path, tiny_folder):
    stores.fill(tmp_path, stores.TEXTS)
    sources = stores.TEXTS[::-2]
    group = np.arange(3, dtype=np.int32)
    groups = Groups(sources, ["x", "y", "z"], group, np.zeros(3, np.int16), ("de",))
    store = Store.open(tmp_path)
    examples = collect(groups, store, load_tokenizer(tiny_folder / "teacher", 32), "")
    assert examples.vectors.shape == (len(sources), stores.DIMENSION)
    assert examples.sources == len(sources)
    rows = examples.group[np.array([5, 0, len(sources) + 2])]
    wanted = store.vectors([sources[row] for row in rows])
    assert np.array_equal(examples.vectors[rows], wanted)
    assert not isinstance(examples.vectors, np.ndarray)
    assert examples.vectors[rows].flags.writeable  # torch takes it without a copy
