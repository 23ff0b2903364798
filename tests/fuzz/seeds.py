"""Small whole files of every binary format, made in code: where the fuzzer starts."""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

PAIRS = [("The door is open.", "Die Tür ist offen."), ("Two\nlines", "Zwei\nZeilen"), ("a" * 300, "б" * 300)]

TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en"/><body>
<tu><tuv xml:lang="en"><seg>The <bpt i="1">&lt;b&gt;</bpt>door<ept i="1"/></seg></tuv>
<tuv xml:lang="de"><seg>Die <hi>Tür <ph>{x}<sub>note</sub></ph></hi></seg></tuv></tu>
<!-- note --><?pi x?><tu><tuv lang="zho_Hans"><seg><![CDATA[门]]>&#38;</seg></tuv></tu>
</body></tmx>"""

XLIFF_12 = """<?xml version="1.0"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
<file source-language="en" target-language="de"><body><trans-unit id="1"><source>A <g id="1">red <x id="2"/></g>
</source><target state="translated">Ein <g id="1">rotes <it id="3">x</it></g></target></trans-unit></body></file>
</xliff>"""

XLIFF_20 = """<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="de"><file id="f">
<unit id="1"><segment state="final"><source>The <pc id="1">door</pc><cp hex="0041"/></source>
<target>Die <ph id="1" equiv="%s"/> Tür<mrk id="m">!</mrk></target></segment></unit></file></xliff>"""

XCES = """<?xml version="1.0"?>
<cesAlign version="1.0"><linkGrp targType="s" fromDoc="de/a.xml" toDoc="en/a.xml">
<link xtargets="1;1" id="L1" certainty="0.5"/><link xtargets="2 3;2" id="L2"/><link xtargets=";2" id="L3"/></linkGrp>
</cesAlign>"""

XCES_DOCUMENT = """<?xml version="1.0"?>
<text><p><s id="1">One.</s><s id="2"><w id="2.1">Two</w> <w id="2.2">.</w></s><s id="3">Three.</s></p></text>"""

PO = """msgid ""
msgstr "Language: de\\nContent-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=n != 1;\\n"

#: file.c:1
#, fuzzy
msgctxt "a"
msgid "Door"
msgstr "Tür"

msgid "One file"
msgid_plural "%d files"
msgstr[0] "Eine Datei"
msgstr[1] "%d Dateien"

msgid "Two "
"parts"
msgstr "Zwei "
"Teile"

#~ msgid "Old"
#~ msgstr "Alt"
"""


def mo(order: str = "<") -> bytes:
    """A compiled catalogue after gettext's manual, with a context and a plural."""
    texts = {
        b"": b"Language: de\nContent-Type: text/plain; charset=UTF-8\n",
        b"Door": "Tür".encode(),
        b"One file\0%d files": b"Eine Datei\0%d Dateien",
        b"month\x04May": b"Mai",
    }
    at = 28 + 16 * len(texts)
    tables: list[bytes] = []
    strings = b""
    for side in (list(texts), list(texts.values())):
        table = b""
        for text in side:
            table += struct.pack(f"{order}2I", len(text), at + len(strings))
            strings += text + b"\0"
        tables.append(table)
    head = struct.pack(f"{order}7I", 0x950412DE, 0, len(texts), 28, 28 + len(tables[0]), 0, at)
    return head + b"".join(tables) + strings


def wheel() -> bytes:
    """A wheel with translations in two languages."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/translations/en.json", json.dumps({"a": "Door", "b": {"c": "Two doors"}}))
        archive.writestr("p/translations/de.json", json.dumps({"a": "Tür", "b": {"c": "Zwei Türen"}}))
        archive.writestr("p-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: p\nVersion: 1\n")
    return made.getvalue()


def tar() -> bytes:
    """A tar archive with files, a link and a name that needs an extended header."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("usr/share/locale/de/LC_MESSAGES/x.mo", "ü" * 60, "empty"):
            entry = tarfile.TarInfo(name)
            data = b"" if name == "empty" else mo()
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../outside"
        archive.addfile(link)
    return made.getvalue()


def deb(suffix: str, data: bytes) -> bytes:
    """A Debian package: an `ar` archive of its version, its control files and its data."""
    made = b"!<arch>\n"
    for name, content in (
        ("debian-binary", b"2.0\n"),
        ("control.tar", b"c" * 5),
        (f"data.tar{suffix}", data),
    ):
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        made += content + b"\n" * (len(content) % 2)
    return made


def parquet() -> list[bytes]:
    """The three shapes of records, with several codecs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sources, targets = [pair[0] for pair in PAIRS], [pair[1] for pair in PAIRS]
    tables = [
        (pa.table({"source": sources, "target": targets}), "snappy"),
        (pa.table({"en": sources, "de": pa.array(targets).dictionary_encode()}), "zstd"),
        (
            pa.table(
                {"translation": [{"en": a, "de": b} for a, b in PAIRS], "score": [0.5, None, float("nan")]}
            ),
            "none",
        ),
    ]
    return [
        _written(lambda path, t=table, c=codec: pq.write_table(t, path, compression=c))
        for table, codec in tables
    ]


def _written(write: Callable[[str], None]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write(str(path))
        return path.read_bytes()


def text() -> bytes:
    """Lines for the packed formats, packed by the harness."""
    return "".join(f"{a}\t{b}\n" for a, b in PAIRS).encode()
