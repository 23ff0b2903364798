"""The same sentences as every kind of SOURCE: from English to German, and where a kind can, to Dutch beside it."""

from __future__ import annotations

import bz2
import io
import json
import zipfile
from pathlib import Path

import polib
import pyarrow as pa
import pyarrow.parquet as pq

from isoglot.artefact import digest_file, write_json
from loopback import Web

COLOURS = {"de": ("rote", "blaue"), "nl": ("rode", "blauwe"), "en": ("red", "blue")}


def texts(kind: str, language: str) -> list[str]:
    """Two sentences that no other kind has."""
    frames = {
        "en": "The {} door of {} is open.",
        "de": "Die {} Tür von {} ist offen.",
        "nl": "De {} deur van {} is open.",
    }
    return [frames[language].format(colour, kind) for colour in COLOURS[language]]


def rows(kind: str, language: str) -> list[tuple[str, str]]:
    return list(zip(texts(kind, "en"), texts(kind, language), strict=True))


def tsv(folder: Path, web: Web) -> list[str]:
    lines = ["source_lang\ttarget_lang\tsource\ttarget"]
    lines += [
        f"en\t{language}\t{left}\t{right}"
        for language in ("de", "nl")
        for left, right in rows("tsv", language)
    ]
    (folder / "all.tsv").write_text("\n".join(lines))
    return [str(folder / "all.tsv")]


