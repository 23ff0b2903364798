"""Manifests that somebody or something has changed: damaged, never a crash."""

import pytest

from isoglot.artefact import FORMAT_VERSION, digest_json, read_manifest, write_json
from isoglot.errors import IsoglotError, RequestError


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"format_version": 1, "counts": ' + b'{"a":' * 100_000,
        b'{"format_version": 1, "kind": "\\ud800"}',
        b'{"format_version": 1, "\\udfff": 1}',
        b'{"format_version": 1, "kind": "\xff"}',
        b'{"format_version": ' + b"1" * 5_000 + b"}",
        b'{"format_version": NaN}',
        b'{"format_version": 1e999}',
        b"null",
        b"",
        b"\0" * 100,
        b"\xff\xfe{\0}\0",
    ],
)
def test_a_changed_manifest(tmp_path, data):
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(IsoglotError, match=r"manifest\.json|format version"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("fields", [{"later": 1, "kind": "corpus"}, {}])
def test_a_whole_manifest_with_other_fields(tmp_path, fields):
    fields = {"format_version": FORMAT_VERSION, **fields}
    write_json(tmp_path / "manifest.json", {**fields, "manifest_sha256": digest_json(fields)})
    with pytest.raises(RequestError, match="is of another version"):
        read_manifest(tmp_path)
