"""A small wheel with translations, made in code, in a cache that already holds it."""

import json
import zipfile

import pytest

from isoglot.artefact import digest_file, write_json

LAMP = {
    "en": {"title": "Lamp", "state": {"on": "Switched on", "off": "Switched off"}, "count": 3},
    "de": {"title": "Leuchte", "state": {"on": "Eingeschaltet", "off": "Ausgeschaltet"}, "old": "Veraltet"},
    "zh-Hans": {"title": "灯光", "state": {"on": "已打开"}},
}
DOOR = {
    "en": {"open": "The door is open.", "shape": {"a": "b"}},
    "de": {"open": "Die Tür ist offen.", "shape": "text, not a group"},
}
METADATA = """Metadata-Version: 2.4
Name: Smalltexts
Version: 1.0
License-Expression: Apache-2.0
Author: Somebody
License-File: LICENSE

"""


def members():
    found = {
        f"smalltexts/{part}/translations/{language}.json": json.dumps(texts, ensure_ascii=False).encode()
        for part, languages in (("lamp", LAMP), ("door", DOOR))
        for language, texts in languages.items()
    }
    found["smalltexts/orphan/translations/de.json"] = b'{"a": "Ohne Quelle"}'
    found["smalltexts/lamp/translations/strings.json"] = b'{"title": "no language"}'
    found["smalltexts-1.0.dist-info/METADATA"] = METADATA.encode()
    found["smalltexts-1.0.dist-info/licenses/LICENSE"] = b"The full terms."
    return found


@pytest.fixture
def put_wheel(tmp_path, monkeypatch):
    """Puts the wheel `package:smalltexts==1.0` in a new cache; a change of None leaves that member out."""
    monkeypatch.setenv("ISOGLOT_CACHE", str(tmp_path / "cache"))

    def put(changes=None):
        folder = tmp_path / "cache" / "wheels" / "smalltexts-1.0"
        folder.mkdir(parents=True)
        path = folder / "smalltexts-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {**members(), **(changes or {})}.items():
                if data is not None:
                    archive.writestr(name, data)
        write_json(folder / "wheel.json", {"file": path.name, "sha256": digest_file(path)})
        return path

    return put
