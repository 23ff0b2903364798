"""S4: a recipe from a stranger must not make this machine ask its own network."""

import contextlib
import socket
import ssl

import numpy as np
import pytest
import trustme
from pydantic import ValidationError

from isoglot.config import TeacherConfig
from isoglot.errors import IsoglotError, RequestError
from isoglot.teacher.address import Reach, check, parse_address, reach
from isoglot.teacher.endpoint import open_endpoint
from teacher.embedding_server import running, vector_of

FAST = {"retries": 0, "backoff_seconds": 0.01, "timeout_seconds": 5}


def opened(url, **options):
    return open_endpoint(url, TeacherConfig(model=url, endpoint={**FAST, **options}))


# The whole way: through the resolver of this machine, which knows many spellings of an IPv4 address.
NEVER = [
    "http://169.254.169.254/v1#m",
    "http://169.254.169.254:80/v1#m",
    "http://2852039166/v1#m",  # the same as one number
    "http://0xa9fea9fe/v1#m",
    "http://0xA9.0xFE.0xA9.0xFE/v1#m",
    "http://0251.0376.0251.0376/v1#m",
    "http://169.254.43518/v1#m",
    "http://169.16689662/v1#m",
    "http://[::ffff:169.254.169.254]/v1#m",
    "http://[::ffff:a9fe:a9fe]/v1#m",
    "http://[::169.254.169.254]/v1#m",
    "http://[2002:a9fe:a9fe::1]/v1#m",  # 6to4
    "http://[64:ff9b::a9fe:a9fe]/v1#m",  # NAT64
    "http://[64:ff9b::7f00:1]/v1#m",  # loopback behind NAT64
    "http://[fe80::1]/v1#m",
    "http://169.254.170.2/v1#m",  # credentials of containers
    "http://100.100.100.200/v1#m",  # Alibaba; not private by Python's reckoning
    "http://168.63.129.16/v1#m",  # Azure; looks public
    "http://192.0.0.192/v1#m",  # Oracle
    "http://[fd00:ec2::254]/v1#m",  # AWS over IPv6
    "http://[fd20:ce::254]/v1#m",  # Google over IPv6
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/v1#m",  # digits that IDNA turns into plain ones
    "http://169。254。169。254/v1#m",  # full stops that it turns into dots
    "http://0.0.0.0/v1#m",  # this machine, on Linux
    "http://0/v1#m",
    "http://[::]/v1#m",
    "http://224.0.0.1/v1#m",
    "http://[ff02::1]/v1#m",
    "http://255.255.255.255/v1#m",
    "http://240.0.0.1/v1#m",
]
PRIVATE = [
    "http://10.0.0.7/v1#m",
    "http://172.16.3.4/v1#m",
    "http://192.168.1.1/v1#m",
    "http://3232235777/v1#m",  # 192.168.1.1
    "http://100.64.0.1/v1#m",  # carrier-grade NAT
    "http://198.18.0.1/v1#m",
    "http://[fc00::1]/v1#m",
    "http://[fec0::1]/v1#m",
    "http://[::ffff:10.0.0.7]/v1#m",
    "http://[64:ff9b::a00:7]/v1#m",
]


@pytest.fixture
def no_connection(monkeypatch):
    """Nothing connects; gives the list of what tried to."""
    tried = []

    def refuse(_, address):
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


@pytest.mark.parametrize("url", NEVER)
@pytest.mark.parametrize("allow", [False, True])
def test_link_local_metadata_and_reserved_addresses_are_never_asked(url, allow, no_connection):
    with pytest.raises(RequestError, match="never asked"):
        opened(url, allow_private=allow)
    assert not no_connection


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_need_permission(url, no_connection):
    with pytest.raises(RequestError, match="private address") as caught:
        opened(url)
    assert "allow_private" in caught.value.next_step
    assert not no_connection
    with pytest.raises(IsoglotError, match="no connection"):
        opened(url, allow_private=True)
    assert no_connection


