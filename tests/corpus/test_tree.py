"""JSON trees: texts at the same place of two files, whatever stands between them."""

import json
from pathlib import PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoglot.corpus.formats.tree import joined, tree_place
from isoglot.corpus.languages import Border
from isoglot.corpus.source import open_source
from isoglot.errors import DamagedError, RequestError

KEY = st.text(st.characters(exclude_categories=["Cs"]), max_size=4).filter(
    lambda key: not key.startswith("@")
)
TREES = st.recursive(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    ),
    lambda inner: st.dictionaries(KEY, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


def side(tree, place):
    match tree:
        case tuple():
            return tree[place]
        case list():
            return [side(inner, place) for inner in tree]
        case _:
            return {key: side(inner, place) for key, inner in tree.items()}


def leaves(tree):
    match tree:
        case tuple():
            return [tree]
        case list():
            return [leaf for inner in tree for leaf in leaves(inner)]
        case _:
            return [leaf for inner in tree.values() for leaf in leaves(inner)]


def write(path, tree):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), "utf-8")
    return path


def rows(text, border=None):
    found = open_source(text).read(border or Border())
    return [(pair.source_lang, pair.target_lang, pair.source, pair.target) for pair in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trees")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEY, TREES, max_size=5))
def test_round_trip(folder, tree):
    for place, name in enumerate(("en.json", "de.json")):
        write(folder / name, side(tree, place))
    found = rows(f"json:{folder}/en.json,{folder}/de.json")
    assert [row[2:] for row in found] == leaves(tree)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ({"a": "x", "b": "y"}, {"b": "Y"}, [("y", "Y")]),
        ({"n_one": "a file", "n_other": "files"}, {"n_other": "Dateien"}, [("files", "Dateien")]),
        ({"n": {"one": "a", "other": "b"}}, {"n": {"few": "A", "other": "B"}}, [("b", "B")]),
        ({"a": ["x", "y"]}, {"a": ["X", "Y"]}, [("x", "X"), ("y", "Y")]),
        ({"a": ["x", "y"]}, {"a": ["X"]}, []),
        ({"a": "x"}, {"a": {"b": "X"}}, []),
        ({"a": 1, "b": None, "c": True, "d": "x"}, {"a": 1, "b": None, "c": True, "d": "X"}, [("x", "X")]),
        ({"@metadata": {"authors": ["A"]}, "@a": "x", "a": "y"}, {"@metadata": {"authors": ["B"]}, "@a": "X", "a": "Y"},
         [("y", "Y")]),
    ],
)  # fmt: skip
def test_what_is_joined(source, target, expected):
    assert list(joined(source, target)) == expected


def test_deep_trees_need_no_deep_stack():
    tree = "x"
    for _ in range(100_000):
        tree = {"a": tree}
    assert list(joined(tree, tree)) == [("x", "x")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("i18n/de.json", ("i18n/*.json", "de")),
        ("i18n/zh-hant.json.gz", ("i18n/*.json", "zh-hant")),
        ("app/messages.pt_BR.json", ("app/messages.*.json", "pt_BR")),
        ("locales/de/common.json", ("locales/*/common.json", "de")),
        ("i18n/qqq.json", None),
        ("i18n/strings.json", None),
        ("i18n/de.txt", None),
    ],
)
def test_places(name, expected):
    assert tree_place(PurePath(name)) == expected


def test_a_folder_of_trees(tmp_path):
    for part, word in (("lamp", "Lamp"), ("door", "Door")):
        write(tmp_path / part / "translations" / "en.json", {"title": word})
        write(tmp_path / part / "translations" / "de.json", {"title": f"{word} auf Deutsch"})
        write(tmp_path / part / "manifest.json", {"title": word})
    write(tmp_path / "lamp" / "translations" / "fr.json", {"title": "Lampe"})
    write(tmp_path / "orphan" / "de.json", {"title": "Ohne Quelle"})
    expected = [
        ("en", "de", "Door", "Door auf Deutsch"),
        ("en", "de", "Lamp", "Lamp auf Deutsch"),
        ("en", "fr", "Lamp", "Lampe"),
    ]
    assert rows(f"json:{tmp_path}") == expected
    assert rows(f"json:{tmp_path}", Border("en", ["fr"])) == expected[2:]
    assert rows(f"json:{tmp_path}", Border("fr")) == [("fr", "de", "Lampe", "Lamp auf Deutsch"),
                                                      ("fr", "en", "Lampe", "Lamp")]  # fmt: skip


def test_every_tree_of_a_folder_is_in_its_digest(tmp_path):
    write(tmp_path / "en.json", {"a": "b"})
    before = open_source(f"json:{tmp_path}").sha256
    write(tmp_path / "de.json", {"a": "B"})
    assert open_source(f"json:{tmp_path}").sha256 != before


def test_languages_from_the_uri_and_from_folders(tmp_path):
    left, right = write(tmp_path / "a.json", {"a": "x"}), write(tmp_path / "b.json", {"a": "X"})
    assert rows(f"json:{left},{right}#en-nl") == [("en", "nl", "x", "X")]
    with pytest.raises(RequestError, match=r"which language .*a\.json is"):
        rows(f"json:{left},{right}")
    left, right = write(tmp_path / "en" / "x.json", {"a": "x"}), write(tmp_path / "de" / "x.json", {"a": "X"})
    assert rows(f"json:{left},{right}") == [("en", "de", "x", "X")]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ('{"a": ', "is not JSON"),
        ('["a"]', "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        ("", "is not JSON"),
    ],
)
def test_damaged_trees_are_named(tmp_path, data, problem):
    write(tmp_path / "en.json", {"a": "x"})
    write(tmp_path / "de.json", data)
    with pytest.raises(DamagedError, match=rf"de\.json {problem}"):
        rows(f"json:{tmp_path}/en.json,{tmp_path}/de.json")


def test_a_tree_too_big_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("isoglot.corpus.formats.tree._BYTES_CAP", 10)
    write(tmp_path / "en.json", {"a": "x"})
    write(tmp_path / "de.json", {"a": "xxxxx"})
    with pytest.raises(DamagedError, match=r"de\.json has more than 256 MiB"):
        rows(f"json:{tmp_path}/en.json,{tmp_path}/de.json")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("json:a.json", "neither a folder nor two files"),
        ("json:a/en.json,a/de.json", r"no file a/en\.json"),
        ("json:{folder}", "has no files such as"),
    ],
)
def test_wrong_sources(tmp_path, text, problem):
    with pytest.raises(RequestError, match=problem):
        open_source(text.format(folder=tmp_path))
