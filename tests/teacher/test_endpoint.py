"""R19: an endpoint that misbehaves in every way costs time or ends the run, and never puts a vector on a wrong text."""

import asyncio
import json
import time
from email.utils import formatdate
from itertools import pairwise

import numpy as np
import pytest

from isoglot.config import TeacherConfig
from isoglot.encode.unit import PROBES
from isoglot.errors import IsoglotError, RequestError
from isoglot.teacher.answers import MalformedError, read_vectors
from isoglot.teacher.endpoint import open_endpoint
from teacher.embedding_server import Reply, answer, running, vector_of

TEXTS = [f"sentence {number}" for number in range(50)]
FAST = {"backoff_seconds": 0.01, "timeout_seconds": 3, "batch": 8, "retries": 3}


def opened(server, **options):
    general = {name: options.pop(name) for name in ("prompt", "normalise") if name in options}
    return open_endpoint(server.url, TeacherConfig(model=server.url, endpoint={**FAST, **options}, **general))


def right(texts=TEXTS):
    return np.stack([vector_of(text) for text in texts])


def is_probe(request):
    return request.question["input"] == [PROBES[0]]


def items_changed(change):
    return lambda request: answer(request.question, change=change)


def first(items, **changes):
    return [{**items[0], **changes}, *items[1:]]


