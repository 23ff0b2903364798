"""Rules of CONTRIBUTING.md that no linter knows, checked on the syntax tree of every source file."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LONGEST_FUNCTION, LONGEST_LOOP, LONGEST_FILE, LONGEST_MEDIAN = 60, 120, 300, 16
THE_LOOP = "src/isoglot/train/loop.py"
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "duckdb",
    "pyarrow",
    "matplotlib",
    "numpy",
    "pydantic",
}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save"}

UNSAFE_KEYWORDS = {"allow_pickle=True", "trust_remote_code=True", "weights_only=False", "shell=True"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end without the docstring, which is not a step to follow."""
    documented = ast.get_docstring(node) is not None
    docstring = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def calls(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def keywords(tree: ast.Module) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.keyword)}


def broad_catches(tree: ast.Module) -> list[int]:
    """Lines of `except:`, `except Exception`, `except BaseException` whose handler does not raise again."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "BaseException"
            broad = re.search(r"\b(Base)?Exception\b", caught)
            if broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
                lines.append(node.lineno)
    return lines


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def tracked_texts() -> Iterator[tuple[str, str]]:
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:4096]:
            yield name_of(path), data.decode("utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_source_file_keeps_the_house_rules(path):
    text, tree = path.read_text(encoding="utf-8"), parse(path)
    longest = LONGEST_LOOP if name_of(path) == THE_LOOP else LONGEST_FUNCTION
    assert len(text.splitlines()) <= LONGEST_FILE
    assert [f"{node.name}: {length(node)}" for node in functions(tree) if length(node) > longest] == []
    assert imported(tree) & UNSAFE_MODULES == set()
    assert calls(tree) & UNSAFE_CALLS == set()
    assert keywords(tree) & UNSAFE_KEYWORDS == set()
    assert broad_catches(tree) == []
    assert path.name != "utils.py"
    if "cli" not in path.parts:
        assert "print" not in calls(tree)
        assert imported(tree) & {"typer", "rich", "click"} == set()


def test_the_median_function_is_short():
    lengths = [length(node) for path in SOURCES for node in functions(parse(path))]
    assert statistics.median(lengths) <= LONGEST_MEDIAN


def test_every_import_is_a_declared_dependency():
    """What works only because another package happens to be installed breaks in a fresh environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [
        line for name, lines in project["optional-dependencies"].items() if name != "dev" for line in lines
    ]
    lines = [*project["dependencies"], *extras]
    declared = {re.split(r"[^\w.-]", line)[0].lower().replace("-", "_") for line in lines}
    # markupsafe is jinja2's own type; the others are what pyyaml, faiss-cpu and scikit-learn are imported as
    allowed = declared | {"isoglot", "markupsafe", "yaml", "faiss", "sklearn"} | sys.stdlib_module_names
    undeclared = {
        f"{name_of(path)}: {name}"
        for path in SOURCES
        for name in imported(parse(path))
        if name not in allowed
    }
    assert undeclared == set()


def test_the_command_line_imports_nothing_heavy_at_its_top():
    for path in (ROOT / "src" / "isoglot" / "cli").rglob("*.py"):
        top = ast.Module([node for node in parse(path).body if not is_for_types_only(node)], [])
        for node in top.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert imported(ast.Module([node], [])) & HEAVY == set(), f"{name_of(path)}:{node.lineno}"


def is_for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_no_tracked_file_names_a_registry_host():
    # written in pieces, so that this file does not name them either
    hosts = re.compile(
        "|".join([r"pypi\." + "org", "python" + "hosted", r"deb\.deb" + r"ian\.org", "npm" + r"js\."])
    )
    assert [(name, match[0]) for name, text in tracked_texts() for match in hosts.finditer(text)] == []


def test_no_tracked_file_holds_a_path_of_one_machine():
    homes = re.compile(r"(?<![\w.~/-])/(?:work|root|home/\w+|Users/\w+)/[\w.-]+")
    assert [(name, match[0]) for name, text in tracked_texts() for match in homes.finditer(text)] == []


def test_tracked_files_are_small():
    assert [name_of(path) for path in tracked_files() if path.stat().st_size > 1_000_000] == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("try:\n    f()\nexcept Exception:\n    pass", broad_catches),
        ("try:\n    f()\nexcept (ValueError, BaseException):\n    pass", broad_catches),
        ("try:\n    f()\nexcept:\n    pass", broad_catches),
        ("import torch\ntorch.load('x')", lambda tree: calls(tree) & UNSAFE_CALLS),
        ("f(shell=True)", lambda tree: keywords(tree) & UNSAFE_KEYWORDS),
        ("def f():\n    from pickle import load", lambda tree: imported(tree) & UNSAFE_MODULES),
        ("def f():\n" + "    x = 1\n" * 61, lambda tree: [f for f in functions(tree) if length(f) > 60]),
    ],
)
def test_the_rules_can_be_broken(source, rule):
    assert rule(ast.parse(source))


@pytest.fixture(scope="module")
def skipped(tmp_path_factory):
    """What pytest writes of a test that was skipped."""
    folder = tmp_path_factory.mktemp("skipped")
    (folder / "test_one.py").write_text("import pytest\ndef test_it():\n    pytest.skip('no moon')\n")
    results = ["--junitxml=results.xml", "test_one.py"]
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *results]
    subprocess.run(run, cwd=folder, capture_output=True, check=True, timeout=60)
    return folder / "results.xml"


@pytest.mark.parametrize(
    ("allowed", "code"), [("# nothing\n", 1), ("*::test_it: no *\n", 0), ("*::test_other: *\n", 1)]
)
def test_ci_refuses_a_skip_that_nobody_allowed(skipped, tmp_path, allowed, code):
    (tmp_path / "allowed.txt").write_text(allowed)
    check = [sys.executable, str(ROOT / ".ci" / "check_skips.py"), "allowed.txt", str(skipped)]
    checked = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == code
    assert ("test_one::test_it: no moon" in checked.stdout) == bool(code)
