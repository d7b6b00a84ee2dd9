"""What the setting `license` means: a name to show and the address of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CREATIVE_COMMONS = re.compile(r"CC-(BY(?:-NC|-ND|-SA)*)-(\d\.\d)(?:-[A-Z]+)?")
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True, slots=True)
class License:
    """`spdx` is empty when the site names its license by an address."""

    name: str
    href: str
    spdx: str = ""

    @staticmethod
    def of(setting: str) -> License:
        """An SPDX identifier, or an address. Anything else is a name without an address."""
        if setting.startswith(("https://", "http://")):
            return License(setting, setting)
        if setting == "CC0-1.0":
            return License(setting, "https://creativecommons.org/publicdomain/zero/1.0/", setting)
        if found := _CREATIVE_COMMONS.fullmatch(setting):
            address = f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/"
            return License(setting, address, setting)
        if _SPDX.fullmatch(setting):
            return License(setting, f"https://spdx.org/licenses/{setting}.html", setting)
        return License(setting, "")
