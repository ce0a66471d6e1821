"""How a model's texts are described: by the descriptors that are declared, and those that the preset `text` brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exporter.batch import Kind, Schema
from exporter.errors import Path, Problem, nearest
from exporter.metrics import CATALOGUE
from exporter.presets import METRICS, TEXT

if TYPE_CHECKING:  # descriptors cost 30 ms, and few models have texts
    from exporter.descriptors import DescriptorColumn

# What a text is described by that has no descriptors of its own; the last one where it is installed.
USUAL = (
    "text_length", "word_count", "sentence_count", "non_letter_ratio", "out_of_vocabulary_ratio",
    "sentiment",
)  # fmt: skip
OWN_OPTIONS = ("columns", "descriptors")  # of the preset itself, not of its parts
_EVERY = ("text", "all")  # roles that stand for every text


@dataclass(frozen=True, slots=True)
class Wish:
    """What one preset `text` is asked to look at."""

    columns: tuple[str, ...] | None  # None: every text
    entries: tuple[Any, ...] | None  # None: what is declared, or the usual descriptors
    at: Path = ()

    def texts(self, kinds: Mapping[str, Kind], declared: Iterable[str]) -> list[str]:
        """The texts that it is about: columns of that kind, and whatever is described."""
        every = _texts(kinds, declared)
        return [name for name in every if self.columns is None or name in self.columns]

    def names(self, text: str) -> list[str]:
        """The columns that its own descriptors of a text make."""
        return [f"{text}.{name}" for name in map(_name, self.entries or ()) if name]


@dataclass(frozen=True, slots=True)
class Describing:
    """All that is asked of a model's texts."""

    declared: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # under `descriptors:`
    wishes: tuple[Wish, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.declared or self.wishes)

    def columns(
        self, kinds: Mapping[str, Kind], known: Mapping[str, Kind | None] | None, at: Path = ()
    ) -> tuple[tuple[DescriptorColumn, ...], list[Problem]]:
        """The columns to be computed, in order, and the mistakes in what was asked for, each with its path.

        *kinds*: the kinds of the model's columns; *known*: all columns that descriptors may read, None
        = nobody knows them; *at*: where `descriptors:` stands.
        """
        if not self:
            return (), []
        from exporter.descriptors import descriptor_columns

        problems = descriptor_columns(self.declared, known, at)[1]
        for wish in self.wishes:
            problems += self._mistakes(wish, kinds, known)
        return descriptor_columns(self._asked(kinds), known)[0], problems

    def key(self) -> list[Any]:
        """What tells two of them apart: other descriptors make other profiles."""
        return [dict(self.declared), [(w.columns, w.entries or _usual()) for w in self.wishes]]

    def _asked(self, kinds: Mapping[str, Kind]) -> dict[str, list[Any]]:
        """The descriptors of each text; one that is declared stays as it is."""
        found = {text: list(entries) for text, entries in self.declared.items()}
        for wish in self.wishes:
            for text in wish.texts(kinds, self.declared):
                if wish.entries is None and self.declared.get(text):
                    continue
                own = found.setdefault(text, [])
                entries = _usual() if wish.entries is None else wish.entries
                own += [entry for _, entry in _new(entries, own)]
        return found

    def _mistakes(
        self, wish: Wish, kinds: Mapping[str, Kind], known: Mapping[str, Kind | None] | None
    ) -> Iterator[Problem]:
        """Those in a preset's own descriptors, which are the same for each of its texts."""
        from exporter.descriptors import descriptor_columns

        for text in wish.texts(kinds, self.declared)[:1]:
            own = list(self.declared.get(text, ()))
            new = _new(wish.entries or (), own)
            for problem in descriptor_columns({text: [*own, *(e for _, e in new)]}, known)[1]:
                _, *path = problem.path
                if path and isinstance(path[0], int) and path[0] >= len(own):
                    place = new[path[0] - len(own)][0]
                    yield Problem((*wish.at, "descriptors", place, *path[1:]), problem.text)


def wishes(metrics: Any, at: Path = ()) -> tuple[Wish, ...]:
    """What the presets `text` in a list of metrics ask for; what else is wrong with it the plan tells."""
    listed = metrics if isinstance(metrics, list | tuple) else ()
    return tuple(wish for i, entry in enumerate(listed) for wish in _wishes(entry, (*at, i)))


