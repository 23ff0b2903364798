"""Downloads from a real server that cuts, refuses, changes and lies; the bytes must come out equal or not at all."""

import contextlib
import email.utils
import gzip
import io
import json
import random
import socket
import time

import pytest

from isoglot.artefact import digest_bytes
from isoglot.corpus.download import download
from isoglot.corpus.formats.packed import open_binary
from isoglot.corpus.transfer import Remote
from isoglot.errors import DamagedError, IsoglotError, RequestError
from isoglot.lock import exclusive
from isoglot.progress import Silent
from loopback import Mischief

BODY = gzip.compress(random.Random(1).randbytes(300_000), mtime=0)
PATH = "/folder/pairs.gz"


def whole(path):
    """A file that is complete unpacks to its end mark."""
    packed = path.with_name("looked-at.gz")
    packed.write_bytes(path.read_bytes())
    try:
        with open_binary(packed) as file:
            for _ in iter(lambda: file.read(1 << 16), b""):
                pass
    finally:
        packed.unlink()


def remote(url):
    return Remote(url, whole, "Look at the address.")


def names(path):
    return sorted(one.name for one in path.parent.iterdir())


FINISHED = [".lock", "download.json", "pairs.gz"]


def test_a_file_is_downloaded_once_and_needs_no_network_again(web, hurried):
    url = web.put(PATH, BODY, Mischief(headers={"Last-Modified": "Sat, 01 Aug 2026 10:00:00 GMT"}))
    first = download(remote(url), hurried)
    assert first.path.read_bytes() == BODY
    assert (first.sha256, first.modified) == (digest_bytes(BODY), "Sat, 01 Aug 2026 10:00:00 GMT")
    assert names(first.path) == FINISHED
    assert download(remote(url), hurried) == first
    assert web.asked(PATH) == [""]
    assert web.log[0].headers["accept-encoding"] == "identity"
    assert web.log[0].headers["user-agent"].startswith("isoglot/")


@pytest.mark.parametrize("cuts", [[1], [100_000, 100_000], [299_999, 0]])
def test_a_cut_transfer_is_continued_from_its_last_byte(web, hurried, cuts):
    url = web.put(PATH, BODY, *(Mischief(cut=cut) for cut in cuts))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    arrived = [sum(cuts[:number]) for number in range(1, len(cuts) + 1)]
    assert web.asked(PATH) == ["", *(f"bytes={place}-" for place in arrived)]
    assert [request.headers.get("if-range") for request in web.log[1:]] == ['"one"'] * len(cuts)


def test_the_next_call_continues_where_the_last_one_gave_up(web, hurried):
    url = web.put(PATH, BODY, Mischief(cut=120_000), *[Mischief(status=503)] * 2)
    with pytest.raises(IsoglotError, match=r"pairs\.gz answered 503 .*\(attempt 3, the last\)") as caught:
        download(remote(url), hurried)
    assert "run the same command again to continue" in caught.value.next_step
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert web.asked(PATH) == ["", "bytes=120000-", "bytes=120000-", "bytes=120000-"]


def test_attempts_are_counted_anew_on_new_ground(web, hurried):
    """A large file over a bad line: every connection breaks, and each brings more than a mebibyte."""
    large = gzip.compress(random.Random(3).randbytes(4_500_000), mtime=0)
    url = web.put(PATH, large, *[Mischief(cut=1_100_000)] * 4)
    assert download(remote(url), hurried.model_copy(update={"attempts": 2})).path.read_bytes() == large
    assert len(web.log) == 5


