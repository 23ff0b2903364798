"""TMX, XLIFF and XCES: streams of segments, inline tags, and what XML must not do."""

import gzip
import tracemalloc
import zipfile
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.tmx import read_tmx
from isoglot.corpus.formats.xces import read_xces
from isoglot.corpus.formats.xliff import read_xliff
from isoglot.corpus.formats.xml import root_name
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError


def rows(pairs):
    return [(pair.source_lang, pair.target_lang, pair.source, pair.target) for pair in pairs]


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def tmx(*units, doctype='<!DOCTYPE tmx SYSTEM "tmx14.dtd">'):
    body = "".join(f"<tu>{unit}</tu>" for unit in units)
    return f'<?xml version="1.0"?>{doctype}<tmx version="1.4"><header srclang="en"/><body>{body}</body></tmx>'


def tuv(code, segment):
    return f'<tuv xml:lang="{code}"><seg>{segment}</seg></tuv>'


def test_tmx_pairs_the_source_language_with_all_others(tmp_path):
    path = written(
        tmp_path / "x.tmx", tmx(tuv("de", "eins") + tuv("EN", "one") + tuv("zho_Hans", "一"), tuv("en", "a"))
    )
    assert rows(read_tmx(path, "c", Border())) == [
        ("en", "de", "one", "eins"),
        ("en", "zh-Hans", "one", "一"),
    ]


def test_tmx_without_the_source_language_is_still_counted(tmp_path):
    path = written(tmp_path / "x.tmx", tmx(tuv("nl", "een") + tuv("de", "eins")))
    assert rows(read_tmx(path, "c", Border())) == [("nl", "de", "een", "eins")]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["EN-US", "de"], [("en", "de", "0", "1")]),
        (["de", "en-GB", "en-US"], [("en", "de", "1", "0"), ("en", "en-US", "1", "2")]),
        (["en-US", "de", "en"], [("en", "en-US", "2", "0"), ("en", "de", "2", "1")]),
        (["en-Dsrt", "de"], [("en-Dsrt", "de", "0", "1")]),  # another script is another text
    ],
)
def test_a_region_of_the_source_language_is_the_source_language(tmp_path, codes, expected):
    units = "".join(tuv(code, str(number)) for number, code in enumerate(codes))
    path = written(tmp_path / "x.tmx", tmx(units))
    assert rows(read_tmx(path, "c", Border())) == expected


def test_an_xliff_file_from_a_region_of_the_source_language(tmp_path):
    text = XLIFF_20.replace('srcLang="en"', 'srcLang="en-US"')
    found = rows(read_xliff(written(tmp_path / "x.xlf", text), "c", Border()))
    assert [row[:2] for row in found] == [("en", "de")] * 2
    text = text.replace('trgLang="de"', 'trgLang="en-GB"')
    found = rows(read_xliff(written(tmp_path / "x.xlf", text), "c", Border()))
    assert [row[:2] for row in found] == [("en", "en-GB")] * 2


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("a <hi>b <hi>c</hi></hi> d", "a b c d"),
        ("<bpt i='1'>&lt;b&gt;</bpt>bold<ept i='1'>&lt;/b&gt;</ept> text", "bold text"),
        ("Hello <ph>{name}</ph>!", "Hello {name}!"),
        ("see <ph>[1]<sub>a footnote</sub></ph>.", "see [1]."),
        ("a<!-- note -->b", "ab"),
        ("a<?x y?>b", "ab"),
        ("line\nbreak &amp; &#233;", "line\nbreak & é"),
        ("", ""),
    ],
)
def test_tmx_inline_tags(tmp_path, segment, text):
    path = written(tmp_path / "x.tmx.gz", tmx(tuv("en", segment) + tuv("de", "x")))
    assert [pair.source for pair in read_tmx(path, "c", Border())] == [text]


