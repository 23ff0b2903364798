"""The program as users run it, and the console that every command shows its work on."""

import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from isoglot.artefact import Manifest, publish
from isoglot.cli import console as console_module
from isoglot.cli import doctor
from isoglot.cli.console import Console, count, duration, handled, printable
from isoglot.errors import IsoglotError, RequestError
from isoglot.evaluate.results import results_of, to_json, write_items
from isoglot.evaluate.score import Score, Signature
from isoglot.teacher.store_write import StoreWriter

HEAVY = ("torch", "transformers", "sentence_transformers", "duckdb", "pyarrow", "numpy", "jinja2")


def isoglot(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isoglot.cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=100, **options,
    )  # fmt: skip


def corpus(folder: Path) -> Path:
    with publish(folder, Manifest("corpus")) as scratch:
        (scratch / "a.txt").write_text("eins")
    return folder


# --- the program


def test_help_is_quick_and_imports_nothing_heavy():
    """Half a second of processor time, the least of three runs: what else the machine does must not matter."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert isoglot("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"isoglot --help: {min(seconds):.2f} s")
    assert min(seconds) < 0.5
    code = (
        "import sys; sys.argv = ['isoglot', '--help']\n"
        "from isoglot.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


def test_libraries_draw_no_bars_beside_ours():
    code = (
        "import sys; sys.argv = ['isoglot', '--version']\n"
        "from isoglot.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "from tqdm.auto import tqdm\n"
        "assert list(tqdm(range(3))) == [0, 1, 2]"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == ""


def test_help_fits_eighty_columns_and_names_every_command():
    result = isoglot("--help", env={**os.environ, "COLUMNS": "80"})
    assert max(map(len, result.stdout.splitlines())) <= 80
    listed = result.stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert {"verify", "doctor"} <= {line.split()[0] for line in listed}
    assert [line for line in listed if line.endswith("...")] == []  # a summary that does not fit is cut


def test_version():
    assert re.fullmatch(r"isoglot \d+\.\d+\.\d+\n", isoglot("--version").stdout)


@pytest.mark.parametrize("arguments", [["verfy"], ["verify"], ["verify", "x", "--nosuch"], []])
def test_a_wrong_request_exits_with_2(arguments):
    assert isoglot(*arguments).returncode == 2


def test_verify_proves_a_run_with_its_nested_folders(tmp_path):
    corpus(tmp_path / "run" / "corpus")
    corpus(tmp_path / "run" / "student")
    result = isoglot("verify", tmp_path / "run")
    assert result.returncode == 0
    assert "Folders: 2, files: 2, all whole." in result.stdout
    assert "verify corpus: 1 of 1 files" in result.stderr
    assert "verify student: 1 of 1 files" in result.stderr


def test_verify_names_what_is_damaged_and_what_to_do(tmp_path):
    corpus(tmp_path / "corpus")
    damaged = corpus(tmp_path / "student")
    (damaged / "a.txt").write_text("zwei")
    result = isoglot("verify", tmp_path)
    assert result.returncode == 1
    assert f"{damaged / 'a.txt'} does not match its sha256" in result.stdout
    assert f"Delete {damaged} and run the command that made it again." in result.stdout
    answer = json.loads(isoglot("verify", tmp_path, "--json").stdout)
    assert answer["whole"] is False
    assert [len(folder["problems"]) for folder in answer["folders"]] == [0, 1]


def test_verify_lists_a_damaged_manifest_beside_the_others(tmp_path):
    corpus(tmp_path / "corpus")
    (corpus(tmp_path / "student") / "manifest.json").write_text("{")
    result = isoglot("verify", tmp_path, "--json")
    assert result.returncode == 1
    assert [bool(folder["problems"]) for folder in json.loads(result.stdout)["folders"]] == [False, True]


def make_store(folder):
    """A teacher store of four sentences in two committed shards, and one shard that was not committed."""
    store = StoreWriter.create(folder, {"dimension": 2, "fingerprint": "f"}, chunk_rows=2)
    work = store.work_for(["a", "b", "c", "d"])
    for chunk in work.plan:
        store.commit(chunk, work.keys[chunk.start : chunk.stop], np.ones((2, 2), np.float32))
    (folder / "shards" / "uncommitted.safetensors").write_bytes(b"a kill came before the commit")
    return sorted((folder / "shards").glob("[0-9a-f]*.safetensors"))


def test_verify_proves_a_store(tmp_path):
    make_store(tmp_path / "run" / "store")
    result = isoglot("verify", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert f"whole    {tmp_path / 'run' / 'store'} (store)" in result.stdout


def test_verify_names_a_damaged_shard(tmp_path):
    shard = make_store(tmp_path / "store")[0]
    data = bytearray(shard.read_bytes())
    data[-3] ^= 1
    shard.write_bytes(data)
    result = isoglot("verify", tmp_path, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["folders"][0]["problems"] == [f"{shard} does not match its sha256"]


def test_verify_names_a_store_that_cannot_be_read(tmp_path):
    make_store(tmp_path / "store")
    (tmp_path / "store" / "manifest.sqlite").write_bytes(b"no database" * 100)
    result = isoglot("verify", tmp_path, "--json")
    assert result.returncode == 1
    assert "manifest.sqlite" in json.loads(result.stdout)["folders"][0]["problems"][0]


def make_evaluation(folder):
    """Scores and items of one task, as isoglot evaluate writes them."""
    items = np.array([[1], [0], [1], [1]], np.float32)
    signature = Signature("t", "p", "data", "model")
    score = Score("set", ("de", "en"), "top-1", 0.75, (0.5, 1.0), True, signature, "mean", items)
    [result] = results_of("search", [score], lambda name: None)
    folder.mkdir(parents=True)
    digest = write_items(folder / "items.safetensors", {result.key: items})
    raw = {"model": "m", "tasks": [to_json(result)], "items": digest}
    (folder / "scores.json").write_text(json.dumps(raw))
    return folder


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda folder: None, ""),
        (
            lambda folder: edit(folder / "scores.json", "0.75", "0.85"),
            "says 0.85 for search|set|de en|top-1, and its",
        ),
        (lambda folder: edit(folder / "scores.json", '"tasks"', '"tusks"'), "lists no tasks"),
        (lambda folder: edit(folder / "scores.json", "{", "<"), "is not valid JSON"),
        (lambda folder: (folder / "items.safetensors").write_bytes(b"other"), "does not belong to"),
        (lambda folder: (folder / "items.safetensors").unlink(), "is missing"),
    ],
)
def test_verify_proves_an_evaluation(tmp_path, change, problem):
    change(make_evaluation(tmp_path / "run"))
    result = isoglot("verify", tmp_path, "--json")
    [checked] = json.loads(result.stdout)["folders"]
    assert (checked["kind"], result.returncode) == ("evaluation", 1 if problem else 0)
    assert problem in "".join(checked["problems"])


def test_verify_never_says_to_delete_the_folder_of_a_damaged_evaluation(tmp_path):
    (make_evaluation(tmp_path / "run") / "items.safetensors").unlink()
    said = isoglot("verify", tmp_path).stdout
    assert f"Delete {tmp_path / 'run' / 'scores.json'} and run the command that made it again." in said


def edit(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


def test_verify_of_anything_else_is_a_wrong_request(tmp_path):
    result = isoglot("verify", tmp_path, "--json")
    assert result.returncode == 2
    assert "nothing to check" in json.loads(result.stdout)["error"]["problem"]
    assert result.stderr.startswith("error: ")


def test_verify_overlooks_unfinished_work(tmp_path):
    corpus(tmp_path / "corpus")
    (tmp_path / ".student.partial").mkdir()
    (tmp_path / ".student.partial" / "manifest.json").write_text("{")
    assert isoglot("verify", tmp_path).returncode == 0


def test_doctor_reports_without_a_network_and_never_fails(tmp_path):
    result = isoglot("doctor", "--json", env={**os.environ, "ISOGLOT_CACHE": str(tmp_path / "cache")})
    assert result.returncode == 0, result.stderr
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert {"Python", "processor", "disk, cache", "packages", "torch", "bf16", "GPU", "cache"} <= set(
        findings
    )
    assert "model hub" not in findings
    assert findings["cache"]["value"] == f"{tmp_path / 'cache'} (empty)"
    assert not (tmp_path / "cache").exists()  # looking changes nothing
    assert all(finding["ok"] == (finding["advice"] == "") for finding in findings.values())


def test_doctor_warns_of_an_old_processor_and_little_memory(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("model name\t: Relic 9\nflags\t\t: fpu sse2\n")
    (tmp_path / "meminfo").write_text("MemTotal: 2097152 kB\nMemAvailable: 1048576 kB\n")
    monkeypatch.setattr(doctor, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(doctor, "_MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(doctor, "_CGROUP", tmp_path)
    processor, instructions = doctor._processor()
    (memory,) = doctor._memory()
    assert "Relic 9" in processor.value and processor.ok
    assert "AVX2" in instructions.advice
    assert memory.value == "1.0 GiB free of 2.0 GiB" and not memory.ok
    (tmp_path / "memory.max").write_text("1073741824\n")  # a container may have less than its machine
    (tmp_path / "memory.current").write_text("536870912\n")
    assert next(doctor._memory()).value == "0.5 GiB free of 1.0 GiB"


def test_doctor_asks_the_network_only_when_told_and_survives_its_absence(tmp_path):
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    result = isoglot("doctor", "--network", env={**os.environ, **offline})
    assert result.returncode == 0, result.stderr
    assert re.search(r"^warn  package index +not reached \(ERROR: ", result.stdout, re.MULTILINE)
    assert re.search(r"^ok    model hub +not asked: HF_HUB_OFFLINE is set$", result.stdout, re.MULTILINE)


def test_a_closed_pipe_is_no_traceback(tmp_path):
    corpus(tmp_path / "corpus")
    command = f'"{sys.executable}" -m isoglot.cli.main verify "{tmp_path}" | true'
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert "Traceback" not in result.stderr


def test_a_bug_keeps_its_traceback_and_asks_for_a_report():
    code = """
        from isoglot.cli import main

        @main.app.command()
        def broken():
            raise ZeroDivisionError("a bug")

        import sys
        sys.argv = ["isoglot", "broken"]
        main.main()
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "Traceback" in result.stderr and "ZeroDivisionError: a bug" in result.stderr
    assert result.stderr.rstrip().endswith("please report it with the lines above.")