def test_a_server_that_brings_hardly_anything_is_not_asked_for_ever(web, hurried):
    web.always[PATH] = Mischief(cut=10)
    url = web.put(PATH, BODY)
    with pytest.raises(IsoglotError, match="the last"):
        download(remote(url), hurried)
    assert web.asked(PATH) == ["", "bytes=10-", "bytes=20-"]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_the_bytes_are_equal(web, hurried, seed):
    drawn = random.Random(seed)
    wrongs = [
        lambda: Mischief(cut=drawn.randrange(len(BODY))),
        lambda: Mischief(cut=drawn.randrange(len(BODY)), headers={"ETag": f'"{drawn.random()}"'}),
        lambda: Mischief(cut=drawn.randrange(len(BODY)), headers={"Content-Length": None}),
        lambda: Mischief(cut=drawn.randrange(len(BODY)), ranges=False),
        lambda: Mischief(headers={"Content-Length": str(drawn.randrange(len(BODY)))}),
        lambda: Mischief(status=drawn.choice([408, 429, 500, 502, 503, 504])),
        lambda: Mischief(extra=drawn.randbytes(500)),
        lambda: Mischief(headers={"Content-Range": f"bytes {drawn.randrange(len(BODY))}-/{len(BODY)}"}),
    ]
    url = web.put(PATH, BODY, *(drawn.choice(wrongs)() for _ in range(8)))
    patient = hurried.model_copy(update={"attempts": 40, "longest_wait_seconds": 0.02})
    assert download(remote(url), patient).path.read_bytes() == BODY


def test_a_server_without_ranges_sends_everything_again(web, hurried):
    url = web.put(PATH, BODY, Mischief(cut=200_000), Mischief(ranges=False))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert web.asked(PATH) == ["", "bytes=200000-"]


def test_a_file_that_changed_meanwhile_is_not_mixed_with_the_old_one(web, hurried):
    other = gzip.compress(random.Random(2).randbytes(300_000), mtime=0)
    url = web.put(PATH, BODY, Mischief(cut=200_000), Mischief(status=500), Mischief(status=500))
    with pytest.raises(IsoglotError):
        download(remote(url), hurried)
    web.files[PATH], web.tags[PATH] = other, '"two"'
    assert download(remote(url), hurried).path.read_bytes() == other


@pytest.mark.parametrize(
    "lie",
    [
        {"Content-Range": "bytes 199999-299999/300000"},
        {"Content-Range": "nonsense"},
        {"ETag": '"two"'},
        {"Content-Range": f"bytes 200000-{len(BODY)}/{len(BODY) + 1}"},
    ],
)
def test_another_part_than_the_one_asked_for_is_thrown_away(web, hurried, lie):
    url = web.put(PATH, BODY, Mischief(cut=200_000), Mischief(headers=lie))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert web.asked(PATH) == ["", "bytes=200000-", ""]


@pytest.mark.parametrize("headers", [{"ETag": None}, {"ETag": 'W/"like"'}])
def test_nothing_is_continued_that_nothing_identifies(web, hurried, headers):
    url = web.put(PATH, BODY, Mischief(cut=200_000, headers=headers))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert web.asked(PATH) == ["", ""]


def test_a_file_that_became_shorter_is_begun_again(web, hurried):
    web.put(PATH, BODY[:150_000], Mischief(headers={"Content-Length": str(len(BODY))}))
    url = web.put(PATH, BODY[:150_000], *[Mischief(status=500)] * 2)
    with pytest.raises(IsoglotError):
        download(remote(url), hurried)
    small = gzip.compress(b"short", mtime=0)
    web.files[PATH] = small  # under the old tag, so only its length tells
    assert download(remote(url), hurried).path.read_bytes() == small
    assert web.asked(PATH)[-2:] == ["bytes=150000-", ""]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(web, hurried, status):
    url = web.put(PATH, BODY, Mischief(status=status), Mischief(status=status))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert len(web.log) == 3


@pytest.mark.parametrize(
    ("status", "family"), [(404, RequestError), (410, RequestError), (403, IsoglotError), (501, IsoglotError)]
)
def test_what_will_not_pass_ends_at_once(web, hurried, status, family):
    url = web.put(PATH, BODY, Mischief(status=status))
    with pytest.raises(family, match=rf"{url} answered {status}") as caught:
        download(remote(url), hurried)
    assert type(caught.value) is family
    assert caught.value.next_step == "Look at the address."
    assert len(web.log) == 1


