"""What holds for every kind of SOURCE: the direction of pairs, and that terms reach corpus and student."""

import json
import subprocess
import sys

import pytest

import source_kinds as kinds
from isoglot.config import CorpusConfig
from isoglot.corpus.build import build

ROOMY = {"dev_percent": 0, "test_percent": 0}


def make(kind, tmp_path, web):
    folder = tmp_path / kind.__name__
    folder.mkdir()
    return kind(folder, web)


def corpus_of(sources, web, hurried, tmp_path, **options):
    options = {"sources": sources, "download": hurried, **ROOMY, **options}
    return build(CorpusConfig.model_validate(options), tmp_path / "corpus")


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.__name__)
def test_pairs_the_other_way_round_are_swapped(kind, tmp_path, web, hurried):
    """Data from English, a teacher that knows German: German becomes the source, Dutch is of no use."""
    sources = make(kind, tmp_path, web)
    corpus = corpus_of(sources, web, hurried, tmp_path, source_lang="deu")
    groups = corpus.groups("train")
    names = {"package": ["package", "trees"], "tatoeba_folder": ["export"]}.get(
        kind.__name__, [kind.__name__]
    )
    german = [text for name in names for text in kinds.texts(name, "de")]
    assert sorted(groups.sources) == sorted(german)
    found = {groups.sources[group]: text for group, text in zip(groups.group, groups.targets, strict=True)}
    if kind.__name__ == "package":  # trees are joined to German itself, so they give Dutch as well
        assert set(corpus.languages) == {"en", "nl"}
        return
    assert corpus.languages == ("en",)
    assert found == dict(zip(german, kinds.texts(names[0], "en"), strict=True))
    # whole files that cannot be of use are not opened; the rows of all others are counted
    unread = kind.__name__ in ("gettext", "tatoeba_folder")
    assert corpus.manifest.counts["not asked for"] == ({} if unread else {"en-nl": 2})


TERMS = {
    "opus": "- Toy (licence: CC BY-SA 3.0). Toy v2, from OPUS (https://opus.nlpl.eu; ",
    "tatoeba": "- tatoeba (licence: CC BY 2.0 FR). Sentences of Tatoeba (https://tatoeba.org) by its contributors.",
    "tatoeba_folder": "- tatoeba (licence: CC BY 2.0 FR). Sentences of Tatoeba ",
    "hf": "- en-de (licence: cc0-1.0). Dataset en-de.",
    "package": "- doors (licence: MIT). Translations of Doors 1.0 by Nobody.",
    "gettext": "- locale (licence: not stated).",
    "tsv": "- tsv/all (licence: not stated).",
}


def test_terms_stand_in_the_notice_of_the_corpus_once(tmp_path, web, hurried):
    chosen = [kind for kind in kinds.KINDS if kind.__name__ in TERMS]
    sources = [source for kind in chosen for source in make(kind, tmp_path, web)]
    corpus = corpus_of(sources, web, hurried, tmp_path)
    lines = corpus.notice.splitlines()
    for line in TERMS.values():
        assert len([found for found in lines if found.startswith(line)]) == 1
    assert (corpus.folder / "licences" / "Toy.txt").read_text() == "LICENSE\n\nCC BY-SA 3.0\nSee there."
    assert corpus.manifest.counts["licences"]["tatoeba:eng-deu"] == "CC BY 2.0 FR"


