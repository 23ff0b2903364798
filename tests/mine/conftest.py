"""Small files to mine."""

import pytest

from mine.two_sides import Mining


@pytest.fixture
def mining(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Mining(tmp_path)
