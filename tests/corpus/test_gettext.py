"""gettext catalogues: finished entries only, both forms of a plural, any way to name the language."""

import polib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.gettext import catalogue_language, locale_code, read_gettext
from isoglot.corpus.languages import Border, parse
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError


def catalogue(language="de", forms=2):
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8"} | (
        {"Language": language} if language else {}
    )
    made.append(polib.POEntry(msgid="The door", msgstr="Die Tür"))
    made.append(polib.POEntry(msgid="May", msgstr="Mai", msgctxt="month"))
    plural = {place: f"{place} Dateien" for place in range(forms)}
    made.append(polib.POEntry(msgid="One file", msgid_plural="Many files", msgstr_plural=plural))
    made.append(polib.POEntry(msgid="Guessed", msgstr="Geraten", flags=["fuzzy"]))
    made.append(polib.POEntry(msgid="Old", msgstr="Alt", obsolete=True))
    made.append(polib.POEntry(msgid="Untranslated", msgstr=""))
    return made


def texts(pairs):
    return sorted((pair.source, pair.target) for pair in pairs)


FINISHED = [("Many files", "1 Dateien"), ("May", "Mai"), ("One file", "0 Dateien"), ("The door", "Die Tür")]


def test_po(tmp_path):
    catalogue().save(str(tmp_path / "x.po"))
    pairs = list(open_source(str(tmp_path / "x.po")).read(Border()))
    assert texts(pairs) == FINISHED
    assert {(pair.source_lang, pair.target_lang) for pair in pairs} == {("en", "de")}


def test_mo(tmp_path):
    catalogue().save_as_mofile(str(tmp_path / "x.mo"))
    assert texts(open_source(str(tmp_path / "x.mo")).read(Border())) == FINISHED


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (1, [("Many files", "0 Dateien")]),
        (3, [("Many files", "2 Dateien"), ("One file", "0 Dateien")]),
    ],
)
def test_plural_forms(tmp_path, forms, expected):
    catalogue(forms=forms).save(str(tmp_path / "x.po"))
    found = texts(read_gettext(tmp_path / "x.po", "c", Border()))
    assert [row for row in found if "file" in row[0]] == expected


def test_the_language_is_found_or_asked_for(tmp_path):
    for name in ("django.nl.po", "x.po"):
        catalogue(language="").save(str(tmp_path / name))
    assert {pair.target_lang for pair in read_gettext(tmp_path / "django.nl.po", "c", Border())} == {"nl"}
    with pytest.raises(RequestError, match="does not say which language"):
        list(read_gettext(tmp_path / "x.po", "c", Border()))
    assert {pair.target_lang for pair in open_source(f"{tmp_path}/x.po#en-fr").read(Border())} == {"fr"}


@pytest.mark.parametrize(
    ("locale", "tag"),
    [
        ("de", "de"),
        ("pt_BR", "pt-BR"),
        ("de_DE.UTF-8", "de-DE"),
        ("sr@latin", "sr-Latn"),
        ("sr_RS@latin", "sr-Latn-RS"),
        ("ca@valencia", "ca-valencia"),
        ("tt@iqtelif", "tt-x-iqtelif"),
        ("zh_Hans", "zh-Hans"),
    ],
)
def test_locales(locale, tag):
    assert parse(locale_code(locale)) == tag


def test_a_folder_of_locales(tmp_path):
    for folder in ("de/LC_MESSAGES", "sr@latin/LC_MESSAGES", "nl/LC_MESSAGES", "l10n/LC_MESSAGES"):
        (tmp_path / folder).mkdir(parents=True)
        catalogue(language="").save_as_mofile(str(tmp_path / folder / "tool.mo"))
    source = open_source(f"gettext:{tmp_path}")
    assert {pair.target_lang for pair in source.read(Border())} == {"de", "nl", "sr-Latn"}
    assert {pair.target_lang for pair in source.read(Border("en", ["nl"]))} == {"nl"}
    assert catalogue_language(tmp_path / "l10n/LC_MESSAGES/tool.mo") is None


def test_folders_without_catalogues(tmp_path):
    with pytest.raises(RequestError, match="has no catalogues"):
        open_source(f"gettext:{tmp_path}")
    with pytest.raises(RequestError, match="is not a folder"):
        open_source(f"gettext:{tmp_path}/none")


@pytest.mark.parametrize("data", [b"", b"\xde\x12\x04\x95", b"no catalogue", bytes(40)])
def test_broken_mo_files(tmp_path, data):
    (tmp_path / "de.mo").write_bytes(data)
    with pytest.raises(DamagedError, match="is not a readable catalogue"):
        list(read_gettext(tmp_path / "de.mo", "c", Border()))


