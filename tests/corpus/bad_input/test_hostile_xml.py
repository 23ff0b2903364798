"""XML that wants too much: refused or bounded, without the network and without files nobody named."""

import gzip
import http.server
import threading

import pytest

from corpus.bad_input.measured import read_in_own_process, read_in_this_process, require_bounds

CANARY = "canary-4711-do-not-read"
MIB = 1 << 20


@pytest.fixture
def canary(tmp_path):
    """A file whose text must not appear anywhere."""
    path = tmp_path / "canary.txt"
    path.write_text(CANARY)
    return path


@pytest.fixture
def server():
    """A web server on loopback that remembers what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f'<!ENTITY a "{CANARY}">'.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def tmx(segment="one", doctype="", head='<?xml version="1.0"?>', units=1):
    unit = f'<tu><tuv xml:lang="en"><seg>{segment}</seg></tuv><tuv xml:lang="de"><seg>eins</seg></tuv></tu>'
    return f'{head}{doctype}<tmx version="1.4"><header srclang="en"/><body>{unit * units}</body></tmx>'


def xliff(segment="one", doctype="", head='<?xml version="1.0"?>'):
    unit = f'<trans-unit id="1"><source>{segment}</source><target>eins</target></trans-unit>'
    return (
        f'{head}{doctype}<xliff version="1.2"><file source-language="en" target-language="de"><body>{unit}'
        "</body></file></xliff>"
    )


def xces(segment="one", doctype="", head='<?xml version="1.0"?>'):
    """The alignment itself; `written` puts the documents beside it, of which the English one is hostile."""
    return f'{head}{doctype}<text><s id="1">{segment}</s></text>'


KINDS = {"tmx": (tmx, "x.tmx"), "xliff": (xliff, "x.xlf"), "xces": (xces, "en/a.xml")}
# a process each: the common parser is tried with one kind in the fast tests, with all of them in the slow ones
EACH = ["tmx", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("xliff", "xces"))]
ALIGNMENT = (
    '<cesAlign version="1.0"><linkGrp fromDoc="de/a.xml" toDoc="en/a.xml"><link xtargets="1;1" id="L"/>'
    "</linkGrp></cesAlign>"
)


def written(folder, kind, data):
    """Write a hostile file of a kind; return the SOURCE that reads it."""
    path = folder / KINDS[kind][1]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    if kind != "xces":
        return str(path)
    (folder / "de").mkdir()
    (folder / "de/a.xml").write_text('<text><s id="1">eins</s></text>')
    (folder / "alignment.xml").write_text(ALIGNMENT)
    return str(folder / "alignment.xml")


def refused(folder, kind, data, message, read=read_in_own_process):
    outcome = read(written(folder, kind, data))
    require_bounds(outcome)
    assert outcome.error == "DamagedError", outcome
    assert message in outcome.message, outcome
    assert CANARY not in str(outcome)
    assert outcome.pairs == 0
    return outcome


def levels(number, repeated):
    """Entities that each hold ten of the one before: `number` levels make 10 ** number characters."""
    declared = ['<!ENTITY a0 "ha">']
    declared += [f'<!ENTITY a{n} "{f"&a{n - 1};" * repeated}">' for n in range(1, number)]
    return f"<!DOCTYPE x [{''.join(declared)}]>"


@pytest.mark.parametrize("kind", EACH)
def test_billion_laughs(tmp_path, kind):
    refused(tmp_path, kind, KINDS[kind][0]("&a9;", levels(10, 10)), "EntitiesForbidden")


@pytest.mark.parametrize("kind", EACH)
def test_quadratic_blow_up(tmp_path, kind):
    doctype = f'<!DOCTYPE x [<!ENTITY a "{"ha" * 50_000}">]>'
    refused(tmp_path, kind, KINDS[kind][0]("&a;" * 50_000, doctype), "EntitiesForbidden")


@pytest.mark.parametrize("kind", EACH)
def test_an_entity_from_a_file(tmp_path, kind, canary):
    doctype = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{canary}">]>'
    refused(tmp_path, kind, KINDS[kind][0]("&a;", doctype), "EntitiesForbidden")


@pytest.mark.parametrize("kind", EACH)
def test_an_entity_from_the_network(tmp_path, kind, server):
    address, asked = server
    doctype = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{address}/a.txt">]>'
    refused(tmp_path, kind, KINDS[kind][0]("&a;", doctype), "EntitiesForbidden")
    assert asked == []


@pytest.mark.parametrize("kind", EACH)
def test_a_parameter_entity(tmp_path, kind, server, canary):
    address, asked = server
    doctype = f'<!DOCTYPE x [<!ENTITY % a SYSTEM "{address}/a.dtd"> %a; <!ENTITY % b SYSTEM "file://{canary}"> %b;]>'
    refused(tmp_path, kind, KINDS[kind][0]("one", doctype), "EntitiesForbidden")
    assert asked == []


@pytest.mark.parametrize("kind", EACH)
def test_an_external_dtd_is_not_fetched(tmp_path, kind, server, canary):
    """Real files name one, so it is allowed, and it stays unread; an entity that only it has is unknown."""
    address, asked = server
    for number, place in enumerate((f"{address}/tmx14.dtd", f"file://{canary}")):
        (folder := tmp_path / str(number)).mkdir()
        outcome = read_in_own_process(
            written(folder, kind, KINDS[kind][0](doctype=f'<!DOCTYPE x SYSTEM "{place}">'))
        )
        require_bounds(outcome)
        assert (outcome.pairs, outcome.error) == (1, "")
    (folder := tmp_path / "entity").mkdir()
    refused(folder, kind, KINDS[kind][0]("&a;", f'<!DOCTYPE x SYSTEM "{address}/a.dtd">'), "entity")
    assert asked == []


@pytest.mark.parametrize("kind", EACH)
def test_nested_200_000_deep(tmp_path, kind):
    deep = 200_000
    refused(tmp_path, kind, KINDS[kind][0]("<g>" * deep + "</g>" * deep), "nested deeper than 256")


def test_nested_as_deep_as_nobody_does_outside_a_segment(tmp_path):
    """Where no segment is open, elements are dropped, and yet depth has a limit."""
    refused(tmp_path, "tmx", "<tmx>" + "<body>" * 200_000, "nested deeper than 256")


def test_inline_tags_may_nest_as_real_ones_do(tmp_path):
    outcome = read_in_own_process(written(tmp_path, "tmx", tmx("<hi>" * 200 + "deep" + "</hi>" * 200)))
    assert (outcome.texts, outcome.error) == ([["deep", "eins"]], "")


@pytest.mark.parametrize("kind", EACH)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", "", id="text"),
        pytest.param('<x a="', '"/>', id="attribute", marks=pytest.mark.slow),
        pytest.param("<!-- ", " -->", id="comment", marks=pytest.mark.faults),
        pytest.param("<?x ", "?>", id="instruction", marks=pytest.mark.faults),
        pytest.param("<![CDATA[", "]]>", id="cdata", marks=pytest.mark.slow),
    ],
)
def test_a_segment_of_1_gb(tmp_path, kind, before, after):
    """A gzip file of 1 MB: 1 024 members of 1 MiB each between the two ends of the document."""
    head, tail = KINDS[kind][0](f"{before}CUT{after}").split("CUT")
    data = gzip.compress(head.encode()) + gzip.compress(b"a" * MIB) * 1024 + gzip.compress(tail.encode())
    path = tmp_path / (KINDS[kind][1] + ".gz")
    if kind == "xces":
        source = written(tmp_path, kind, b"")
        (tmp_path / "en/a.xml").unlink()
        (tmp_path / "alignment.xml").write_text(ALIGNMENT.replace("en/a.xml", "en/a.xml.gz"))
    else:
        source = str(path)
    path.write_bytes(data)
    outcome = read_in_own_process(source)
    require_bounds(outcome)
    assert outcome.error == "DamagedError"
    assert "more than 4 MiB" in outcome.message


def test_a_segment_of_many_tiny_elements(tmp_path):
    path = tmp_path / "x.tmx.gz"
    head, tail = tmx("CUT").split("CUT")
    data = (
        gzip.compress(head.encode()) + gzip.compress(b"<a/>" * (MIB // 4)) * 64 + gzip.compress(tail.encode())
    )
    path.write_bytes(data)
    outcome = read_in_own_process(str(path))
    require_bounds(outcome)
    assert "more than 100,000 others inside" in outcome.message


def test_a_long_file_of_short_segments_is_read(tmp_path):
    """The limit is one of segments: 6 MB of units come whole."""
    path = tmp_path / "x.tmx.gz"
    path.write_bytes(gzip.compress(tmx("one " * 25, units=30_000).encode(), 1))
    outcome = read_in_own_process(str(path))
    require_bounds(outcome)
    assert (outcome.pairs, outcome.error) == (30_000, "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["UTF-16", "shift_jis", "nonsense", "idna", "base64", "utf-7"])
def test_a_wrong_encoding_declaration(tmp_path, kind, name):
    head = f'<?xml version="1.0" encoding="{name}"?>'
    refused(tmp_path, kind, KINDS[kind][0]("Tür", head=head), "encoding", read_in_this_process)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_not_in_the_declared_encoding(tmp_path, kind):
    refused(tmp_path, kind, KINDS[kind][0]("Tür").encode("latin-1"), "not well-formed", read_in_this_process)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_other_encodings_that_are_declared_are_read(tmp_path, kind, codec):
    head = f'<?xml version="1.0" encoding="{"UTF-16" if "16" in codec else codec.removesuffix("-sig")}"?>'
    data = KINDS[kind][0]("Tür", head=head).encode(codec)
    if codec.endswith(("le", "be")):
        data = {"le": b"\xff\xfe", "be": b"\xfe\xff"}[codec[-2:]] + data
    outcome = read_in_this_process(written(tmp_path, kind, data))
    assert outcome.error == ""
    assert sorted(outcome.texts[0]) == ["Tür", "eins"]


def test_paired_codes_inside_a_segment_leave_the_text(tmp_path):
    segment = 'The <bpt i="1" type="bold">&lt;b&gt;</bpt>red<ept i="1">&lt;/b&gt;</ept> door'
    outcome = read_in_this_process(written(tmp_path, "tmx", tmx(segment)))
    assert outcome.texts == [["The red door", "eins"]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sixteenth", [1, 4, 8, 12, 15])
def test_truncated(tmp_path, kind, sixteenth):
    whole = KINDS[kind][0]("one two three " * 50)
    outcome = read_in_this_process(written(tmp_path, kind, whole[: len(whole) * sixteenth // 16]))
    assert outcome.error == "DamagedError"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("junk", ["junk", "<more/>", "\0", "&a;", "<"])
def test_something_after_the_root(tmp_path, kind, junk):
    outcome = read_in_this_process(written(tmp_path, kind, KINDS[kind][0]() + junk))
    assert outcome.error == "DamagedError"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("\0", "not well-formed"),
        ("&#0;", "not well-formed"),
        ("&#xD800;", "not well-formed"),
        ("&unknown;", "undefined entity"),
        ("&nbsp;", "undefined entity"),
        ("\x08", "not well-formed"),
        ("\ufffe", "not well-formed"),
        ("<b>", "not well-formed"),
        ('<b a="1" a="2"/>', "not well-formed"),
        ("<q:b/>", "not well-formed"),
    ],
    ids=[
        "NUL",
        "NUL reference",
        "surrogate",
        "entity",
        "nbsp",
        "control",
        "noncharacter",
        "open",
        "twice",
        "prefix",
    ],
)
def test_what_xml_does_not_allow(tmp_path, kind, bad, message):
    refused(tmp_path, kind, KINDS[kind][0](f"a{bad}b"), message, read_in_this_process)
