"""Addresses of PostgreSQL tables: `postgresql://USER@HOST:PORT/DATABASE?table=NAME&schema=NAME`.

A password never stands in them, as it would stay in the shell's history and in every list of processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from isoglot.errors import RequestError

_FORM = "Write it as postgresql://USER@HOST/DATABASE?table=NAME."
_PARAMETERS = ("table", "schema", "host", "sslmode", "sslrootcert")
_SECONDS = 20  # to connect


@dataclass(frozen=True)
class PostgresAddress:
    """Where a table is; what is "" is left to libpq's defaults.

    Attributes:
        user: name of the role.
        host: name, IP, or folder of a socket.
        port: of TCP or of the socket.
        database: its name.
        table: its name, as it stands in the catalogue.
        schema: the same.
        sslmode: of libpq.
        sslrootcert: path of a certificate, of libpq.
    """

    user: str
    host: str
    port: int | None
    database: str
    table: str
    schema: str = ""
    sslmode: str = ""
    sslrootcert: str = ""

    def __str__(self) -> str:
        place = f"{self.user}@{self.host}" if self.user else self.host
        port = f":{self.port}" if self.port else ""
        schema = f"&schema={self.schema}" if self.schema else ""
        return f"postgresql://{place}{port}/{self.database}?table={self.table}{schema}"


def parse_postgres(address: str) -> PostgresAddress:
    """Read an address.

    Raises:
        RequestError: it holds a password, no table, or a parameter that isoglot does not pass on.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:  # what was written is not shown: it may hold a secret
        raise RequestError("The PostgreSQL address is not valid.", _FORM) from error
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or "password" in given:
        raise RequestError(
            "The PostgreSQL address holds a password.",
            "Leave it out; put it into ~/.pgpass, or into an environment variable and name that with --key-env.",
        )
    unknown = sorted(given.keys() - set(_PARAMETERS))
    if unknown:
        raise RequestError(
            f"isoglot does not pass {', '.join(unknown)} on to PostgreSQL.",
            f"Known: {', '.join(_PARAMETERS)}.",
        )
    if not given.get("table"):
        raise RequestError("The PostgreSQL address names no table.", _FORM)
    return PostgresAddress(
        user=unquote(parts.username or ""),
        host=given.get("host", unquote(parts.hostname or "")),
        port=port,
        database=unquote(parts.path.removeprefix("/")),
        table=given["table"],
        schema=given.get("schema", ""),
        sslmode=given.get("sslmode", ""),
        sslrootcert=given.get("sslrootcert", ""),
    )


def connection_options(address: PostgresAddress, key_env: str | None) -> dict[str, Any]:
    """Give libpq's keywords for a connection that can only read.

    Raises:
        RequestError: the environment variable is not set.
    """
    password = ""
    if key_env is not None:
        password = os.environ.get(key_env, "")
        if not password:
            raise RequestError(f"The environment variable {key_env} is not set.", "Put the password in it.")
    wanted = {
        "user": address.user,
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "sslmode": address.sslmode,
        "sslrootcert": address.sslrootcert,
        "password": password,
        "connect_timeout": _SECONDS,
        "options": "-c default_transaction_read_only=on",
        "application_name": "isoglot",
    }
    return {name: value for name, value in wanted.items() if value}
