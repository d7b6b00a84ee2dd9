"""What `site.toml` says, and what it must not say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tomoportal.errors import UsageError
from tomoportal.settings import Settings
from tomoportal.site import Banner, Colours, Contact, Link
from tomoportal.site.contrast import DARK_GROUNDS, LEAST, LIGHT_GROUNDS, contrast, lightened, lowest
from tomoportal.site.read import read_site
from tomoportal.web.urls import STATIC

WHOLE = """
title = "Tomograms of the Moon"
tagline = "Dust, frozen"
logo = "moon.svg"
license = "CC-BY-4.0"

[colours]
accent = "#7A1FA2"

[contact]
name = "The curators"
email = "moon@example.org"

[[banners]]
text = "Closed **on Friday**"
from = 2026-03-01
until = 2026-03-06
paths = ["/", "/datasets/*"]

[[links]]
text = "Imprint"
href = "https://example.org/imprint"
"""


def written(folder, text, *files):
    (folder / "site.toml").write_text(text)
    for name in files:
        (folder / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return str(folder)


def test_everything_that_can_be_said(tmp_path):
    site = read_site(written(tmp_path, WHOLE, "moon.svg"))
    assert (site.title, site.tagline, site.logo) == ("Tomograms of the Moon", "Dust, frozen", "moon.svg")
    assert site.license == "CC-BY-4.0"
    assert site.colours == Colours("#7a1fa2", lightened("#7a1fa2"))
    assert site.contact == Contact("The curators", "moon@example.org")
    days = date(2026, 3, 1), date(2026, 3, 6)
    assert site.banners == (Banner("Closed **on Friday**", *days, ("/", "/datasets/*"), 14),)
    assert site.links == (Link("Imprint", "https://example.org/imprint"),)


def test_the_example_of_the_guide_is_read(tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "site.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    site = read_site(written(tmp_path, example, "logo.svg"))
    assert site.colours
    assert site.banners[0].paths == ("/", "/datasets/*")


def test_nothing_need_be_said(tmp_path):
    assert read_site("").colours is None
    assert read_site(str(tmp_path)).folder == str(tmp_path)
    assert Settings().with_site().license == "CC0-1.0"


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    folder = written(tmp_path, WHOLE, "moon.svg")
    for name in ("TITLE", "LICENSE"):
        monkeypatch.delenv(f"TOMOPORTAL_{name}", raising=False)
    monkeypatch.setenv("TOMOPORTAL_CONTENT", folder)
    found = Settings.from_environment().with_site()
    assert (found.title, found.license) == ("Tomograms of the Moon", "CC-BY-4.0")
    monkeypatch.setenv("TOMOPORTAL_TITLE", "Mine")
    monkeypatch.setenv("TOMOPORTAL_LICENSE", "PDDL-1.0")
    found = Settings.from_environment().with_site()
    assert (found.title, found.license) == ("Mine", "PDDL-1.0")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("titel = 'x'", r"site.toml, `titel`: there is no such setting; did you mean `title`\?"),
        ("title = 3", r"`title`: must be a text"),
        ("title = ", r"this is no TOML"),
        ("logo = 'moon.svg'", r"`logo`: there is no file 'moon.svg' beside site.toml"),
        ("logo = '../moon.svg'", r"`logo`: .* must be the name of a picture"),
        ("logo = 'moon.pdf'", r"`logo`: .* must be the name of a picture"),
        ("[colours]\naccent = 'red'", r"`colours.accent`: 'red' is no colour; write six digits"),
        ("[colours]\naccent = '#ffcc00'", r"`colours.accent`: #ffcc00 has a contrast of 1.3 with sunken .* choose a darker one"),
        ("[colours]\naccent = '#0a6f69'\naccent_dark = '#0a6f69'", r"`colours.accent_dark`: .* dark pages.* choose a lighter one"),
        ("license = 'free'", r"`license`: 'free' is neither an SPDX identifier"),
        ("[license]\nname = 'Ours'", r"`license`: must be a text"),
        ("[contact]\nname = 'We'", r"`contact.email`: a contact needs an `email` or a `url`"),
        ("[contact]\nname = 'We'\nemail = 'we'", r"`contact.email`: 'we' is no e-mail address"),
        ("[[banners]]\ntext = ''", r"`banners\[0\].text`: must be a text that is not empty"),
        ("[[banners]]\ntext = 'x'\nfrom = '2026-01-01'", r"`banners\[0\].from`: must be a day without quotation marks"),
        ("[[banners]]\ntext = 'x'\nfrom = 2026-01-02\nuntil = 2026-01-01", r"`banners\[0\].until`: 2026-01-01 lies before"),
        ("[[banners]]\ntext = 'x'\npaths = '/'", r"`banners\[0\].paths`: is a list of patterns"),
        ("[[banners]]\ntext = 'x'\ndays = true", r"`banners\[0\].days`: is the number of days"),
        ("[banners]\ntext = 'x'", r"`banners`: is a list; each item begins with a line \[\[banners\]\]"),
        ("[[links]]\ntext = 'x'\nhref = 'javascript:1'", r"`links\[0\].href`: 'javascript:1' is no address"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, told):
    with pytest.raises(UsageError, match=told):
        read_site(written(tmp_path, text))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        read_site(str(tmp_path / "none"))


def test_contrast_is_that_of_wcag():
    """Values of the WebAIM contrast checker."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.59, abs=0.005)


def test_an_accent_is_lightened_until_dark_pages_carry_it():
    for accent in ("#000000", "#7a1fa2", "#00ff00", "#0a6f69"):
        assert lowest(lightened(accent), dark=True)[0] >= LEAST


def test_grounds_are_those_of_the_style_sheet():
    light, dark = (STATIC / "portal.css").read_text().split("@media (prefers-color-scheme: dark)", 1)
    for grounds, text in ((LIGHT_GROUNDS, light), (DARK_GROUNDS, dark)):
        for name, value in grounds.items():
            assert re.search(rf"--{name}: (#\w+);", text)[1] == value


def test_a_banner_has_days_and_places():
    banner = Banner("x", date(2026, 3, 1), date(2026, 3, 6), ("/", "/datasets/*"))
    assert [banner.is_shown("/", date(2026, 3, day)) for day in (1, 6, 7)] == [True, True, False]
    assert not banner.is_shown("/", date(2026, 2, 28))
    assert [banner.is_shown(path, date(2026, 3, 2)) for path in ("/datasets/1", "/runs/1")] == [True, False]
    assert Banner("x").is_shown("/runs/1", date(1999, 1, 1))
    assert banner.key != Banner("y").key


def test_a_server_does_not_start_with_what_makes_no_sense(tmp_path):
    from typer.testing import CliRunner

    from tomoportal.cli import app

    runner = CliRunner()
    assert "--content" in runner.invoke(app, ["serve", "--help"]).output
    folder = written(tmp_path, "titel = 'x'")
    refused = runner.invoke(
        app, ["serve", "--content", folder, "--database", f"sqlite:///{tmp_path}/none.sqlite"]
    )
    assert isinstance(refused.exception, UsageError)
    assert "did you mean `title`?" in str(refused.exception)