class Waits(Silent):
    """A progress that keeps how long is waited."""

    def __init__(self):
        self.seconds = []

    def task(self, label, total, unit):
        if label.endswith("waiting"):
            self.seconds.append(total)
        return super().task(label, total, unit)


def test_pauses_double(web, hurried):
    url, waits = web.put(PATH, BODY, *[Mischief(status=500)] * 3), Waits()
    began = time.monotonic()
    download(remote(url), hurried.model_copy(update={"attempts": 4, "backoff_seconds": 0.1}), waits)
    assert waits.seconds == pytest.approx([0.1, 0.2, 0.4])
    assert time.monotonic() - began >= 0.7


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed(web, hurried, form):
    at = email.utils.formatdate(time.time() + 2, usegmt=True)  # whole seconds: more than one from now
    wait = {"seconds": "1", "date": at}[form]
    url = web.put(PATH, BODY, Mischief(status=429, headers={"Retry-After": wait}))
    began = time.monotonic()
    assert download(remote(url), hurried.model_copy(update={"longest_wait_seconds": 3})).path.is_file()
    assert time.monotonic() - began >= 0.9


def test_a_server_that_wants_us_to_stay_away_for_long_ends_the_download(web, hurried):
    url = web.put(PATH, BODY, Mischief(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(IsoglotError, match="answered 429 Too Many Requests and asks to wait 3600 s"):
        download(remote(url), hurried)
    assert len(web.log) == 1


def test_a_length_that_is_too_long_is_found(web, hurried):
    web.always[PATH] = Mischief(headers={"Content-Length": str(len(BODY) + 100)})
    url = web.put(PATH, BODY)
    with pytest.raises(IsoglotError, match=r"pairs\.gz .*the last"):
        download(remote(url), hurried)
    assert "pairs.gz" not in {path.name for path in web_cache(web)}


def test_a_length_that_is_too_short_is_found(web, hurried):
    web.always[PATH] = Mischief(headers={"Content-Length": str(len(BODY) - 100)})
    url = web.put(PATH, BODY)
    with pytest.raises(IsoglotError, match=r"sent a file that is not whole: .* is cut off"):
        download(remote(url), hurried)
    assert web.asked(PATH) == ["", "", ""]  # none of it was continued
    web.always.clear()
    assert download(remote(url), hurried).path.read_bytes() == BODY


def web_cache(web):
    from isoglot.wheels import cache_folder

    return list((cache_folder() / "downloads").rglob("*"))


def test_a_page_instead_of_the_file_is_no_download(web, hurried):
    url = web.put(PATH, b"<html>please log in</html>")
    with pytest.raises(IsoglotError, match="not whole"):
        download(remote(url), hurried)


def test_a_body_without_a_length_is_read_to_its_end(web, hurried):
    url = web.put(PATH, BODY, Mischief(headers={"Content-Length": None}))
    assert download(remote(url), hurried).path.read_bytes() == BODY


@pytest.mark.parametrize("length", [None, str(len(BODY))])
def test_more_than_the_cap_is_refused(web, hurried, length):
    url = web.put(PATH, BODY, Mischief(headers={"Content-Length": length}))
    with pytest.raises(IsoglotError, match="more than 250000 bytes") as caught:
        download(remote(url), hurried.model_copy(update={"max_gigabytes": 0.00025}))
    assert "corpus.download.max_gigabytes" in caught.value.next_step
    assert len(web.log) == 1


def test_a_silent_server_is_left_after_the_read_timeout(web, hurried):
    url = web.put(PATH, BODY, Mischief(pause=20))
    found = download(remote(url), hurried.model_copy(update={"read_seconds": 0.5}))
    assert found.path.read_bytes() == BODY
    assert len(web.log) == 2  # the first answer was not waited for


def test_a_server_that_trickles_is_left(web, hurried):
    """Each byte comes in time, the file never would."""
    web.always[PATH] = Mischief(pause=0.1, piece=10)
    url = web.put(PATH, BODY)
    with pytest.raises(IsoglotError, match=r"sent only \d+ bytes in 1 s"):
        download(remote(url), hurried.model_copy(update={"read_seconds": 0.7}))
    assert len(web.log) == 3


def test_nobody_answers(hurried):
    with pytest.raises(IsoglotError, match=r"http://127\.0\.0\.1:9/pairs\.gz failed .*the last"):
        download(remote("http://127.0.0.1:9/pairs.gz"), hurried)


def test_a_connection_that_does_not_come_about_is_given_up(hurried):
    """A full backlog leaves a client waiting for its connection."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        began = time.monotonic()
        options = hurried.model_copy(update={"connect_seconds": 0.3, "attempts": 2})
        with pytest.raises(IsoglotError, match="timed out"):
            download(remote(f"http://127.0.0.1:{listener.getsockname()[1]}/pairs.gz"), options)
        assert 0.6 <= time.monotonic() - began < 30  # the system's own patience is two minutes


def test_redirects_are_followed(web, hurried):
    target = web.put(PATH, BODY)
    url = web.put("/old.gz", b"", Mischief(status=302, headers={"Location": target}))
    assert download(remote(url), hurried).path.read_bytes() == BODY


@pytest.mark.parametrize("location", ["/old.gz", "file:///etc/passwd", "ftp://127.0.0.1/pairs.gz"])
def test_redirects_that_lead_nowhere_are_refused(web, hurried, location):
    web.always["/old.gz"] = Mischief(status=302, headers={"Location": location})
    url = web.put("/old.gz", b"")
    with pytest.raises(IsoglotError, match=r"old\.gz cannot be followed"):
        download(remote(url), hurried)
    assert len(web.log) <= 6


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x.gz", "/etc/passwd", "http://", "x.gz"])
def test_only_http_is_downloaded(hurried, url):
    with pytest.raises(RequestError, match="no http or https address"):
        download(remote(url), hurried)


def test_a_password_in_the_url_is_used_and_never_written(web, hurried):
    url = web.put(PATH, BODY, Mischief(status=403)).replace("http://", "http://me:hush@")
    with pytest.raises(IsoglotError) as caught:
        download(remote(url), hurried)
    found = download(remote(url), hurried)
    assert web.log[0].headers["authorization"].startswith("Basic ")
    written = (
        json.dumps([str(one) for one in web_cache(web)]) + (found.path.parent / "download.json").read_text()
    )
    assert "hush" not in str(caught.value) + written


def test_damage_in_the_cache_is_found(web, hurried):
    url = web.put(PATH, BODY)
    path = download(remote(url), hurried).path
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="is not what was downloaded") as caught:
        download(remote(url), hurried)
    assert str(path.parent) in caught.value.next_step


def test_two_processes_do_not_download_one_file(web, hurried):
    url = web.put(PATH, BODY)
    path = download(remote(url), hurried).path
    path.unlink()
    with exclusive(path.parent), pytest.raises(IsoglotError, match="is in use by process"):
        download(remote(url), hurried)


def test_a_kill_between_the_last_byte_and_the_name_costs_no_request(web, hurried):
    url = web.put(PATH, BODY)
    path = download(remote(url), hurried).path
    state = {"validator": '"one"', "total": len(BODY), "modified": ""}
    path.rename(path.with_name("pairs.gz.partial"))
    (path.parent / "partial.json").write_text(json.dumps(state))
    assert download(remote(url), hurried).path.read_bytes() == BODY
    assert len(web.log) == 1
    assert names(path) == FINISHED


def test_progress_is_in_megabytes_and_counts_only_what_is_sent(web, hurried):
    from isoglot.cli.console import Console

    shown = io.StringIO()
    url = web.put(PATH, BODY, Mischief(cut=200_000))
    with contextlib.redirect_stderr(shown):
        download(remote(url), hurried, Console())
    lines = shown.getvalue().splitlines()
    assert lines[0].startswith("downloading pairs.gz: stopped at 0.2 of 0.3 MB")
    assert "failed" in lines[1] and "waiting" in lines[1]
    assert lines[2].startswith("downloading pairs.gz from byte 200000: 0.1 of 0.1 MB")
