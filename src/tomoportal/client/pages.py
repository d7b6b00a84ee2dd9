"""Where an entity can be looked at: its page at the portal, and the viewer.

The address of a portal is taken from the addresses of its files, since a client may reach it under another one; portals that keep
files elsewhere have no pages that are known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tomoportal.errors import UsageError
from tomoportal.model.fields import Address

if TYPE_CHECKING:
    from tomoportal.client.entities import ClientEntity

FILES = "/files/"
PUBLIC_VIEWER = "https://neuroglancer-demo.appspot.com/#!"


def portal_of(entity: ClientEntity) -> str | None:
    """Where the portal of an entity is, without a trailing slash."""
    for name, field in entity.fields.items():
        address = entity.__dict__.get(name)
        if field.address_of and field.address_of[0] is Address.HTTPS and address and FILES in address:
            return address.partition(FILES)[0]
    return None


def page_of(entity: ClientEntity) -> str | None:
    """The page of an entity, or of its run."""
    portal, values = portal_of(entity), entity.__dict__
    if portal is None:
        return None
    match type(entity).__name__:
        case "Dataset" | "Deposition" | "Run" as kind:
            return f"{portal}/{kind.lower()}s/{values['id']}"
    return f"{portal}/runs/{values['run_id']}" if values.get("run_id") else None


class Viewable:
    """For tomograms."""

    def show(self) -> str:
        """The address of the viewer with this tomogram: of its portal, else the public Neuroglancer with the state that the portal
        keeps. Raises `UsageError` when there is none."""
        entity: Any = self
        state = entity.__dict__.get("neuroglancer_config")
        if portal := portal_of(entity):
            return f"{portal}/view/runs/{entity.run_id}?tomogram={entity.id}"
        if not state:
            raise UsageError(f"{self!r} has no state of a viewer.")
        return PUBLIC_VIEWER + quote(state, safe="")