def test_a_crash_of_a_library_says_where_it_was():
    """Some cannot bear a full memory: the process dies of a signal, in which Python has no say."""
    crash = "import ctypes; from isoglot.cli import main; main.app.command()(lambda: ctypes.string_at(0)); main.main()"
    result = subprocess.run(
        [sys.executable, "-c", crash, "<lambda>"], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == -signal.SIGSEGV
    assert result.stderr.startswith("Fatal Python error: Segmentation fault") and "string_at" in result.stderr


# --- errors and signals


@pytest.mark.parametrize(("error", "code"), [(IsoglotError, 1), (RequestError, 2)])
def test_an_error_becomes_a_paragraph_and_its_exit_code(capsys, error, code):
    with pytest.raises(typer.Exit) as caught, handled():
        raise error("a.tsv: line 3 has one column.", "Give two.")
    assert caught.value.exit_code == code
    assert capsys.readouterr() == ("", "error: a.tsv: line 3 has one column.\n       Give two.\n")


def test_with_json_the_error_is_the_final_object(capsys):
    with pytest.raises(typer.Exit), handled(True):
        raise IsoglotError("No.", "Try again.")
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": {"problem": "No.", "next_step": "Try again."}}
    assert err.startswith("error: No.")


def test_other_exceptions_pass_through():
    with pytest.raises(ZeroDivisionError), handled():
        raise ZeroDivisionError


SLEEPER = textwrap.dedent(
    """
    import sys, time
    from isoglot.cli import main
    from isoglot.cli.console import handled

    @main.app.command()
    def sleep():
        with handled() as console, console.task("sleep", 100, "winks") as task:
            task.advance(3)
            print("asleep", file=sys.stderr, flush=True)
            time.sleep(60)

    sys.argv[1:1] = ["sleep"]
    main.main()
    """
)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_says_how_to_continue(number, code):
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr.readline() == "asleep\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "sleep: stopped at 3 of 100 winks" in err
    assert err.endswith("error: interrupted; run the same command again to continue.\n")
    assert "Traceback" not in err and out == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_that_come_while_the_program_ends_change_nothing(number, code):
    """The end is drawn out by a handler of the interpreter's own shutdown, which the second signal falls into."""
    slow_end = "import atexit, time; atexit.register(lambda: time.sleep(2))\n"
    process = subprocess.Popen([sys.executable, "-c", slow_end + SLEEPER], stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "asleep\n"
    process.send_signal(number)
    lines = [process.stderr.readline(), process.stderr.readline()]
    time.sleep(0.5)
    process.send_signal(number)
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(20) == code
    assert lines[1] == "error: interrupted; run the same command again to continue.\n"


def test_an_interrupt_inside_evaluated_text_has_the_same_exit_code(tmp_path):
    """As imports evaluate text to make named tuples; after it CPython would end `python -m isoglot` by SIGINT."""
    (tmp_path / "sleeper.py").write_text(SLEEPER.replace("time.sleep(60)", "exec('time.sleep(60)')"))
    process = subprocess.Popen(
        [sys.executable, "-m", "sleeper"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr.readline() == "asleep\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_that_duckdb_replaces_by_an_error_of_its_own_is_one(number, code):
    seconds = "duckdb.execute('select sum(a.i * b.i) from range(100_000) a(i), range(5_000) b(i)').fetchone()"
    inside = "import duckdb\n" + SLEEPER.replace("time.sleep(60)", seconds)
    process = subprocess.Popen([sys.executable, "-c", inside], stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "asleep\n"
    time.sleep(0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err.endswith("error: interrupted; run the same command again to continue.\n")


TIDY = """try:
            print("at it", file=sys.stderr, flush=True)
            time.sleep(60)
        finally:
            print("tidying", file=sys.stderr, flush=True)
            time.sleep({seconds})
            print("tidied", file=sys.stderr, flush=True)"""


@pytest.mark.parametrize(("waits", "tidied"), [(0.0, True), (1.2, False)])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_cuts_the_end_of_the_work_only_after_a_second(number, code, waits, tidied):
    slow = SLEEPER.replace("time.sleep(60)", TIDY.format(seconds=20 * waits + 0.7))
    process = subprocess.Popen([sys.executable, "-c", slow], stderr=subprocess.PIPE, text=True)
    assert [process.stderr.readline() for _ in range(2)] == ["asleep\n", "at it\n"]
    process.send_signal(number)
    assert process.stderr.readline() == "tidying\n"
    time.sleep(waits)
    for _ in range(3):
        process.send_signal(number)
        time.sleep(0.05)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert ("tidied\n" in err) == tidied
    assert err.endswith("error: interrupted; run the same command again to continue.\n")


def test_an_ignored_ctrl_c_stays_ignored():
    """As a shell starts commands in the background."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += SLEEPER.replace("time.sleep(60)", "signal.raise_signal(signal.SIGINT)")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert result.returncode == 0


def test_sigterm_is_as_before_once_a_command_is_over():
    before = signal.getsignal(signal.SIGTERM)
    with handled():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


# --- the console


def test_the_result_goes_to_stdout_and_progress_to_stderr(capsys):
    for as_json, expected in ((True, '{"kept": 2}\n'), (False, "kept 2\n")):
        console = Console(as_json)
        with console.task("read", 2, "pairs") as task:
            task.advance(2)
        console.stage("corpus", "2 pairs kept")
        console.finish({"kept": 2}, "kept 2")
        out, err = capsys.readouterr()
        assert out == expected
        assert re.fullmatch(
            r"read: 2 of 2 pairs, [\d .]+/s in 0\.\d s\ncorpus     2 pairs kept   0\.\d s\n", err
        ), err


def test_without_a_terminal_lines_come_at_intervals(capsys, monkeypatch):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(console_module.time, "monotonic", lambda: float(next(clock)))
    with Console().task("embed", 100, "rows") as task:
        task.note("loss 0.1")
        for _ in range(8):
            task.advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 5  # eight advances, one line per ten seconds and the last one
    assert re.fullmatch(r"embed: \d of 100 rows, 0\.\d/s, .+ left, loss 0\.1", lines[0])
    assert lines[-1].startswith("embed: 8 of 100 rows")


def test_a_task_that_a_second_signal_left_open_says_nothing_after_the_error(capsys):
    console = Console()
    left = console.task("report", 1, "page")
    left.__enter__()
    console.fail("interrupted.", "")
    del left
    assert capsys.readouterr().err == "error: interrupted.\n"


def test_an_unknown_total_is_shown_as_a_count(capsys):
    with Console().task("read", None, "lines") as task:
        task.advance(1234)
    assert capsys.readouterr().err.startswith("read: 1 234 lines, ")


def test_json_refuses_nan():
    with pytest.raises(ValueError, match="JSON compliant"):
        Console(True).finish({"loss": float("nan")}, "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 世界, שלום 👋", "Grüße, 世界, שלום 👋"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bcreset", "reset"),
        ("a\nb\tc\rd", "a b c d"),
        ("a\x00\x07\x08\x7fb", "ab"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("half \ud800", "half \ufffd"),
        ("\x1b]52;c;never closed", ""),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the zero-width non-joiner is spelling, not control
    ],
)
def test_text_from_a_corpus_cannot_steer_the_terminal(text, shown):
    assert printable(text) == shown


def test_everything_the_console_prints_is_made_printable(capsys):
    evil = "\x1b]0;owned\x07x"
    console = Console()
    console.say(evil)
    console.stage(evil, evil)
    console.fail(evil, evil)
    console.finish({}, evil)
    with console.task(evil, 1, "rows") as task:
        task.note(evil)
    Console(True).finish({"text": evil}, "")
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err


def test_counts_and_durations_for_people():
    assert [count(number) for number in (0, 1.5, 7, 143210, 99.6)] == ["0", "1.5", "7", "143 210", "100"]
    assert [duration(seconds) for seconds in (0.04, 14.24, 59.97, 125, 3780)] == [
        "0.0 s", "14.2 s", "1 min 0 s", "2 min 5 s", "1 h 3 min",
    ]  # fmt: skip


def on_a_terminal(code: str, **environment: str) -> str:
    """Run `code` with stderr and stdout on a pseudo-terminal of 100 columns and return what it showed."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=follower, stdout=follower, stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment},
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], 30)[0]:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # how Linux tells that the other end is closed
            break
        shown += piece
    os.close(leader)
    assert process.wait(10) == 0, shown.decode()
    return shown.decode()


BAR = """
    from isoglot.cli.console import Console
    import time
    console = Console()
    with console.task("embed [red]x[/red]", 1000, "rows") as task:
        task.advance(500)
        task.note("loss 0.1 \\x1b]0;owned\\x07")
        with console.task("inner", None, "steps") as inner:
            inner.advance(1)
            console.stage("corpus", "12 languages")
        time.sleep(0.3)
    console.finish({}, "done")
"""


def test_a_terminal_shows_a_live_bar_and_permanent_stages():
    shown = on_a_terminal(BAR)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert "embed [red]x[/red]" in plain and "500 of 1 000 rows" in plain and "loss 0.1" in plain
    assert re.search(r"[\r\n]corpus     12 languages   0\.\d s\r?\n", plain)
    assert "owned" not in shown
    assert plain.rstrip().endswith("done")


def test_a_dumb_terminal_gets_plain_lines():
    shown = on_a_terminal(BAR, TERM="dumb")
    assert "\x1b" not in shown
    assert "inner: 1 steps" in shown
