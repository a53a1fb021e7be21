"""Data classes that convert to and from JSON: the base of the generated classes of ``_types``."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import timedelta
from typing import Any, Callable, ClassVar, Dict, List, Mapping, Type, TypeVar, Union

D = TypeVar("D", bound="Data")
#: Makes the value of a field from JSON.
Loader = Callable[[Any], Any]


class Data:
    """A typed document. :meth:`to_dict` and :meth:`from_dict` convert it to and from plain JSON.

    Wherever clipkit takes one, it takes a dict of the same shape. Unknown fields are kept.
    """

    #: The loaders of fields that are not plain JSON.
    _loaders: ClassVar[Dict[str, Loader]] = {}
    #: The JSON names of fields whose names Python reserves.
    _names: ClassVar[Dict[str, str]] = {}
    #: Fields that are left out of JSON where they are ``None``.
    _optional: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def from_dict(cls: Type[D], value: Union[D, Mapping[str, Any]]) -> D:
        """The object for a dict of its shape."""
        if isinstance(value, cls):
            return value
        given: Dict[str, Any] = dict(value)  # type: ignore[arg-type]  # It is no D here.
        known: Dict[str, Any] = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # Every subclass is a dataclass.
            name = cls._names.get(field.name, field.name)
            if name in given:
                known[field.name] = _loaded(cls._loaders.get(field.name), given.pop(name))
        made = cls(**known)
        made.__dict__.update(given)
        return made

    def to_dict(self) -> Dict[str, Any]:
        """The plain dict, ready for JSON."""
        return {
            self._names.get(name, name): plain(value)
            for name, value in self.__dict__.items()
            if not name.startswith("_") and not (value is None and name in self._optional)
        }

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name) from None


class Unknown(Data):
    """Data of a kind that this version does not know. Its fields are attributes."""

    @classmethod
    def from_dict(cls, value: Any) -> Any:
        made = cls()
        made.__dict__.update(value)
        return made

    def __repr__(self) -> str:
        return f"Unknown({self.__dict__!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]


def _loaded(loader: Union[Loader, None], value: Any) -> Any:
    return value if loader is None or value is None else loader(value)


def many(loader: Loader) -> Loader:
    """Makes a list."""
    return lambda values: [_loaded(loader, value) for value in values]


def by_name(loader: Loader) -> Loader:
    """Makes a dict of data by name."""
    return lambda values: {name: _loaded(loader, value) for name, value in values.items()}


def tagged(tag: str, classes: Callable[[], Mapping[str, Type[Data]]]) -> Loader:
    """Makes an object of the class that the field ``tag`` names."""

    def load_one(value: Any) -> Any:
        if isinstance(value, Data):
            return value
        return classes().get(value.get(tag), Unknown).from_dict(value)

    return load_one


def plain(value: Any) -> Any:
    """A value as JSON types: data as dicts, paths as strings, durations in seconds, NumPy numbers
    as numbers.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        # Also of numpy's float64, which is a float that json knows.
        return value
    if isinstance(value, Data):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    for method in ("to_dict", "tolist"):
        if callable(getattr(value, method, None)):
            return plain(getattr(value, method)())
    if hasattr(value, "__iter__"):
        return [plain(item) for item in value]
    raise TypeError(f"this cannot be converted to JSON: {value!r}")


def dump(value: Any) -> str:
    """JSON of a value, for the crate."""
    return json.dumps(plain(value))


def load(name: str, text: str) -> Any:
    """An object of a class of ``_types``, or a list of them, from JSON of the crate."""
    from . import _types

    value = json.loads(text)
    loader: Loader | None = _types.LOADERS.get(name)
    return many(loader)(value) if loader and isinstance(value, list) else _loaded(loader, value)


__all__ = ["Data", "List", "Unknown"]