# What passes after two failures must give exactly the right vectors; what stays must end the run.
FAULTS = {
    "429": lambda request: Reply(b'{"error": {"message": "slow down"}}', 429),
    "429 with Retry-After": lambda request: Reply(b"", 429, {"Retry-After": "0.05"}),
    "500": lambda request: Reply(b"<html>oops</html>", 500),
    "503 with a date": lambda request: Reply(b"", 503, {"Retry-After": formatdate(time.time(), usegmt=True)}),
    "no answer in time": lambda request: time.sleep(1.2) or answer(request.question),
    "slow loris": lambda request: Reply(answer(request.question).body, drip=0.02),
    "cut body": lambda request: Reply(answer(request.question).body[:-40], length=len(answer(request.question).body)),
    "cut JSON": lambda request: Reply(answer(request.question).body[:-40]),
    "empty body": lambda request: Reply(b""),
    "one vector too few": items_changed(lambda items: items[:-1]),
    "one vector too many": items_changed(lambda items: [*items, {**items[-1], "index": len(items)}]),
    "the same index twice": items_changed(lambda items: first(items, index=1)),
    "no index": items_changed(lambda items: [{"embedding": item["embedding"]} for item in items]),
    "NaN": lambda request: Reply(
        answer(request.question, change=lambda items: first(items, embedding=[float("nan")] * 8)).body
    ),
    "null in a vector": items_changed(lambda items: first(items, embedding=[None] * 8)),
    "null for a vector": items_changed(lambda items: first(items, embedding=None)),
    "infinity beyond fp32": items_changed(lambda items: first(items, embedding=[1e300] * 8)),
    "zero vector": items_changed(lambda items: first(items, embedding=[0.0] * 8)),
    "another width": lambda request: answer(request.question, width=9),
    "text for numbers": items_changed(lambda items: first(items, embedding=["1"] * 8)),
    "broken base64": items_changed(lambda items: first(items, embedding="abc")),
    "an error with status 200": lambda request: Reply(b'{"error": "model is loading"}'),
    "deep nesting": lambda request: Reply(b"[" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_passes_costs_nothing_but_time(name):
    def behave(request):
        faulty = not is_probe(request) and request.number in (1, 2, 5)
        return FAULTS[name](request) if faulty else answer(request.question)

    with running(behave) as server:
        teacher = opened(server, timeout_seconds=1, batch=16, concurrency=2)
        assert np.abs(teacher.encode(TEXTS) - right()).max() < 1e-6
        assert len(server.requests) == 1 + 4 + 3


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_ends_the_run_after_the_tries_allowed(name):
    with running(
        lambda request: answer(request.question) if is_probe(request) else FAULTS[name](request)
    ) as server:
        teacher = opened(server, timeout_seconds=0.5, batch=50, retries=1)
        with pytest.raises(IsoglotError, match="failed 2 times; last: ") as caught:
            teacher.encode(TEXTS)
        assert caught.value.exit_code == 1
        assert "kept" in caught.value.next_step
        assert len(server.requests) == 1 + 2


def test_a_permuted_answer_is_put_in_order():
    with running(items_changed(lambda items: items[::-1])) as server:
        assert np.abs(opened(server).encode(TEXTS) - right()).max() < 1e-6


def test_a_server_without_indices_is_asked_for_one_text_at_a_time():
    no_index = items_changed(lambda items: [{"embedding": item["embedding"]} for item in items])
    with running(no_index) as server:
        assert np.abs(opened(server, batch=1).encode(TEXTS[:9]) - right(TEXTS[:9])).max() < 1e-6
        with pytest.raises(IsoglotError, match=r"endpoint\.batch = 1"):
            opened(server, batch=2, retries=0).encode(TEXTS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status):
    with running() as inside:
        away = Reply(b"", status, {"Location": inside.url.partition("#")[0] + "/embeddings"})
        with running(lambda request: away) as server:
            with pytest.raises(RequestError, match=f"redirect \\({status}\\)"):
                opened(server)
            assert len(server.requests) == 1
        assert inside.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_tried_again(status):
    with running(lambda request: Reply(b"{}", status)) as server:
        with pytest.raises(RequestError, match="refuses a request without a key") as caught:
            opened(server)
        assert len(server.requests) == 1
        assert caught.value.exit_code == 2
        assert "key_env" in caught.value.next_step


def test_a_wrong_model_is_said_in_the_servers_own_words():
    reply = Reply(json.dumps({"error": {"message": "The model `tiny`\ndoes not exist"}}).encode(), 404)
    with running(lambda request: reply) as server, pytest.raises(RequestError, match="`tiny` does not exist"):
        opened(server)


def test_an_endless_answer_is_cut_off():
    big = Reply(b" " * 3_000_000)
    with running(lambda request: big) as server, pytest.raises(IsoglotError, match="more than 2 MB"):
        opened(server, max_response_mb=2)


def test_a_packed_answer_is_refused():
    packed = Reply(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"})
    with running(lambda request: packed) as server:
        with pytest.raises(IsoglotError, match="packs its answers"):
            opened(server)
        assert server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_for_a_long_wait_ends_the_run(form):
    wait = "3600" if form == "seconds" else formatdate(time.time() + 3600, usegmt=True)
    with running(lambda request: Reply(b"", 429, {"Retry-After": wait})) as server:
        with pytest.raises(IsoglotError) as caught:
            opened(server, retries=5)
        assert len(server.requests) == 1
        assert "asks to wait 3" in caught.value.next_step


@pytest.mark.parametrize("wait", ["soon", "-5", "", "Mon, 99 Foo 2026"])
def test_a_wait_that_cannot_be_read_counts_as_none(wait):
    def behave(request):
        return answer(request.question) if request.number else Reply(b"", 503, {"Retry-After": wait})

    with running(behave) as server:
        opened(server)
        assert len(server.requests) == 2


def test_waits_grow_and_a_retry_after_counts():
    def behave(request):
        if 0 < request.number < 5:
            return Reply(b"", 503, {"Retry-After": "0.3"} if request.number == 1 else {})
        return answer(request.question)

    with running(behave) as server:
        opened(server, backoff_seconds=0.05, retries=5).encode(["a"])
        times = [request.at for request in server.requests[1:]]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps[0] >= 0.29  # asked for
        assert gaps[1] >= 0.1 and gaps[2] >= 0.2 and gaps[3] >= 0.4  # 0.05 doubled each time


def test_a_server_that_is_dead_from_the_start_is_given_up_soon():
    with running(lambda request: Reply(b"", 500)) as server:
        with pytest.raises(IsoglotError, match="failed 3 times"):
            opened(server, retries=50)
        assert len(server.requests) == 3


def test_a_dead_server_is_said_to_be_dead():
    with running() as server:
        teacher = opened(server, retries=1)
    with pytest.raises(IsoglotError, match="failed 2 times; last: no connection"):
        teacher.encode(["a"])


def test_batches_and_requests_at_a_time():
    def behave(request):
        time.sleep(0.05)
        return answer(request.question)

    with running(behave) as server:
        assert np.abs(opened(server, batch=3, concurrency=4).encode(TEXTS) - right()).max() < 1e-6
        asked = [request.question["input"] for request in server.requests[1:]]
        assert sorted(len(batch) for batch in asked) == [2] + [3] * 16
        assert 1 < server.most <= 4


def test_a_rate_limit_spreads_the_requests():
    with running() as server:
        opened(server, batch=10, concurrency=8, requests_per_minute=600).encode(TEXTS)
        times = sorted(request.at for request in server.requests)
        assert times[5] - times[0] >= 5 * 0.1 * 0.9


@pytest.mark.parametrize("base64", [False, True])
def test_base64_is_asked_for_and_read(base64):
    with running() as server:
        assert np.abs(opened(server, base64=base64).encode(TEXTS) - right()).max() < 1e-6
        assert server.requests[-1].question["encoding_format"] == ("base64" if base64 else "float")


def test_width_prompt_and_unit_length():
    with running() as server:
        teacher = opened(server, dimensions=5, prompt="query: ")
        assert teacher.dimension == 5
        assert teacher.normalise is True  # seen on the probe
        assert np.abs(teacher.encode(["a"])[0] - vector_of("query: a", 5)).max() < 1e-6
        assert server.requests[-1].path == "/v1/embeddings"
        assert server.requests[-1].question["model"] == "tiny"


def test_unit_length_is_made_when_asked_for():
    long = items_changed(
        lambda items: [{**item, "embedding": [3 * x for x in item["embedding"]]} for item in items]
    )
    with running(long) as server:
        assert opened(server).normalise is False
        assert np.abs(opened(server, normalise=True).encode(TEXTS) - right()).max() < 1e-6


def test_odd_texts_arrive_whole():
    texts = ['"quotes"\n and \\', "ünïcödé 😀", "a\x00b", "", "x" * 50_000]
    with running() as server:
        assert np.abs(opened(server).encode(texts) - right(texts)).max() < 1e-6
        assert opened(server).encode([]).shape == (0, 8)
        opened(server).encode(["lone \ud800 surrogate"])
        assert server.requests[-1].question["input"] == ["lone \ufffd surrogate"]


def test_it_works_where_a_loop_runs_already():
    async def notebook():
        return opened(server).encode(TEXTS)

    with running() as server:
        assert np.abs(asyncio.run(notebook()) - right()).max() < 1e-6


def test_the_space_knows_the_model_and_not_the_host():
    with running() as one, running() as other:
        first_space, second_space = opened(one).space(), opened(other).space()
        assert first_space == second_space
        assert str(one.port) not in json.dumps(first_space)
        assert opened(one, prompt="query: ").space()["fingerprint"] != first_space["fingerprint"]


def test_a_lone_vector_needs_no_index_but_a_wrong_count_is_refused():
    body = json.dumps({"data": [{"embedding": [1, 2]}]}).encode()
    assert read_vectors(body, 1, None).tolist() == [[1, 2]]
    with pytest.raises(MalformedError, match="1 vectors for 2 texts"):
        read_vectors(body, 2, None)


@pytest.mark.parametrize(("longest", "requests"), [(0.1, 1), (5, 2)])
def test_the_longest_wait_is_a_choice(longest, requests):
    def behave(request):
        return answer(request.question) if request.number else Reply(b"", 429, {"Retry-After": "0.2"})

    with running(behave) as server:
        if requests == 1:
            with pytest.raises(IsoglotError, match="429"):
                opened(server, longest_wait_seconds=longest)
        else:
            opened(server, longest_wait_seconds=longest)
        assert len(server.requests) == requests


def test_a_server_that_does_not_shorten_vectors_is_told_apart():
    whole, message = {"dimensions": None}, "gives 8 dimensions, though asked for 5"
    with running(lambda request: answer({**request.question, **whole})) as server:
        assert opened(server).dimension == 8
        with pytest.raises(RequestError, match=message):
            opened(server, dimensions=5)
