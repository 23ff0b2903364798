"""Catalogues that no tool of gettext would write."""

import struct

import pytest

from corpus.bad_input.line_formats import read_all
from isoglot.errors import DamagedError, IsoglotError

HEAD = 'msgid ""\nmsgstr "Language: de\\nContent-Type: text/plain; charset=UTF-8\\n"\n\n'


def test_a_plural_with_a_plain_translation(tmp_path):
    (tmp_path / "x.po").write_text(
        HEAD + 'msgid "One file"\nmsgid_plural "Many files"\nmsgstr "Eine Datei"\n'
    )
    assert [(pair.source, pair.target) for pair in read_all(str(tmp_path / "x.po"))] == [
        ("One file", "Eine Datei")
    ]


@pytest.mark.parametrize(
    "charset", ["nonsense", "zlib_codec", "rot13", "undefined", "idna", "utf-7", "", "\\000"]
)
@pytest.mark.parametrize("kind", ["x.po", "x.mo"])
def test_a_charset_that_is_none(tmp_path, kind, charset):
    head = f"Language: de\nContent-Type: text/plain; charset={charset}\n"
    if kind == "x.po":
        text = head.replace("\n", "\\n")
        (tmp_path / kind).write_bytes(f'msgid ""\nmsgstr "{text}"\n\nmsgid "a"\nmsgstr "ü"\n'.encode())
    else:
        (tmp_path / kind).write_bytes(compiled({b"": head.encode(), b"a": "ü".encode()}))
    try:
        read_all(str(tmp_path / kind))
    except IsoglotError as error:
        assert kind in str(error)


def compiled(texts, shared=1):
    """A compiled catalogue; `shared` repeats every entry of its tables, all with the same strings."""
    at, strings, tables = 28 + 16 * len(texts) * shared, b"", []
    for side in (list(texts), list(texts.values())):
        table = b""
        for text in side:
            table += struct.pack("<2I", len(text), at + len(strings))
            strings += text + b"\0"
        tables.append(table * shared)
    count = len(texts) * shared
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + len(tables[0]), 0, at)
    return head + b"".join(tables) + strings


def test_strings_that_share_their_bytes_are_refused(tmp_path):
    """A bomb: 200,000 entries of one text of a megabyte would be 200 GB."""
    head = {b"": b"Language: de\n"}
    (tmp_path / "good.de.mo").write_bytes(compiled(head | {b"a": b"b" * 2**20}))
    assert len(read_all(str(tmp_path / "good.de.mo"))) == 1
    (tmp_path / "x.de.mo").write_bytes(compiled({b"a": b"b" * 2**20}, shared=200_000))
    with pytest.raises(DamagedError, match="bytes and says it holds"):
        read_all(str(tmp_path / "x.de.mo"))
