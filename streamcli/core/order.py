"""Results that come in any order -> the order of their input."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Reorder(Generic[T]):
    """`put` returns what is due by then: each item once, by position from 0. With `as_they_come` that is the item."""

    def __init__(self, *, as_they_come: bool) -> None:
        self._as_they_come = as_they_come
        self._waiting: dict[int, T] = {}
        self._next = 0

    def put(self, position: int, item: T) -> list[T]:
        if self._as_they_come:
            return [item]
        self._waiting[position] = item
        due: list[T] = []
        while self._next in self._waiting:
            due.append(self._waiting.pop(self._next))
            self._next += 1
        return due