def test_tmx_segment_without_language(tmp_path):
    path = written(tmp_path / "x.tmx", tmx(tuv("en", "a") + tuv("de", "b"), "<tuv><seg>a</seg></tuv>"))
    with pytest.raises(DamagedError, match="unit 2: a tuv has no xml:lang"):
        list(read_tmx(path, "c", Border()))


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE tmx [<!ENTITY a "text">]>',
        '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE tmx [<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;]>',
    ],
)
def test_entities_are_refused(tmp_path, doctype):
    path = written(tmp_path / "x.tmx", tmx(tuv("en", "a") + tuv("de", "b"), doctype=doctype))
    with pytest.raises(DamagedError, match="is refused"):
        list(read_tmx(path, "c", Border()))


def test_every_truncation_of_a_tmx_file_is_an_error(tmp_path):
    whole = tmx(*[tuv("en", "one") + tuv("de", "eins")] * 3)
    for size in range(0, len(whole) - 1, 7):
        with pytest.raises(DamagedError, match="not well-formed"):
            list(read_tmx(written(tmp_path / "x.tmx", whole[:size]), "c", Border()))


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(units):
        path = written(tmp_path / "x.tmx", tmx(*[tuv("en", "one " * 50) + tuv("de", "eins")] * units))
        tracemalloc.start()
        assert sum(1 for _ in read_tmx(path, "c", Border())) == units
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)  # imports
    assert peak(3000) < 2 * peak(300)


XLIFF_12 = """<?xml version="1.0"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
<file source-language="en" target-language="de" original="a"><body><group>
<trans-unit id="1"><source>The door</source><target state="translated">Die Tür</target></trans-unit>
<trans-unit id="2"><source>A <g id="1">red <x id="2" equiv-text="{thing}"/></g></source>
<target>Ein <g id="1">rotes <x id="2"/></g></target></trans-unit>
<trans-unit id="3"><source>New</source><target state="needs-translation">New</target></trans-unit>
<trans-unit id="4"><source>Alone</source></trans-unit>
<trans-unit id="5" translate="no"><source>ID</source><target>ID</target></trans-unit>
</group></body></file>
<file source-language="en" target-language="fr" original="b"><body>
<trans-unit id="1"><source>The door</source><target>La porte</target></trans-unit></body></file></xliff>"""

XLIFF_20 = """<?xml version="1.0"?>
<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="de"><file id="f">
<unit id="1"><segment state="final"><source>The <pc id="1">door</pc></source><target>Die <pc id="1">Tür</pc></target>
</segment><segment state="initial"><source>New</source><target>New</target></segment></unit>
<unit id="2"><segment><source>Hello <ph id="3"/><cp hex="0041"/></source><target>Hallo <ph id="3" equiv="%s"/></target>
</segment></unit></file></xliff>"""


def test_xliff_12(tmp_path):
    assert rows(read_xliff(written(tmp_path / "x.xlf", XLIFF_12), "c", Border())) == [
        ("en", "de", "The door", "Die Tür"),
        ("en", "de", "A red {thing}", "Ein rotes {2}"),
        ("en", "fr", "The door", "La porte"),
    ]


def test_xliff_20(tmp_path):
    assert rows(read_xliff(written(tmp_path / "x.xliff", XLIFF_20), "c", Border())) == [
        ("en", "de", "The door", "Die Tür"),
        ("en", "de", "Hello {3}A", "Hallo %s"),
    ]


def test_xliff_languages_from_the_uri(tmp_path):
    path = written(
        tmp_path / "x.xlf", XLIFF_12.replace(' target-language="fr"', "").replace(' target-language="de"', "")
    )
    with pytest.raises(RequestError, match="does not name its two languages"):
        list(read_xliff(path, "c", Border()))
    assert [pair.target_lang for pair in open_source(f"{path}#en-nl").read(Border())] == ["nl"] * 3