@pytest.mark.slow
def test_terms_reach_the_student(tmp_path, web, hurried, tiny_folder):
    import tiny
    from isoglot.pipeline.run import run
    from isoglot.recipe import load_recipe

    chosen = [kind for kind in kinds.KINDS if kind.__name__ in TERMS]
    sources = [source for kind in chosen for source in make(kind, tmp_path, web)]
    recipe = tiny.write_recipe(
        tmp_path / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    listed = json.dumps([str(tiny_folder / "pairs.tsv"), *sources])
    settings = [f"corpus.sources={listed}", "train.epochs=0", "evaluate.pool=40"]
    settings += [
        f"corpus.download.{name}={json.dumps(value)}" for name, value in hurried.model_dump().items() if value
    ]
    finished = run(load_recipe(str(recipe), settings), tmp_path / "run", evaluate=False)
    notice = (finished.folder.student / "NOTICE").read_text()
    for line in TERMS.values():
        assert line in notice


def test_how_to_download_does_not_change_a_corpus(tmp_path, web, hurried):
    first = corpus_of(kinds.opus(tmp_path, web), web, hurried, tmp_path)
    patient = hurried.model_copy(update={"attempts": 9, "opus_url": web.url + "/"})
    again = build(
        CorpusConfig(sources=("opus:Toy/v2/en-de", "opus:Toy/v2/en-nl"), download=patient, **ROOMY),
        first.folder,
    )
    assert again.manifest.digest == first.manifest.digest
    assert len(web.log) == 2


def test_an_odd_catalogue_is_named_in_the_manifest(tmp_path, web, hurried):
    sources = make(kinds.gettext, tmp_path, web)
    odd = tmp_path / "gettext" / "locale" / "nl" / "LC_MESSAGES" / "tool.mo"
    odd.write_bytes(odd.read_bytes()[:-9])
    corpus = corpus_of(sources, web, hurried, tmp_path)
    assert corpus.languages == ("de",)
    (said,) = corpus.manifest.counts["skipped"][sources[0]]
    assert str(odd) in said


def command(web, tmp_path, *more):
    options = [f"download.opus_url={web.url}", "download.backoff_seconds=0.01"]
    arguments = [
        sys.executable,
        "-m",
        "isoglot.cli.main",
        "corpus",
        "build",
        "opus:Big/v1/de-en",
        "--out",
        "out",
    ]
    return [*arguments, *(part for option in options for part in ("--set", option)), *more]


def big_archive():
    import io
    import random
    import zipfile

    drawn, packed = random.Random(5), io.BytesIO()
    words = [
        f"{drawn.getrandbits(40):x}".translate(str.maketrans("0123456789", "ghijklmnop"))
        for _ in range(60_000)
    ]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for side, cut in (("de", words[:30_000]), ("en", words[30_000:])):
            lines = [f"{side} {' '.join(cut[place : place + 6])}" for place in range(0, 30_000, 6)]
            archive.writestr(f"Big.de-en.{side}", "\n".join(lines) + "\n")
    return packed.getvalue()


@pytest.mark.slow
def test_a_download_that_was_killed_continues(tmp_path, web):
    """SIGKILL in mid-download; the next command asks for the rest only, and the bytes are equal."""
    import time

    from loopback import Mischief

    body, path = big_archive(), "/OPUS-Big/v1/moses/de-en.txt.zip"
    web.put(path, body, Mischief(pause=0.05, piece=4_000))
    process = subprocess.Popen(command(web, tmp_path), cwd=tmp_path, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    cache = tmp_path / "cache" / "downloads"
    while not any(one.stat().st_size > 40_000 for one in cache.rglob("*.partial")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    (part,) = cache.rglob("*.partial")
    arrived = part.stat().st_size
    assert 40_000 < arrived < len(body)
    done = subprocess.run(
        command(web, tmp_path, "--json"), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert web.asked(path) == ["", f"bytes={arrived}-"]
    (found,) = cache.rglob("de-en.txt.zip")
    assert found.read_bytes() == body
    assert json.loads(done.stdout)["read"] == 5000
    assert f"downloading de-en.txt.zip from byte {arrived}" in done.stderr
    assert list(cache.rglob("*.partial")) == []


@pytest.mark.slow
def test_a_server_that_is_down_is_a_failure_in_one_paragraph(tmp_path, web):
    from loopback import Mischief

    web.always["/OPUS-Big/v1/moses/de-en.txt.zip"] = Mischief(status=500)
    done = subprocess.run(
        command(web, tmp_path, "--set", "download.attempts=2"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: http://127.0.0.1" in done.stderr and "answered 500" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
