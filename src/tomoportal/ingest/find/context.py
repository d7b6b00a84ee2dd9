"""Where a source is looked at: the ancestors' names, and the values of all placeholders there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tomoportal.config.sections import SECTIONS, own_placeholders
from tomoportal.ingest.find.globs import escaped
from tomoportal.layout.paths import Key, folder


@dataclass(frozen=True, slots=True)
class Context:
    """`names`: ancestor type → name. `values`: placeholder → text, None where there is none. `key` names the nearest ancestor
    in the layout."""

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str | None] = field(default_factory=dict)
    key: Key | None = None

    def inside(
        self, kind: str, name: str, path: str | None, key: Key, more: Mapping[str, str | None] | None = None
    ) -> Context:
        """The context of the children of an entity. Own names win over columns of tables."""
        own: dict[str, str | None] = {
            f"{kind}_name": name,
            f"{kind}_path": path,
            f"int_{kind}_name": str(int(name)) if name.isdecimal() else None,
            f"{kind}_output_path": folder(key),
            "output_path": "",
        }
        values = {**(more or {}), **self.values, **own}
        return replace(self, names={**self.names, kind: name}, values=values, key=key)

    def beside(self, kind: str, name: str, path: str | None) -> Context:
        """The context of what belongs to an entity whose folder in the portal is not known yet."""
        own = {f"{kind}_name": name, f"{kind}_path": path, f"{kind}_output_path": None,
               f"int_{kind}_name": str(int(name)) if name.isdecimal() else None}  # fmt: skip
        return replace(self, names={**self.names, kind: name}, values={**self.values, **own})

    @property
    def label(self) -> str:
        """How messages name this place."""
        parts = [self.names[kind] for kind in ("dataset", "run", "voxel_spacing") if kind in self.names]
        return "/".join(parts[-2:]) or self.names.get("deposition", "")


_OWN = frozenset(own_placeholders("key_images"))


def known_placeholders(section: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """All placeholders that a source of this section may hold."""
    return (*own_placeholders(section), *(columns if "run" in SECTIONS[section].parents else ()))


def for_pattern(name: str, value: str) -> str:
    """What to put into a pattern: names are taken literally, columns of tables may hold patterns themselves."""
    return escaped(value) if name in _OWN else value