ALIGNMENT = """<?xml version="1.0"?>
<!DOCTYPE cesAlign PUBLIC "-//CES//DTD XML cesAlign//EN" "">
<cesAlign version="1.0"><linkGrp targType="s" fromDoc="de/book.xml.gz" toDoc="en/book.xml.gz">
<link xtargets="1;1" id="L1"/><link xtargets="2 3;2" id="L2"/><link xtargets="4;" id="L3"/></linkGrp></cesAlign>"""
GERMAN = '<text><p><s id="1">Eins.</s><s id="2">Zwei,</s><s id="3">drei.</s><s id="4">Vier.</s></p></text>'
ENGLISH = '<text><s id="1"><w id="1.1">One</w> <w id="1.2">.</w></s><s id="2">Two, three.</s></text>'


@pytest.fixture
def alignment(tmp_path):
    written(tmp_path / "xml/de/book.xml.gz", GERMAN)
    written(tmp_path / "xml/en/book.xml.gz", ENGLISH)
    return written(tmp_path / "de-en.xml", ALIGNMENT)


def test_xces(alignment):
    assert rows(open_source(str(alignment)).read(Border())) == [
        ("de", "en", "Eins.", "One ."),
        ("de", "en", "Zwei, drei.", "Two, three."),
        ("de", "en", "Vier.", ""),
    ]


def test_xces_documents_are_part_of_the_digest(alignment):
    before = open_source(str(alignment)).sha256
    written(alignment.parent / "xml/en/book.xml.gz", ENGLISH.replace("Two", "TWO"))
    assert open_source(str(alignment)).sha256 != before


def test_xces_link_to_nowhere(alignment):
    written(alignment, ALIGNMENT.replace("2 3;2", "2 9;2"))
    with pytest.raises(DamagedError, match="link L2 names sentence 9"):
        list(read_xces(alignment, "c", Border()))


def test_xces_document_is_missing(alignment):
    (alignment.parent / "xml/en/book.xml.gz").unlink()
    with pytest.raises(RequestError, match=r"needs the document en/book\.xml\.gz"):
        open_source(str(alignment))


@pytest.mark.parametrize("name", ["../secret.xml", "/etc/secret.xml", ""])
def test_xces_document_elsewhere_is_refused(alignment, name):
    written(alignment, ALIGNMENT.replace("de/book.xml.gz", name))
    with pytest.raises(DamagedError, match="outside its own folder"):
        open_source(str(alignment))


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("name", ["de.zip", "Books_latest_raw_de.zip"])
def test_xces_documents_stay_in_the_zip_of_their_language(alignment, name):
    (alignment.parent / "xml/de/book.xml.gz").unlink()
    archive = zipped(alignment.parent / name, {"Books/raw/de/book.xml": GERMAN, "Books/raw/de/b.xml": "<a/>"})
    source = open_source(str(alignment))
    assert [pair.source for pair in source.read(Border())] == ["Eins.", "Zwei, drei.", "Vier."]
    zipped(archive, {"Books/raw/de/book.xml": GERMAN.replace("Vier", "Fünf")})
    assert open_source(str(alignment)).sha256 != source.sha256


def test_the_zip_of_another_language_is_not_opened(alignment):
    (alignment.parent / "xml/de/book.xml.gz").unlink()
    written(alignment.parent / "Books_latest_raw_fr.zip", "not a zip")
    with pytest.raises(RequestError, match="OPUS's zip of its language"):
        open_source(str(alignment))


@pytest.mark.parametrize("attribute", ["certainty", "score", "overlap"])
def test_xces_links_have_scores(alignment, attribute):
    written(alignment, ALIGNMENT.replace('id="L1"', f'{attribute}="0.25" id="L1"'))
    assert [pair.score for pair in read_xces(alignment, "c", Border())] == [0.25, None, None]


def test_a_score_that_is_no_number(alignment):
    written(alignment, ALIGNMENT.replace('id="L1"', 'certainty="high" id="L1"'))
    with pytest.raises(DamagedError, match="link L1 has the score 'high'"):
        list(read_xces(alignment, "c", Border()))


def test_root_names(tmp_path):
    assert root_name(written(tmp_path / "a.xml", ALIGNMENT)) == "cesAlign"
    assert root_name(written(tmp_path / "b.xml", XLIFF_12)) == "xliff"
    with pytest.raises(DamagedError, match="not well-formed"):
        root_name(written(tmp_path / "c.xml", "no XML"))


