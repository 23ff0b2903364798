"""The contracts of pyproject.toml: rooms import one way, the corpus room never reaches torch."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run(
        [str(tool), "--config", str(config), "--no-cache"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_every_contract_is_kept():
    result = lint(ROOT, ROOT / "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("room", "line", "broken"),
    [
        ("errors.py", "import isoglot.config", "rooms import one way BROKEN"),
        ("corpus/__init__.py", "def work():\n    import torch", "the corpus room never imports torch BROKEN"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path, room, line, broken):
    """The contracts themselves can fail: a copy of the house's outline with one bad line breaks them."""
    for source in (ROOT / "src" / "isoglot").rglob("*.py"):
        copy = tmp_path / "isoglot" / source.relative_to(ROOT / "src" / "isoglot")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("")
    (tmp_path / "isoglot" / room).write_text(line + "\n")
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(config[config.index("[tool.importlinter]") :], encoding="utf-8")
    result = lint(tmp_path, tmp_path / "pyproject.toml")
    assert result.returncode == 1, result.stdout + result.stderr
    assert broken in result.stdout
