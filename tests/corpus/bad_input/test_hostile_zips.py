"""Zip archives made to mislead, beside those of `tests/test_zips.py`."""

import struct
import zipfile

import pytest

from isoglot.errors import DamagedError
from isoglot.zips import open_zip


def test_a_member_without_a_name(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "text")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<2H", data, at + 28, 0, 1)  # the byte of the name becomes one of the extra field
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="member '' leads out of the archive"):
        open_zip(path)
