"""Two small monolingual files whose sentences have known vectors, in a file that is the model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import Result
from typer.testing import CliRunner

from isoglot.cli.main import app

WIDTH = 16
PAIRS, ALONE = 40, 25  # translated sentences, and others on each side


def write_vectors(path: Path, vectors: dict[str, np.ndarray]) -> Path:
    lines = [json.dumps({"text": text, "vector": vector.tolist()}) for text, vector in vectors.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Mining:
    """The files `news.de`, `news.en` and the model `model.jsonl`, and the command on them."""

    def __init__(self, folder: Path) -> None:
        random = np.random.default_rng(0)
        self.folder = folder
        self.german = [f"deutscher Satz {number}" for number in range(PAIRS + ALONE)]
        self.english = [f"English sentence {number}" for number in range(PAIRS + ALONE)]
        vectors = {text: random.normal(size=WIDTH) + 0.5 for text in self.german}
        for number, text in enumerate(self.english):
            own = random.normal(size=WIDTH) + 0.5
            near = vectors[self.german[number]] + 0.6 * random.normal(size=WIDTH)
            vectors[text] = near if number < PAIRS else own
        vectors["Berlin"] = random.normal(size=WIDTH)
        self.vectors = vectors
        self.model = write_vectors(folder / "model.jsonl", vectors)
        order = random.permutation(PAIRS + ALONE)
        self.write("news.de", [*self.german, "Berlin"])
        self.write("news.en", [*(self.english[number] for number in order), "Berlin"])

    def write(self, name: str, lines: list[str]) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return path

    def gold(self) -> set[tuple[str, str]]:
        return set(zip(self.german[:PAIRS], self.english[:PAIRS], strict=True))

    def run(self, *arguments: object) -> Result:
        """Call the command here; the folder of the files is the current one."""
        return CliRunner().invoke(app, [*map(str, arguments)])

    def program(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Call the program in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "isoglot.cli.main", *map(str, arguments)],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip

    def mine(self, *more: object, files: tuple[str, str] = ("news.de", "news.en")):
        """`isoglot mine --json` of the two files: the result and the rows of the table."""
        done = self.run("mine", *files, "--model", "model.jsonl", "--json", *more)
        assert done.exit_code == 0, done.stderr
        found = json.loads(done.stdout)
        return found, self.rows(found["out"])

    def rows(self, name: str) -> list[dict[str, str]]:
        heads, *lines = (self.folder / name).read_text("utf-8").splitlines()
        return [dict(zip(heads.split("\t"), line.split("\t"), strict=True)) for line in lines]