def test_every_truncation_of_a_mo_file_is_an_error(tmp_path):
    path = tmp_path / "de.mo"
    catalogue().save_as_mofile(str(path))
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedError):
            list(read_gettext(path, "c", Border()))


def test_a_broken_po_file_names_the_line(tmp_path):
    (tmp_path / "de.po").write_text('msgid "a"\nmsgstr "b"\n\nnonsense here\n')
    with pytest.raises(DamagedError, match="line 4"):
        list(read_gettext(tmp_path / "de.po", "c", Border()))


def test_messages_are_english_whatever_the_source_language(tmp_path):
    """A corpus from German has use for the German catalogue, turned round, and for no other."""
    for language in ("de", "fr"):
        (tmp_path / language / "LC_MESSAGES").mkdir(parents=True)
        catalogue(language="").save_as_mofile(str(tmp_path / language / "LC_MESSAGES" / "tool.mo"))
    source = open_source(f"gettext:{tmp_path}")
    found = [pair[:4] for pair in source.read(Border("de"))]
    assert ("The door", "Die Tür", "en", "de") in found
    assert {languages for *_, languages in found} == {"de"}
    assert list(source.read(Border("de", ["fr"]))) == []


def test_a_catalogue_may_say_what_its_messages_are_in(tmp_path):
    made = catalogue(language="fr")
    made.metadata["X-Source-Language"] = "nl_NL"
    made.save(str(tmp_path / "x.po"))
    assert {pair[2:4] for pair in read_gettext(tmp_path / "x.po", "c", Border())} == {("nl-NL", "fr")}


def test_an_odd_catalogue_is_passed_over_and_named(tmp_path):
    for folder in ("de", "nl"):
        (tmp_path / folder / "LC_MESSAGES").mkdir(parents=True)
        catalogue(language="").save_as_mofile(str(tmp_path / folder / "LC_MESSAGES" / "tool.mo"))
    odd = tmp_path / "nl" / "LC_MESSAGES" / "tool.mo"
    odd.write_bytes(odd.read_bytes()[:-20])
    source = open_source(f"gettext:{tmp_path}")
    assert {pair.target_lang for pair in source.read(Border())} == {"de"}
    assert len(source.skipped) == 1 and str(odd) in source.skipped[0]


def test_catalogues_of_a_projects_source(tmp_path):
    (tmp_path / "de" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "nl" / "LC_MESSAGES").mkdir(parents=True)
    catalogue(language="").save(str(tmp_path / "de" / "LC_MESSAGES" / "tool.po"))
    catalogue(language="").save(str(tmp_path / "nl" / "LC_MESSAGES" / "tool.po"))
    catalogue(language="").save_as_mofile(str(tmp_path / "nl" / "LC_MESSAGES" / "tool.mo"))
    found = [pair.target_lang for pair in open_source(f"gettext:{tmp_path}").read(Border())]
    assert sorted(found) == ["de"] * 4 + ["nl"] * 4


# polib splits what it reads at every kind of line end and writes only \n and \r as escapes
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from('\n\t\\"'), min_size=1
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("catalogues")


@settings(max_examples=60, deadline=None)
@given(
    entries=st.dictionaries(WORDS, WORDS, max_size=5),
    left_out=st.dictionaries(WORDS, st.sampled_from(["fuzzy", "obsolete", "empty"]), max_size=3),
    plural=st.none() | st.tuples(WORDS, WORDS, st.lists(WORDS, min_size=2, max_size=4)),
)
def test_round_trip(folder, entries, left_out, plural):
    made = polib.POFile()
    made.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Language": "de"}
    for source, target in entries.items():
        made.append(polib.POEntry(msgid=source, msgstr=target))
    for source, why in left_out.items():
        flags = ["fuzzy"] if why == "fuzzy" else []
        text = "" if why == "empty" else "left out"
        made.append(
            polib.POEntry(msgid=source, msgctxt="x", msgstr=text, flags=flags, obsolete=why == "obsolete")
        )
    expected = list(entries.items())
    if plural:
        one, many, forms = plural
        made.append(
            polib.POEntry(msgid=one, msgctxt="y", msgid_plural=many, msgstr_plural=dict(enumerate(forms)))
        )
        expected += [(one, forms[0]), (many, forms[-1])]
    made.save(str(folder / "x.po"))
    made.save_as_mofile(str(folder / "x.mo"))
    for kind in ("po", "mo"):
        assert texts(open_source(str(folder / f"x.{kind}")).read(Border())) == sorted(expected)
