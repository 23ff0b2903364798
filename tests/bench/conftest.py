"""Data of the shape that the benches read, in made-up languages."""

import gzip

import pytest

import tiny


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


@pytest.fixture
def bench_data(tmp_path):
    """A folder of the shape that the bench reads, in made-up languages."""
    train, test = [tiny.sentence(n * 7) for n in range(300)], [tiny.sentence(n * 7 + 3) for n in range(40)]
    for code, tag in tiny.CODES.items():
        rows = [f"eng\t{code}\t{text}\t{tiny.translation(tag, text)}" for text in train]
        write(
            tmp_path / "parallel" / "made" / f"eng-{code}.tsv.gz",
            ["source_lang\ttarget_lang\tsource\ttarget", *rows],
        )
        rows = [f"{tiny.translation(tag, text)}\t{text}" for text in test]
        write(tmp_path / "eval" / "tatoeba-v1" / f"{code}.tsv.gz", ["source\ttarget", *rows])
    pairs = [(n % 6, test[n], test[n // 2]) for n in range(len(test))]
    for tag in ("en", "de"):
        own = [
            (s, *((a, b) if tag == "en" else (tiny.translation(tag, x) for x in (a, b)))) for s, a, b in pairs
        ]
        lines = [f"{score}\t{one}\t{other}" for score, one, other in own]
        write(tmp_path / "eval" / "stsb" / f"{tag}-dev.tsv.gz", ["score\tsentence1\tsentence2", *lines])
    return tmp_path
