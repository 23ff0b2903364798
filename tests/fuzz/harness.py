"""One reader under atheris (libFuzzer): `python -m fuzz.harness READER FINDINGS SECONDS`.

An exception outside isoglot's error family is written down with its input and the run goes on, so that one
shallow mistake hides no deeper one. A hang, a crash of the process and memory above the limit end the run; then
libFuzzer saves the input.
"""

import sys
import tempfile
import time
import traceback
from pathlib import Path

SECONDS_PER_INPUT = 10  # of processor time
SECONDS_OF_A_HANG = 120  # of the clock: a busy machine may stop for a minute
MEMORY_MB = 700  # of the whole process; 250 to 300 of it are Python, Arrow and the instrumentation
LONGEST_INPUT = 1 << 16
READ_CODE = [
    "isoglot.corpus",
    "isoglot.teacher",
    "isoglot.wheels",
    "polib",
    "zipfile",
    "defusedxml",
    "xml",
    "json",
    "csv",
    "email",
]


class Findings:
    """What went wrong, each kind once.

    Attributes:
        folder: where inputs and tracebacks are written.
        kinds: (exception type, innermost place) of what was found.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.kinds = folder, set[tuple[str, str]]()

    def add(self, error: BaseException, data: bytes) -> None:
        """Write the input and its traceback, unless an equal finding is there."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        kind = (type(error).__name__, f"{Path(last.filename).name}:{last.lineno}")
        if kind in self.kinds:
            return
        self.kinds.add(kind)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{kind[0]}-{len(self.kinds)}"
        path.write_bytes(data)
        path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), errors="replace")


def main(name: str, findings_folder: Path, seconds: int) -> None:
    """Fuzz one reader; libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=READ_CODE):
        from fuzz.readers import TARGETS
        from fuzz.target import check

        target = TARGETS[name]
        folder = Path(tempfile.mkdtemp())
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, data in enumerate(target.starts()):
            (corpus / str(number)).write_bytes(data)
            check(target, folder, data)  # imports what the reader imports late
    findings = Findings(findings_folder)
    findings_folder.mkdir(parents=True, exist_ok=True)

    def one(data: bytes) -> None:
        started = time.process_time()
        try:
            check(target, folder, data)
            if time.process_time() - started > SECONDS_PER_INPUT:
                raise TimeoutError(f"more than {SECONDS_PER_INPUT} s of processor time")
        except Exception as error:  # noqa: BLE001  finding them is the purpose
            findings.add(error, data)

    options = [f"-max_total_time={seconds}", f"-timeout={SECONDS_OF_A_HANG}", f"-rss_limit_mb={MEMORY_MB}",
               f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={findings_folder}/", "-print_final_stats=1",
               str(corpus)]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