def jsonl(folder: Path, web: Web) -> list[str]:
    lines = [
        {"translation": {"en": left, language: right}}
        for language in ("de", "nl")
        for left, right in rows("jsonl", language)
    ]
    (folder / "all.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return [str(folder / "all.jsonl")]


def parquet(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        left, right = zip(*rows("parquet", language), strict=True)
        pq.write_table(pa.table({"source": left, "target": right}), folder / f"x.en-{language}.parquet")
    return [str(folder / f"x.en-{language}.parquet") for language in ("de", "nl")]


def tmx(folder: Path, web: Web) -> list[str]:
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>{left}</seg></tuv><tuv xml:lang="{language}"><seg>{right}</seg></tuv></tu>'
        for language in ("de", "nl")
        for left, right in rows("tmx", language)
    )
    (folder / "all.tmx").write_text(f'<tmx version="1.4"><header srclang="en"/><body>{units}</body></tmx>')
    return [str(folder / "all.tmx")]


def xliff(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        units = "".join(
            f'<trans-unit id="{number}"><source>{left}</source><target>{right}</target></trans-unit>'
            for number, (left, right) in enumerate(rows("xliff", language))
        )
        (folder / f"{language}.xlf").write_text(
            '<xliff version="1.2"><file source-language="en" '
            f'target-language="{language}"><body>{units}</body></file></xliff>'
        )
    return [str(folder / f"{language}.xlf") for language in ("de", "nl")]


def moses(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        for side in ("en", language):
            (folder / f"train-{language}.{side}").write_text("\n".join(texts("moses", side)) + "\n")
    return [
        f"moses:{folder}/train-{language}.en,{folder}/train-{language}.{language}"
        for language in ("de", "nl")
    ]


def catalogue(kind: str, language: str) -> polib.MOFile:
    made = polib.MOFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Language": language}
    made.extend(polib.POEntry(msgid=left, msgstr=right) for left, right in rows(kind, language))
    return made


def mo(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        (folder / f"one.{language}.mo").write_bytes(catalogue("mo", language).to_binary())
    return [str(folder / f"one.{language}.mo") for language in ("de", "nl")]


def gettext(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        place = folder / "locale" / language / "LC_MESSAGES"
        place.mkdir(parents=True)
        (place / "tool.mo").write_bytes(catalogue("gettext", language).to_binary())
    return [f"gettext:{folder}/locale"]


def moses_zip(kind: str, language: str, name: str) -> bytes:
    packed, pair = io.BytesIO(), "-".join(sorted(("en", language)))
    with zipfile.ZipFile(packed, "w") as archive:
        for side in ("en", language):
            archive.writestr(f"{name}.{pair}.{side}", "\n".join(texts(kind, side)) + "\n")
        archive.writestr("LICENSE", "CC BY-SA 3.0\nSee there.")
    return packed.getvalue()


def archive(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        (folder / f"{language}.zip").write_bytes(moses_zip("archive", language, "Some"))
    return [str(folder / f"{language}.zip") for language in ("de", "nl")]


def opus(folder: Path, web: Web) -> list[str]:
    web.put("/OPUS-Toy/v2/moses/de-en.txt.zip", moses_zip("opus", "de", "Toy"))
    web.put("/OPUS-Toy/v2/moses/en-nl.txt.zip", moses_zip("opus", "nl", "Toy"))
    return ["opus:Toy/v2/en-de", "opus:Toy/v2/en-nl"]


SENTENCES = {"en": 10, "de": 20, "nl": 30}  # language -> id of its first sentence
THREE = {"en": "eng", "de": "deu", "nl": "nld"}


def tatoeba_folder(folder: Path, web: Web) -> list[str]:
    lines = [
        f"{start + number}\t{THREE[language]}\t{text}"
        for language, start in SENTENCES.items()
        for number, text in enumerate(texts("export", language))
    ]
    links = [f"{10 + number}\t{start + number}" for start in (20, 30) for number in (0, 1)]
    links += ["\t".join(reversed(link.split("\t"))) for link in links]
    (folder / "export").mkdir()
    (folder / "export" / "sentences.tsv").write_text("\n".join(lines))
    (folder / "export" / "links.tsv").write_text("\n".join(links))
    return [f"tatoeba:{folder}/export"]


def tatoeba(folder: Path, web: Web) -> list[str]:
    for language, start in SENTENCES.items():
        code = THREE[language]
        lines = "\n".join(
            f"{start + number}\t{code}\t{text}" for number, text in enumerate(texts("tatoeba", language))
        )
        links = "\n".join(f"{10 + number}\t{start + number}" for number in (0, 1))
        web.put(f"/{code}/{code}_sentences.tsv.bz2", bz2.compress(lines.encode()))
        web.put(f"/eng/eng-{code}_links.tsv.bz2", bz2.compress(links.encode()))
    return ["tatoeba:eng-deu", "tatoeba:eng-nld"]


def hf(folder: Path, web: Web) -> list[str]:
    for language in ("de", "nl"):
        place = folder / "talks" / f"en-{language}"
        place.mkdir(parents=True)
        left, right = zip(*rows("hf", language), strict=True)
        pq.write_table(pa.table({"english": left, "non_english": right}), place / "train.parquet")
        (place / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    return [f"hf:{folder}/talks/en-de", f"hf:{folder}/talks/en-nl"]


def package(folder: Path, web: Web) -> list[str]:
    """Trees and catalogues in one wheel, which the cache has already."""
    from isoglot.wheels import cache_folder

    place = cache_folder() / "wheels" / "doors-1.0"
    place.mkdir(parents=True)
    path = place / "doors-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for language in ("en", "de", "nl"):
            tree = dict(zip("ab", texts("trees", language), strict=True))
            wheel.writestr(f"doors/translations/{language}.json", json.dumps(tree))
        for language in ("de", "nl"):
            data = catalogue("package", language).to_binary()
            wheel.writestr(f"doors/locale/{language}/LC_MESSAGES/doors.mo", data)
        wheel.writestr(
            "doors-1.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: Doors\nVersion: 1.0\nLicense-Expression: MIT\nAuthor: Nobody\n\n",
        )
    write_json(place / "wheel.json", {"file": path.name, "sha256": digest_file(path)})
    return ["package:doors==1.0"]


KINDS = (
    tsv, jsonl, parquet, tmx, xliff, moses, mo, gettext, archive, opus, tatoeba_folder, tatoeba, hf, package,
)  # fmt: skip
