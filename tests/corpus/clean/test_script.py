"""Letters of another script than the language's are found; what cannot be told passes."""

import pytest

from isoglot.config import CleanConfig
from isoglot.corpus.clean.chain import reason_to_drop
from isoglot.corpus.pair import Pair

OFF = {"max_untranslated": 1.0, "language_probability": 1.0}


@pytest.mark.parametrize(
    ("target", "tag", "dropped"),
    [
        ("Доброе утро", "ru", False),
        ("Dobroe utro", "ru", True),
        ("YouTube открыть", "ru", False),  # 7 Latin and 7 Cyrillic letters
        ("YouTube-a открыть", "ru", True),
        ("早上好", "zh-Hans", False),
        ("おはよう", "zh-Hans", True),
        ("おはよう、世界", "ja", False),
        ("좋은 아침", "ko", False),
        ("좋은 아침", "ja", True),
        ("Guten Morgen", "de", False),
        ("Guten Mörgen", "de", False),
        ("Добро јутро", "sr", False),
        ("Dobro jutro", "sr", False),
        ("Dobro jutro", "sr-Cyrl", True),
        ("Сайн байна уу", "x-made-up", False),
        ("1234 :-)", "ru", False),
        ("สวัสดีตอนเช้า", "th", False),
        ("שלום", "yi", False),
    ],
)
def test_targets(target, tag, dropped):
    reason = reason_to_drop(Pair("Good morning 1234", target, "en", tag, "x"), CleanConfig(**OFF))
    assert reason == ("wrong script" if dropped else None)


def test_sources_are_looked_at_too():
    assert (
        reason_to_drop(Pair("Доброе утро", "Guten Morgen", "en", "de", "x"), CleanConfig()) == "wrong script"
    )


@pytest.mark.parametrize(("least", "dropped"), [(0.0, False), (0.4, False), (0.6, True)])
def test_the_share_is_an_option(least, dropped):
    config = CleanConfig(**OFF, min_script=least)
    reason = reason_to_drop(Pair("open YouTube", "открыть YouTube", "en", "ru", "x"), config)
    assert reason == ("wrong script" if dropped else None)
