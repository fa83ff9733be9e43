"""The history of what was typed: bounded, private, and written by several at once."""

import sqlite3
import threading

import pytest

from streamcli.store import typed
from streamcli.store.database import FILE, StoreError
from streamcli.store.typed import Typed


def test_what_is_added_is_there_for_the_next_one(tmp_path):
    first = Typed(tmp_path)
    for text in ("one", "two\nlines", "two\nlines", "grüße \ud83d"):
        first.add(text)
    first.close()
    second = Typed(tmp_path)
    assert second.entries() == ["one", "two\nlines", "grüße ?"]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    second.close()


def test_only_the_last_entries_stay_and_no_large_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(typed, "MAX_ENTRIES", 3)
    store = Typed(tmp_path)
    for number in range(10):
        store.add(f"entry {number}")
    store.add("x" * (typed.MAX_LENGTH + 1))
    assert store.entries() == ["entry 7", "entry 8", "entry 9"]
    store.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM typed").fetchone() == (3,)
    db.close()


def test_two_at_once_lose_nothing(tmp_path):
    def write(name: str) -> None:
        store = Typed(tmp_path)
        for number in range(10):
            store.add(f"{name} {number}")
        store.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = Typed(tmp_path)
    assert sorted(store.entries()) == sorted(f"{name} {number}" for name in "ab" for number in range(10))
    store.close()


def test_a_folder_that_cannot_be_used_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        Typed(tmp_path / "file")
