"""Realistic reports of an evaluation, of an index and of two models: invented numbers, sentences of `report_sample`."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.evaluate.report_sample import NAMES, TRAINED, run_report, sentence

from isoglot.corpus.languages import name, parse
from isoglot.evaluate.report import data, measured

TATOEBA = """
    afr amh ang ara arq arz ast awa aze bel ben ber bos bre bul cat cbk ceb ces cha cmn cor csb cym dan deu dsb dtp
    ell epo est eus fao fin fra fry gla gle glg gsw heb hin hrv hsb hun hye ido ile ina ind isl ita jav jpn kab kat
    kaz khm kor kur kzj lat lfn lit lvs mal mar max mhr mkd mon nds nld nno nob nov oci orv pam pes pms pol por ron
    rus slk slv spa sqi srp swe swg swh tam tat tel tgl tha tuk tur tzl uig ukr urd uzb vie war wuu xho yid yue zsm
"""
MODEL = "multilingual-e5-small in the space of all-MiniLM-L6-v2"


def result(task, test_set, languages, metric, value, main=True, n=1000, contaminated=False, width=0.012):
    return measured.TaskResult(
        task=task,
        test_set=test_set,
        languages=languages,
        metric=metric,
        value=round(value, 4),
        interval=(round(value - width, 4), round(min(value + 0.9 * width, 1.0), 4)),
        main=main,
        n=n,
        signature=f"{task}|{metric}|data:{hash_of(test_set)}{'-'.join(languages)}|model:5f0c1a77e2b4|isoglot:0.1.0",
        contaminated=contaminated,
    )


def hash_of(text: str) -> str:
    return f"{sum(ord(letter) * 31**place for place, letter in enumerate(text)) % 16**8:08x}"


def results() -> tuple[measured.TaskResult, ...]:
    chance = random.Random(3)
    found = []
    for tag, score in TRAINED.items():
        value = min(0.99, score + chance.gauss(0.02, 0.01))
        width = 0.018 + 0.02 * (1 - value)
        found += [
            result("search", "tatoeba-v1", (tag, "en"), "top-1 x->en", value, width=width),
            result("search", "tatoeba-v1", (tag, "en"), "top-1 en->x", value - 0.014, main=False),
            result(
                "bias", "tatoeba-v1", (tag, "en"), "translation before own language", value - 0.21, width=0.03
            ),
        ]
    for tag in ("de", "es", "fr", "it", "pt", "ru", "zh-Hans"):
        value = 0.71 + 0.12 * TRAINED[tag] + chance.gauss(0, 0.01)
        found.append(
            result("sts", "stsb-dev", (tag, tag), "Spearman", value, n=1500, contaminated=tag == "it")
        )
    for tag in ("ar", "de", "tr", "fr", "it", "es"):
        value = 0.42 + 0.4 * TRAINED[tag] + chance.gauss(0, 0.01)
        found.append(result("sts", "sts17", (tag, "en"), "Spearman", value, n=250, width=0.045))
    found += [
        result("sts", "sts17", (tag, tag), "Spearman", 0.8, n=250, width=0.05) for tag in ("en", "es", "ar")
    ]
    for tag, value in {"de": 0.913, "fr": 0.887, "ru": 0.861, "zh-Hans": 0.792}.items():
        found.append(result("mining", "bucc-like", (tag, "en"), "margin F1", value, n=9000))
        found.append(
            result("mining", "bucc-like", (tag, "en"), "margin recall", value - 0.02, main=False, n=9000)
        )
    pooled = tuple(sorted(("ar", "de", "en", "es", "fr", "it", "tr")))
    found.append(result("bias", "sts17", pooled, "joint minus per-pair Spearman", -0.0432, n=2000))
    found.append(result("clustering", "massive", pooled, "V-measure, languages pooled", 0.512, main=False))
    return tuple(found)


def health() -> tuple[measured.HealthRow, ...]:
    spans = ("1-8 tokens", "9-16 tokens", "17-32 tokens", "33-64 tokens", "over 64 tokens")

    def row(language, span, near, sentences):
        whole = {
            "effective_rank": 180 * near + 20, "anisotropy": 0.03, "hubness": 2.9 - near, "teacher_rank": 201.5,
        }  # fmt: skip
        geometry = {} if span else whole
        return measured.HealthRow(
            language, span, sentences, 0.0026 * (1 - near), 1.6 * near - 0.75, near, **geometry
        )

    rows = [row(None, None, 0.829, 5912)]
    rows += [row(tag, None, 0.55 + 0.36 * score, 500) for tag, score in TRAINED.items()]
    for place, span in enumerate(spans):
        rows.append(row(None, span, 0.842 - 0.05 * abs(place - 1.3), 1900 - 380 * place))
        rows += [
            row(tag, span, 0.55 + 0.36 * score - 0.05 * abs(place - 1.3), 160 - 30 * place)
            for tag, score in TRAINED.items()
            if place < 4 or score > 0.8
        ]
    return tuple(rows)


def compat(protocol: measured.Protocol = "labelled") -> measured.Compat:
    rows = tuple(_compat_row(tag, protocol) for tag in TRAINED)
    note = "" if protocol != "calibration only" else "No queries were given: name a file with --queries."
    return measured.Compat(
        index="documents.lance (LanceDB)",
        metric="cosine",
        documents=10_000,
        protocol=protocol,
        builder_cosine=0.9998,
        threshold=0.55,
        rows=rows if protocol != "calibration only" else rows[:1],
        note=note,
    )


def _compat_row(tag: str, protocol: str) -> measured.CompatRow:
    score = TRAINED[tag]
    level: measured.Level = "good" if score > 0.9 else "fair" if score > 0.79 else "poor"
    verdict = {"good": "works", "fair": "usable with a new threshold", "poor": "does not work"}[level]
    points = tuple(
        measured.CalibrationPoint(
            0.05 + 0.1 * step, 0.04 + (0.05 + 0.1 * step) * (score - 0.08), 900 // (step + 1)
        )
        for step in range(10)
    )
    labelled = protocol == "labelled"
    return measured.CompatRow(
        language=tag,
        queries=300,
        level=level,
        verdict=verdict,
        recall={cut: min(0.97, score - 0.25 + 0.05 * cut**0.5) for cut in (1, 5, 10)} if labelled else {},
        mrr=score - 0.2 if labelled else None,
        ndcg=score - 0.17 if labelled else None,
        reference=0.811 if labelled else None,
        overlap=None if labelled else score - 0.11,
        threshold_kept=score - 0.06,
        threshold_added=(1 - score) / 9,
        curve=points,
    )


def failures() -> tuple[data.Example, ...]:
    found = []
    for place, tag in enumerate(NAMES):
        for step in range(2):
            number = (7 * place + 5 * step) % 40
            wrong = tuple(
                data.Hit(sentence("en", (number + move) % 40), 0.71 - 0.04 * move) for move in (5, 10, 15)
            )
            rank = int(3 + (1 - TRAINED[tag]) * 700) - step
            found.append(data.Example(tag, sentence(tag, number), sentence("en", number), wrong, rank))
    return tuple(found)


def evaluation_report() -> data.Report:
    """Any model on test sets, with an index and a space, and no training behind it."""
    return data.Report(
        title="multilingual-e5-small on three test sets",
        model=MODEL,
        teacher="all-MiniLM-L6-v2",
        languages=tuple(data.Language(tag, shown) for tag, shown in NAMES.items()),
        results=results(),
        skipped=(measured.SkippedTask("clustering", "no labelled sentences were named with --data"),),
        health=health(),
        pool=1000,
        worst=failures(),
        cards=cards(),
        provenance=run_report().provenance,
        notices=run_report().notices,
    )


def cards() -> tuple[measured.Card, ...]:
    model = {
        "architecture": "BERT, 12 layers, 384 dimensions",
        "size": "118 M weights",
        "longest text": "512 tokens",
    }
    sets = {"tatoeba-v1": "112 languages, CC BY 2.0 FR", "stsb-dev": "11 languages, CC BY-SA 4.0"}
    return (measured.Card("Model", model), measured.Card("Data", sets))


def full_report() -> data.Report:
    """A distillation run with every other part filled as well."""
    report = evaluation_report()
    return replace(
        run_report(), results=report.results, skipped=report.skipped, health=report.health, compat=compat(),
        worst=report.worst, cards=report.cards,
    )  # fmt: skip


def compat_report(protocol: measured.Protocol = "labelled") -> data.Report:
    """An index and nothing else."""
    empty = {"results": (), "skipped": (), "health": (), "worst": ()}
    return replace(evaluation_report(), title="documents.lance", compat=compat(protocol), **empty)


def comparison_report() -> data.Report:
    chance = random.Random(11)
    rows = []
    for one in results():
        difference = chance.gauss(0.012, 0.017)
        reach = 0.008 + 0.01 * chance.random()
        low, high = difference - reach, difference + reach
        p = max(0.0002, 0.9 * (1 - abs(difference) / reach)) if low < 0 < high else 0.0004
        rows.append(
            measured.ComparisonRow(
                one.task, one.test_set, one.languages, one.metric, one.value, one.value + difference,
                difference, low, high, p, noise=p >= 0.05,
            )
        )  # fmt: skip
    return data.Report(
        title="warm start beside trained",
        model="trained",
        comparison=measured.Comparison("warm start", "trained", tuple(rows)),
        provenance={"isoglot": "0.1.0"},
        signatures=tuple(one.signature for one in results()),
    )


def wide_report() -> data.Report:
    """112 languages in every part of the page."""
    chance = random.Random(5)
    tags = [parse(code) for code in TATOEBA.split()]
    scores = {tag: min(0.97, max(0.04, chance.betavariate(3.5, 1.4))) for tag in tags}
    run = full_report()
    texts = list(NAMES)
    points = tuple(
        data.MapPoint(group, "en" if place < 0 else tags[place], sentence("en", group), chance.gauss(0, 1),
                      chance.gauss(0, 1), is_teacher=place < 0)
        for group in range(40)
        for place in range(-1, len(tags))
    )  # fmt: skip
    stages = {tag: {stage: data.StageScores(0.001, 0.5, score, score * factor) for stage, factor in
                    zip(data.STAGES, (0.01, 0.93, 1.0), strict=True)} for tag, score in scores.items()}  # fmt: skip
    rows = tuple(data.LanguageRow(tag, name(tag), 500, stages[tag]) for tag in tags)
    verdicts = tuple(
        replace(_compat_row(texts[at % 12], "labelled"), language=tag) for at, tag in enumerate(tags)
    )
    worst = tuple(
        replace(run.worst[at % 24], language=tag, rank=int(2 + 900 * (1 - scores[tag])))
        for at, tag in enumerate(tags)
        for _ in range(3)
    )
    return replace(
        run,
        title="112 languages into all-MiniLM-L6-v2",
        languages=tuple(data.Language(tag, name(tag)) for tag in tags),
        distillation=replace(run.distillation, rows=rows),
        results=tuple(one for tag in tags for one in _wide_results(tag, scores[tag])),
        health=tuple(
            measured.HealthRow(tag, None, 500, 0.001, 0.5, scores[tag], 150.0, 0.02, 1.2) for tag in tags
        ),
        compat=replace(compat(), rows=verdicts),
        map=points,
        worst=worst,
        corpus=data.CorpusCounts(
            2_000_000, 1_500_000, {"duplicate": 500_000}, {tag: 13_000 + at for at, tag in enumerate(tags)}
        ),
    )


def _wide_results(tag: str, score: float) -> list[measured.TaskResult]:
    pair = (tag, "en")
    return [
        result("search", "tatoeba-v1", pair, "top-1 x->en", score, width=0.02),
        result("search", "tatoeba-v1", pair, "top-1 en->x", score - 0.01, main=False),
        result("search", "tatoeba-v1", pair, "top-1 x->teacher en", score - 0.02, main=False),
        result("search", "tatoeba-v1", pair, "top-1 x->en, fixed pool", score - 0.03, main=False),
        result("bias", "tatoeba-v1", pair, "translation before own language", score - 0.03),
        result("bias", "tatoeba-v1", pair, "own language among 10 nearest", score, main=False),
    ]
