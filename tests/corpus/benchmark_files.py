"""Test sets in the layouts of their publishers, made in code."""

import gzip
import json
import zipfile

SCORED = [("A man walks.", "A man is walking.", 4.8), ("A dog runs.", "A cat sleeps.", 0.4)]
GERMAN = [("Ein Mann geht.", "Ein Mann läuft.", 4.8), ("Ein Hund, der rennt.", "Eine Katze schläft.", 0.4)]


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def laser(folder):
    put(folder / "tatoeba.deu-eng.deu", "Hallo.\nGute Nacht!\n")
    put(folder / "tatoeba.deu-eng.eng", "Hello.\nGood night!\n")
    put(folder / "tatoeba.cmn-eng.cmn", "你好。\n")
    put(folder / "tatoeba.cmn-eng.eng", "Hello.\n")


def tables(folder):
    put(folder / "tatoeba-v1" / "deu.tsv.gz", "source\ttarget\nHallo.\tHello.\nGute Nacht!\tGood night!\n")
    put(
        folder / "stsb" / "de-test.tsv.gz", "score\tsentence1\tsentence2\n" + scored(GERMAN, score_first=True)
    )
    put(folder / "stsb" / "en-dev.tsv", "score\tsentence1\tsentence2\n" + scored(SCORED, score_first=True))
    put(folder / "sts17" / "es-en-a.tsv", "score\tsentence1\tsentence2\n1.5\tUn perro.\tA dog.\n")
    put(folder / "bucc-like" / "de-dev.de.gz", "de-1\tHallo.\nde-2\tEin\tTab.\n")
    put(folder / "bucc-like" / "de-dev.en.gz", "en-1\tHello.\n")
    put(folder / "bucc-like" / "de-dev.gold", "de-1\ten-1\n")
    put(folder / "nli" / "eng.tsv.gz", "premise\thypothesis\tlabel\nIt rains.\tIt is dry.\tcontradictory\n")


def scored(rows, score_first=False):
    ordered = [
        (score, first, second) if score_first else (first, second, score) for first, second, score in rows
    ]
    return "".join("\t".join(map(str, row)) + "\n" for row in ordered)


def semeval(folder):
    inputs, gold = folder / "STS2017.eval.v1.1", folder / "STS2017.gs"
    put(
        inputs / "STS.input.track5.en-en.txt", "A man walks.\tA man is walking.\nA dog runs.\tA cat sleeps.\n"
    )
    put(gold / "STS.gs.track5.en-en.txt", "4.8\n0.4\n")
    put(inputs / "STS.input.track2.ar-en.txt", "A dog.\tكلب.\nA cat.\tقط.\n")
    put(gold / "STS.gs.track2.ar-en.txt", "5.0\n\n")


def extended(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("STS2017-extended/STS.en-de.txt", "A dog.\tEin Hund.\t5.0\n")
        archive.writestr("STS2017-extended/STS.fr-en.txt", "Un chien.\tA dog.\t5.0\nUn chat.\tA dog.\t1\n")


def stsb(folder):
    put(
        folder / "stsb-de-test.csv",
        'Ein Mann geht.,Ein Mann läuft.,4.8\n"Ein Hund, der rennt.",Eine Katze schläft.,0.4\n',
    )
    row = "main-captions\tMSRvid\t2012test\t0001\t{}\t{}\t{}"
    lines = [row.format(score, first, second) for first, second, score in SCORED]
    put(folder / "sts-test.csv", lines[0] + "\tsource one\tsource two\n" + lines[1] + "\n")


def stsbenchmark(folder):
    head = "split\tgenre\tdataset\tyear\tsid\tscore\tsentence1\tsentence2\n"
    rows = [f"{split}\tg\td\ty\t1\t2.5\t{split} one\t{split} two\n" for split in ("train", "dev", "test")]
    put(folder / "stsbenchmark.tsv.gz", head + "".join(rows))


def bucc(folder):
    for split in ("sample", "test"):
        put(folder / "bucc2018" / "de-en" / f"de-en.{split}.de", "de-000000001\tHallo.\n")
        put(folder / "bucc2018" / "de-en" / f"de-en.{split}.en", "en-000000005\tHello.\nen-000000006\tBye.\n")
    put(folder / "bucc2018" / "de-en" / "de-en.sample.gold", "de-000000001\ten-000000005\n")


def flores(folder):
    for split in ("dev", "devtest"):
        put(folder / split / f"eng_Latn.{split}", "Hello.\n")
        put(folder / split / f"zho_Hant.{split}", "你好。\n")
        put(folder / split / f"deu_Latn.{split}", "Hallo.\n")


def xnli(folder):
    head = "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpairID\n"
    rows = 'sw\tneutral\t( a )\tMoja.\tMbili.\t1\nen\tneutral\t( a )\tOne.\t"Two.\t1\n'
    put(folder / "xnli.test.tsv", head + rows)
    put(folder / "multinli" / "multinli.train.sw.tsv", "premise\thypo\tlabel\nMoja.\tTatu.\tcontradictory\n")


def labelled(folder):
    head = "index_id\tcategory\ttext\n"
    put(
        folder / "sib" / "deu_Latn" / "test.tsv",
        head + '7\tsport\t"Er rief: ""Tor!"""\n9\ttravel\tWir reisen.\n',
    )
    put(folder / "sib" / "zho_Hans" / "dev.tsv", head + "7\tsport\t进球！\n")
    utterances = [
        ("test", "alarm", "weck mich"),
        ("train", "music", "spiel was"),
        ("test", "music", "lauter"),
    ]
    fields = (
        {"id": "0", "partition": split, "scenario": label, "utt": text} for split, label, text in utterances
    )
    put(folder / "massive" / "de-DE.jsonl", "".join(json.dumps(one) + "\n" for one in fields))
    put(folder / "topics" / "fr-test.tsv.gz", "label\tsentence\nsport\tIl court.\n")
    put(folder / "topics" / "fr.tsv", "label\tsentence\nsport\tElle nage.\n")
