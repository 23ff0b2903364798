"""Small real models and a small real corpus, made in code: random BERT weights, a word-level tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = [
    "the", "a", "red", "green", "blue", "old", "new", "small", "big", "house", "tree", "river", "lamp", "door",
    "garden", "sings", "opens", "falls", "turns", "waits", "quickly", "slowly", "often", "never", "today",
]  # fmt: skip
LANGUAGES = {"de": "x", "fr": "y", "tr": "z"}
CODES = {"deu": "de", "fra": "fr", "tur": "tr"}  # as files of the benches name them


def word_in(language: str, word: str) -> str:
    """A made-up translation: the word backwards, with the language's letter before it."""
    return LANGUAGES[language] + word[::-1]


def sentence(number: int) -> str:
    """One of about 10 000 different five-word sentences."""
    article, colour, noun = WORDS[number % 2], WORDS[2 + number // 2 % 7], WORDS[9 + number // 14 % 6]
    return f"{article} {colour} {noun} {WORDS[15 + number // 84 % 5]} {WORDS[20 + number // 420 % 5]}"


def translation(language: str, text: str) -> str:
    return " ".join(word_in(language, word) for word in text.split())


def write_pairs(path: Path, groups: int = 300, languages: tuple[str, ...] = tuple(LANGUAGES)) -> Path:
    """Write a TSV of `groups` sentences with a translation into every language."""
    lines = ["source_lang\ttarget_lang\tsource\ttarget"]
    for number in range(groups):
        text = sentence(number * 7)
        lines += [f"en\t{language}\t{text}\t{translation(language, text)}" for language in languages]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def write_tokenizer(folder: Path) -> int:
    """Write a word-level tokenizer that knows every word of `WORDS` in every language; return its size."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = special + WORDS + [word_in(language, word) for language in LANGUAGES for word in WORDS]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 32, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return len(words)


def write_encoder(folder: Path, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """Write a bare Hugging Face encoder with random weights."""
    import torch
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    size = write_tokenizer(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=size, hidden_size=width, num_hidden_layers=layers, num_attention_heads=4,
        intermediate_size=2 * width, max_position_embeddings=40, initializer_range=0.3,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def write_teacher(folder: Path, width: int = 24, seed: int = 1) -> Path:
    """Write a sentence-transformers folder: random encoder, mean pooling, normalised."""
    write_encoder(folder, width, layers=1, seed=seed)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "2_Normalize").mkdir(exist_ok=True)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    return folder


def write_recipe(path: Path, teacher: Path, student: Path, pairs: Path, extra: str = "") -> Path:
    """Write a recipe that trains a few steps on the small corpus."""
    path.write_text(
        f"""
name = "tiny"
[teacher]
model = "{teacher}"
chunk_rows = 64
[student]
model = "{student}"
max_tokens = 32
[corpus]
sources = ["{pairs}"]
dev_percent = 10
test_percent = 10
[corpus.clean]
max_untranslated = 1.0
[warm_start]
sentences = 400
[train]
epochs = 2
batch_tokens = 512
learning_rate = 1e-3
head_learning_rate = 1e-3
evaluations = 4
[evaluate]
pool = 60
queries = 20
dev_queries = 20
{extra}
""",
        "utf-8",
    )
    return path
