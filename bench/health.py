"""How long does the health of a space take?  As many languages and sentences as Tatoeba has, without encoding them.

    python bench/health.py [--languages 112] [--sentences 1000] [--dimension 384] [--json]

Random vectors of unit length beside those of a teacher, each sentence with its length in tokens: every row of the
result is computed, for every language, every length, and every length in every language. The better of two rounds;
processor seconds beside it, for machines that are busy with other work.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from isoglot.encode.unit import unit
from isoglot.evaluate.health import Sample, health_of

ROUNDS, LIMIT = 2, 128


def main() -> None:
    """Print the figures, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--languages", type=int, default=112)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    samples = [made(number, options.sentences, options.dimension) for number in range(options.languages)]
    result: dict[str, object] = {"load average at the start": round(os.getloadavg()[0], 1)}
    seconds, processor = [], []
    for _ in range(ROUNDS):
        wall, busy = time.perf_counter(), time.process_time()
        health = health_of(samples, LIMIT, "teacher")
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - busy)
    result |= {
        "rows of the result": len(health.rows),
        "seconds": min(seconds),
        "processor seconds": min(processor),
    }
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))


def made(number: int, sentences: int, dimension: int) -> Sample:
    """Sentences of one language: the model's vectors are near the teacher's."""
    random = np.random.default_rng(number)
    targets = unit(random.normal(size=(sentences, dimension)).astype(np.float32))
    noise = 0.02 * random.normal(size=targets.shape)
    return Sample(
        language=f"x-{number}",
        vectors=unit((targets + noise).astype(np.float32)),
        targets=targets,
        originals=np.arange(number * sentences, (number + 1) * sentences),
        tokens=random.integers(3, LIMIT + 20, sentences),
    )


if __name__ == "__main__":
    main()
