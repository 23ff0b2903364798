"""The undisturbed run that faults are compared with, and the table at the end of the session."""

import os
from pathlib import Path

import pytest

import tiny
from faults import rig, table


@pytest.fixture(scope="session")
def preloaded():
    """A program that has its imports done and forks `isoglot`."""
    program = rig.Preloaded()
    yield program
    program.close()


@pytest.fixture(scope="session")
def embedding(tiny_folder, preloaded, tmp_path_factory):
    """The real `isoglot embed`, and a store that nothing disturbed."""
    from faults.embed_rig import Embedding

    return Embedding(tiny_folder, preloaded, tmp_path_factory.mktemp("embed"))


@pytest.fixture(scope="session")
def undisturbed(tiny_folder, preloaded, tmp_path_factory):
    """A whole run and the time of its stages."""
    folder = tmp_path_factory.mktemp("faults")
    recipe = tiny.write_recipe(
        folder / "tiny.toml", tiny_folder / "teacher", tiny_folder / "student", tiny_folder / "pairs.tsv"
    )
    return rig.undisturbed(recipe, folder / "whole", preloaded)


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """A process that writes stores, one after the other."""
    from faults.store_rig import Writer

    writer = Writer(tmp_path_factory.mktemp("writer"))
    yield writer
    writer.close()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Print the table; with ISOGLOT_FAULTS_TABLE=PATH also write it there as JSON."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    results = [value for report in reports for name, value in report.user_properties if name == "fault"]
    rows = table.rows_of(results)
    if not rows:
        return
    terminalreporter.section("fault injection")
    terminalreporter.write_line(table.markdown(rows))
    path = os.environ.get("ISOGLOT_FAULTS_TABLE")
    if path:
        table.write(rows, Path(path))