@pytest.mark.parametrize(
    "name", ["metadata.google.internal", "METADATA.google.internal.", "metadata", "instance-data"]
)
def test_metadata_services_are_known_by_name_too(name):
    with pytest.raises(RequestError, match="metadata service"):
        check(parse_address(f"http://{name}/v1#m"), ["8.8.8.8"], allow_private=True, secret=False)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd#m", "only http and https"),
        ("ftp://host/v1#m", "only http and https"),
        ("gopher://host:70/v1#m", "only http and https"),
        ("unix:///run/docker.sock#m", "only http and https"),
        ("https://host/v1", "names no model"),
        ("https:///v1#m", "names no host"),
        ("https://[::1/v1#m", "not a valid address"),
        ("https://host:99999/v1#m", "not a valid address"),
        ("https://" + "a" * 70 + ".com/v1#m", "not a valid address"),
        ("https://user:secret@host/v1#m", "holds a user"),
        ("https://host/v1?api_key=secret#m", "holds a user"),
        ("https://good.com\\@169.254.169.254/v1#m", "holds a user"),
        ("https://host\r\nX-Evil: 1/v1#m", "holds a user"),
        ("https://host /v1#m", "holds a user"),
    ],
)
def test_what_is_no_plain_address_is_refused(url, message):
    with pytest.raises(RequestError, match=message) as caught:
        parse_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://user:secret@host/v1#m", "https://host/v1?key=secret#m"])
def test_a_recipe_refuses_secrets_in_an_address_without_repeating_them(url):
    with pytest.raises(ValidationError) as caught:
        TeacherConfig(model=url)
    assert "secret" not in str(caught.value)


def test_parts_of_an_address():
    address = parse_address("https://Example.COM:8443/openai/v1/#@cf/org/model-1")
    assert str(address) == "https://example.com:8443/openai/v1/embeddings"
    assert address.model == "@cf/org/model-1"
    assert address.url("1.2.3.4") == "https://1.2.3.4:8443/openai/v1/embeddings"
    assert parse_address("http://[::1]:80/embeddings#m").authority == "[::1]"
    assert TeacherConfig(model="https://host/v1#@cf/org/model").model.endswith("model")


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("8.8.8.8", Reach.PUBLIC), ("2606:4700::1111", Reach.PUBLIC), ("64:ff9b::808:808", Reach.PUBLIC),
        ("127.0.0.1", Reach.LOOPBACK), ("127.8.9.1", Reach.LOOPBACK), ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK), ("fe80::1%eth0", Reach.NEVER), ("10.1.2.3", Reach.PRIVATE),
    ],
)  # fmt: skip
def test_reach_of_an_ip(ip, expected):
    assert reach(ip) == expected


def test_loopback_is_allowed_by_ip_and_by_name():
    with running() as server:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
            teacher = opened(f"http://{host}:{server.port}/v1#tiny")
            assert np.abs(teacher.encode(["a"])[0] - vector_of("a")).max() < 1e-6


def test_a_key_never_travels_in_the_clear_over_the_network():
    address = parse_address("http://example.com/v1#m")
    with pytest.raises(RequestError, match="key unencrypted"):
        check(address, ["93.184.216.34"], allow_private=False, secret=True)
    check(address, ["93.184.216.34"], allow_private=False, secret=False)


def resolver(monkeypatch, answers):
    """Replace the machine's resolver: each look-up of teacher.example gives the next answer."""
    real, waiting = socket.getaddrinfo, list(answers)

    def look_up(host, port, *arguments, **options):
        if host != "teacher.example":
            return real(host, port, *arguments, **options)
        ips = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_the_connection_goes_to_the_ip_that_was_checked(monkeypatch):
    resolver(monkeypatch, [["127.0.0.1"]])
    with running() as server:
        opened(f"http://teacher.example:{server.port}/v1#tiny").encode(["a"])
        assert {request.headers["Host"] for request in server.requests} == {f"teacher.example:{server.port}"}


