"""One vocabulary of byte pair encoding for all languages, learned on the training texts (Sennrich et al. 2016).

Text is brought to NFKC and lower case, as LASER does, and cut at spaces and punctuation; a piece that begins a word
begins with U+2581, so that joining pieces gives the text back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoglot.artefact import Manifest, digest_json, is_current, publish
from isoglot.encode.tokens import Tokenizer, clean_surrogates, read_backend
from isoglot.errors import RequestError
from isoglot.progress import SILENT, Progress, counted

if TYPE_CHECKING:
    import tokenizers

TOKENIZER = "tokenizer.json"
PAD, UNKNOWN, BEGIN = "<pad>", "<unk>", "<s>"
_SPECIAL = (PAD, UNKNOWN, BEGIN)  # ids 0, 1 and 2
_SPACE = "\u2581"  # begins a word


def learn_vocabulary(
    folder: Path, texts: Sequence[str], size: int, progress: Progress = SILENT
) -> tokenizers.Tokenizer:
    """Learn the vocabulary and publish it as `folder`, or read it when the folder already answers this request.

    Equal texts give equal bytes, whatever the number of threads and the order of the texts.

    Args:
        folder: the artefact; it holds tokenizer.json.
        texts: all training texts, of all languages.
        size: most pieces, special ones included; at most half of them are single characters, the most frequent.
        progress: where to report.

    Raises:
        RequestError: the texts hold nothing but spaces.
    """
    manifest = Manifest("vocabulary", {"texts": digest_json(sorted(texts))}, {"size": size})
    if not is_current(folder, manifest):
        with publish(folder, manifest) as scratch:
            _learn(texts, size, progress).save(str(scratch / TOKENIZER))
    return read_backend(folder / TOKENIZER)


def tokenizer_of(backend: tokenizers.Tokenizer, max_tokens: int) -> Tokenizer:
    """Give the vocabulary as encoders take it: one token before every text, the limit with it."""
    return Tokenizer(backend, _SPECIAL.index(PAD), max_tokens)


def _learn(texts: Sequence[str], size: int, progress: Progress) -> tokenizers.Tokenizer:
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

    learned = tokenizers.Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True))
    learned.normalizer = normalizers.Sequence([
        normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(tokenizers.Regex(r"\s+"), " "),
        normalizers.Strip(),
    ])  # fmt: skip
    learned.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated"),
    ])  # fmt: skip
    learned.decoder = decoders.Metaspace()
    alphabet = _alphabet(learned, texts, size // 2)
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(_SPECIAL), show_progress=False,
        initial_alphabet=alphabet, limit_alphabet=len(alphabet),
    )  # fmt: skip
    with progress.task("vocabulary", len(texts), "texts") as task:
        learned.train_from_iterator(counted(map(clean_surrogates, texts), task), trainer)
    _begin_every_text(learned)
    return learned


def _alphabet(learned: tokenizers.Tokenizer, texts: Sequence[str], most: int) -> list[str]:
    """Choose the most frequent characters; of equally frequent ones the library would keep any."""
    counts = Counter([_SPACE])
    for text in texts:
        counts.update(learned.normalizer.normalize_str(clean_surrogates(text)))
    written = {character: count for character, count in counts.items() if not character.isspace()}
    if len(written) < 2:
        raise RequestError("The training texts hold nothing to learn a vocabulary from.", "Give other text.")
    return sorted(written, key=lambda character: (character != _SPACE, -written[character], character))[:most]


def _begin_every_text(learned: tokenizers.Tokenizer) -> None:
    """Put one token before every text, so that none is empty, and none behind, where long texts are cut."""
    from tokenizers.processors import TemplateProcessing

    learned.post_processor = TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B:1", special_tokens=[(BEGIN, _SPECIAL.index(BEGIN))]
    )