def test_xml_of_another_kind(tmp_path):
    with pytest.raises(RequestError, match=r"no reader for \.html files"):
        open_source(str(written(tmp_path / "a.xml", "<html/>")))


# what XML 1.0 can hold and hands over unchanged: no controls, and a carriage return becomes a line feed
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t")
)
LANGUAGES = st.sampled_from(["de", "fr", "zh-Hant", "tr"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("xml")


@settings(max_examples=60, deadline=None)
@given(
    units=st.lists(st.tuples(TEXT, st.dictionaries(LANGUAGES, TEXT, min_size=1))),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_tmx_round_trip(folder, units, encoding):
    root = ElementTree.Element("tmx", version="1.4")
    body = ElementTree.SubElement(root, "body")
    for source, targets in units:
        unit = ElementTree.SubElement(body, "tu")
        for code, text in {"en": source, **targets}.items():
            variant = ElementTree.SubElement(unit, "tuv", {"xml:lang": code})
            ElementTree.SubElement(variant, "seg").text = text
    ElementTree.ElementTree(root).write(folder / "x.tmx", encoding, xml_declaration=True)
    expected = [("en", code, source, text) for source, targets in units for code, text in targets.items()]
    assert rows(read_tmx(folder / "x.tmx", "c", Border())) == expected


@settings(max_examples=60, deadline=None)
@given(units=st.lists(st.tuples(TEXT, TEXT)), version=st.sampled_from(["1.2", "2.0"]))
def test_xliff_round_trip(folder, units, version):
    texts = [f"<source>{escape(a)}</source><target>{escape(b)}</target>" for a, b in units]
    if version == "1.2":
        body = "".join(f'<trans-unit id="{number}">{text}</trans-unit>' for number, text in enumerate(texts))
        body = f'<file source-language="en" target-language="de"><body>{body}</body></file>'
        head = '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">'
    else:
        body = "".join(
            f'<unit id="{number}"><segment>{text}</segment></unit>' for number, text in enumerate(texts)
        )
        body = f'<file id="f">{body}</file>'
        head = '<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="de">'
    path = written(folder / "x.xlf", f'<?xml version="1.0" encoding="utf-8"?>{head}{body}</xliff>')
    assert rows(read_xliff(path, "c", Border())) == [("en", "de", *unit) for unit in units]


@settings(max_examples=40, deadline=None)
@given(
    links=st.lists(
        st.tuples(st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3), st.none() | st.floats(0, 1))
    ),
    packed=st.booleans(),
)
def test_xces_round_trip(folder, links, packed):
    documents: dict[str, list[str]] = {"de": [], "en": []}
    written_links = []
    for left, right, score in links:
        sides = []
        for code, texts in (("de", left), ("en", right)):
            first = len(documents[code]) + 1
            documents[code] += texts
            sides.append(" ".join(f"s{first + place}" for place in range(len(texts))))
        certainty = "" if score is None else f" certainty={quoteattr(repr(score))}"
        written_links.append(f'<link xtargets="{";".join(sides)}"{certainty}/>')
    for code, texts in documents.items():
        body = "".join(f'<s id="s{number}">{escape(text)}</s>' for number, text in enumerate(texts, start=1))
        (folder / f"{code}.zip").unlink(missing_ok=True)
        plain = folder / "xml" / code / "book.xml"
        plain.unlink(missing_ok=True)
        if packed:
            zipped(folder / f"{code}.zip", {f"Books/raw/{code}/book.xml": f"<text>{body}</text>"})
        else:
            written(plain, f"<text>{body}</text>")
    group = f'<linkGrp fromDoc="de/book.xml.gz" toDoc="en/book.xml.gz">{"".join(written_links)}</linkGrp>'
    path = written(folder / "de-en.xml", f"<cesAlign>{group}</cesAlign>")
    found = [(pair.source, pair.target, pair.score) for pair in read_xces(path, "c", Border())]
    assert found == [(" ".join(left), " ".join(right), score) for left, right, score in links]