def test_a_name_that_moves_after_the_first_look_up_is_refused(monkeypatch):
    """DNS rebinding: harmless when it is checked, the metadata service when it is used."""
    resolver(monkeypatch, [["127.0.0.1"], ["169.254.169.254"]])
    with running() as server:
        teacher = opened(f"http://teacher.example:{server.port}/v1#tiny")
        with pytest.raises(RequestError, match=r"169\.254\.169\.254"):
            teacher.encode(["a"])
        assert len(server.requests) == 1


def test_one_bad_ip_among_good_ones_is_enough(monkeypatch, no_connection):
    resolver(monkeypatch, [["127.0.0.1", "169.254.169.254"]])
    with pytest.raises(RequestError, match="never asked"):
        opened("http://teacher.example:80/v1#tiny")
    assert not no_connection


def test_a_host_that_does_not_exist_is_a_failure_not_a_crash(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(IsoglotError, match=r"host nowhere\.example cannot be found"):
        opened("https://nowhere.example/v1#m")


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with running() as server:
        opened(server.url)
        assert len(server.requests) == 1


def certificate(folder, name):
    """The server's side of a certificate for a name, and in `authority.pem` who vouches for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_the_certificate_must_be_the_names_though_the_connection_goes_to_an_ip(monkeypatch, tmp_path):
    tls = certificate(tmp_path, "teacher.example")
    resolver(monkeypatch, [["127.0.0.1"]])
    monkeypatch.setenv("TEACHER_KEY", "secret")
    with running(tls=tls) as server:
        url = f"https://teacher.example:{server.port}/v1#tiny"
        with pytest.raises(IsoglotError, match="CERTIFICATE_VERIFY_FAILED"):
            opened(url, key_env="TEACHER_KEY")  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert opened(url, key_env="TEACHER_KEY").dimension == 8
        with pytest.raises(IsoglotError, match=r"CERTIFICATE_VERIFY_FAILED.*IP address mismatch"):
            opened(f"https://127.0.0.1:{server.port}/v1#tiny", key_env="TEACHER_KEY")
        assert len(server.requests) == 1  # the key went to nobody else


def test_an_address_where_nothing_listens_is_passed_over(monkeypatch):
    """localhost is ::1 first on most machines, and most servers listen on 127.0.0.1 alone."""
    resolver(monkeypatch, [["127.0.0.2", "127.0.0.1"]])
    with running() as server:
        teacher = opened(f"http://teacher.example:{server.port}/v1#tiny")
        assert np.abs(teacher.encode(["a"])[0] - vector_of("a")).max() < 1e-6
        assert len(server.requests) == 2


@contextlib.contextmanager
def silent(ip, port):
    """Something that listens and never takes a connection: its queue is full, and the system drops what comes."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((ip, port))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((ip, port))
        yield


def test_an_address_that_says_nothing_is_passed_over_within_one_try(monkeypatch):
    monkeypatch.setattr("isoglot.teacher.call._CONNECT_SECONDS", 0.3)
    resolver(monkeypatch, [["127.0.0.2", "127.0.0.1"]])
    with running() as server, silent("127.0.0.2", server.port):
        teacher = opened(f"http://teacher.example:{server.port}/v1#tiny")
        assert np.abs(teacher.encode(["a"])[0] - vector_of("a")).max() < 1e-6


def test_a_certificate_that_nobody_vouches_for_is_not_passed_over(monkeypatch, tmp_path):
    resolver(monkeypatch, [["127.0.0.1", "127.0.0.2"]])
    tls, message = certificate(tmp_path, "teacher.example"), "CERTIFICATE_VERIFY_FAILED"
    with running(tls=tls) as server, pytest.raises(RequestError, match=message):
        opened(f"https://teacher.example:{server.port}/v1#tiny")