def undescribed(wanted: Iterable[Wish], schema: Schema) -> Iterator[Problem]:
    """What a schema that is made already lacks of what presets ask for."""
    for wish in wanted:
        for text in wish.texts(schema.kinds, schema.described.values()):
            lacks = set(wish.names(text)) - schema.described.keys()
            if lacks or text not in schema.described.values():
                entries = list(wish.entries or USUAL[:2])
                yield Problem(
                    wish.at,
                    f"the reference was profiled without descriptors of {text!r}: "
                    f"profile_reference(…, descriptors={{{text!r}: {entries}}})",
                )


def read_by_preset(
    options: Mapping[str, Any], schema: Schema | None, at: Path, tell: Callable[[Path, str], None]
) -> Mapping[str, Any] | None:
    """The options of a preset `text` with the columns that its parts read: texts, and what describes them.

    None where there are none. Mistakes are told.
    """
    rest = {name: value for name, value in options.items() if name not in OWN_OPTIONS}
    _check_entries(options, at, tell)
    if schema is None or not schema.kinds:
        return rest
    if not _texts(schema.kinds, schema.described.values()):
        tell(at, "the model has no text columns: list them under columns.text")
        return None
    _check_columns(options, schema, at, tell)
    chosen = _chosen(_wish(options, at), schema)
    return {**rest, "columns": chosen} if chosen else None


def _chosen(wish: Wish, schema: Schema) -> list[str]:
    """The texts, and the columns that describe them or are named themselves."""
    texts = wish.texts(schema.kinds, schema.described.values())
    described = [
        column
        for column, text in schema.described.items()
        if (text in texts and (wish.entries is None or column in wish.names(text)))
        or column in (wish.columns or ())
    ]
    return [*(text for text in texts if text in schema.kinds), *described]


def _check_entries(options: Mapping[str, Any], at: Path, tell: Callable[[Path, str], None]) -> None:
    entries = options.get("descriptors", [""])
    if not isinstance(entries, list | tuple) or not entries:
        tell((*at, "descriptors"), "expected a list of descriptors, such as [text_length]")


def _check_columns(
    options: Mapping[str, Any], schema: Schema, at: Path, tell: Callable[[Path, str], None]
) -> None:
    columns = options.get("columns", "text")
    known = _texts(schema.kinds, schema.described.values())
    if isinstance(columns, str) and columns in _EVERY:
        return
    if not isinstance(columns, list | tuple) or not columns:
        tell((*at, "columns"), f"expected a list of texts, or {' or '.join(_EVERY)}")
        return
    for i, name in enumerate(columns):
        if name not in known and name not in schema.described:
            tell((*at, "columns", i), f"{name!r} is no text of the model" + nearest(name, known))


def _texts(kinds: Mapping[str, Kind], described: Iterable[str]) -> list[str]:
    """The columns of that kind, and whatever is described."""
    return list(dict.fromkeys([*(n for n, kind in kinds.items() if kind == "text"), *described]))


def _wishes(entry: Any, at: Path) -> Iterator[Wish]:
    if isinstance(entry, str):
        name, options = entry, dict[str, Any]()
    elif isinstance(entry, Mapping) and len(entry) == 1:
        name, options = next(iter(entry.items()))
        at = (*at, name)
    else:
        return
    options = options if isinstance(options, Mapping) else {}
    if name == TEXT:
        yield _wish(options, at)
    elif name not in CATALOGUE and name not in METRICS:
        for ours, theirs in _translated(name, options):
            if ours == TEXT:
                yield _wish(theirs, at)


def _translated(name: Any, options: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    from exporter.evidently import is_evidently, translate

    if is_evidently(name):
        for entry in translate("metrics", name, options).entries:
            yield entry.name, entry.options


def _wish(options: Mapping[str, Any], at: Path) -> Wish:
    columns, entries = options.get("columns"), options.get("descriptors")
    return Wish(
        tuple(columns) if isinstance(columns, list | tuple) else None,
        tuple(entries) if isinstance(entries, list | tuple) and entries else None,
        at,
    )


def _new(entries: Iterable[Any], own: Iterable[Any]) -> list[tuple[int, Any]]:
    """The entries, each with its place, of which there is none of that name yet."""
    taken = set(map(_name, own))
    return [(i, entry) for i, entry in enumerate(entries) if _name(entry) not in taken]


def _name(entry: Any) -> str | None:
    """What an entry's column is called after its text; None where that cannot be told."""
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, Mapping) or len(entry) != 1:
        return None
    name, options = next(iter(entry.items()))
    return str(options.get("name", name)) if isinstance(options, Mapping) else str(name)


def _usual() -> tuple[str, ...]:
    from exporter.descriptors import DESCRIPTORS

    return tuple([name for name in USUAL if not DESCRIPTORS[name].lack()])
