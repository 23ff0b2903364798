"""Hard negatives: for every pair the targets that a preliminary model finds nearest to the source, and that are wrong.

The published three steps (Guo et al. 2018; Yang et al. 2019, mUSE): a model is trained with the random
negatives of its batches; with it the nearest other targets of every source are mined; a model is trained with these.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoglot.artefact import Manifest, digest_bytes, digest_json, is_current, publish
from isoglot.disk import write_atomic
from isoglot.mine.knn import nearest
from isoglot.objective.ranking.known import KnownPairs
from isoglot.progress import SILENT, Progress

if TYPE_CHECKING:
    from isoglot.encode.encoder import Encoder
    from isoglot.objective.ranking.texts import RankingTexts

_FILE = "negatives.safetensors"


def mine_negatives(
    texts: RankingTexts, vectors: NDArray[np.float32], wanted: int, progress: Progress = SILENT
) -> NDArray[np.int64]:
    """Find for every translation the targets of its language nearest to its source that are no translation of it.

    Of equal texts (normalised) in a language the first stands for all. Neither a translation of the source, nor of a
    source that is equal when normalised, nor a copy of the source is a negative, whichever row it stands in.

    Args:
        texts: parallel text of n sources and m translations.
        vectors: float32 [n + m, d], of sources and translations.
        wanted: negatives of each.
        progress: where to report.

    Returns:
        int64 [m, wanted], rows of `texts`, nearest first, ties by lower row; -1 where there are no more.
    """
    first = texts.sources
    table = np.full((len(texts.group) - first, wanted), -1, np.int64)
    for number in range(len(texts.languages)):
        rows = np.flatnonzero(texts.language == number)
        if len(rows):
            sources, places = np.unique(texts.group[rows], return_inverse=True)
            found = _of_language(texts, vectors, rows, sources.astype(np.int64), wanted, progress)
            table[rows - first] = found[places]
    return table


def _of_language(
    texts: RankingTexts,
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    sources: NDArray[np.int64],
    wanted: int,
    progress: Progress,
) -> NDArray[np.int64]:
    """Negatives of some sources among the targets `rows`: int64 [s, wanted]."""
    keys = texts.keys
    candidates = np.sort(rows[np.unique(keys[rows], return_index=True)[1]])
    known = KnownPairs.of(keys[texts.group[rows]], keys[rows], int(keys.max()) + 1)
    asked = min(len(candidates), wanted + known.most())
    _, places = nearest(vectors[sources], vectors[candidates], asked, progress=progress)
    found = candidates[places]
    right = known.holds(keys[sources][:, None], keys[found])
    order = np.argsort(right, axis=1, kind="stable")[:, :wanted]
    chosen = np.where(np.take_along_axis(right, order, 1), -1, np.take_along_axis(found, order, 1))
    return np.pad(chosen, ((0, 0), (0, wanted - chosen.shape[1])), constant_values=-1)


def kept_negatives(
    folder: Path, preliminary: Encoder, texts: RankingTexts, wanted: int, progress: Progress = SILENT
) -> NDArray[np.int64]:
    """Mine with the preliminary model and publish the table, or read it when this model has mined it before.

    Args:
        folder: the artefact.
        preliminary: the student as it came out of the first training; its vocabulary may be cut to the texts.
        texts: parallel text.
        wanted: negatives of each translation.
        progress: where to report.

    Returns:
        int64 [m, wanted], as `mine_negatives` gives them.
    """
    from safetensors.numpy import load_file, save

    from isoglot.encode.fingerprint import weights_digest

    end = len(texts.group)
    inputs = {
        "preliminary model": weights_digest(preliminary.model),
        "texts": digest_json(texts.texts[:end]),
        "groups": digest_bytes(texts.group.tobytes() + texts.language.tobytes()),
    }
    counts: dict[str, int] = {}
    manifest = Manifest("hard negatives", inputs, {"negatives": wanted}, counts)
    if not is_current(folder, manifest):
        with publish(folder, manifest) as scratch:
            vectors = preliminary.encode(texts.texts[:end], progress, "sentences to mine in")
            mined = mine_negatives(texts, vectors, wanted, progress)
            counts.update(translations=len(mined), negatives=int((mined >= 0).sum()))
            write_atomic(scratch / _FILE, save({"rows": mined}))
    table: NDArray[np.int64] = load_file(folder / _FILE)["rows"]
    return table
