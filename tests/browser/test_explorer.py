"""The page for GraphQL as people use it: with the mouse, the keyboard alone, on a phone, without scripts."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

from fixtures_browser import CONTRAST
from tomoportal.web.pages.explorer import EXAMPLES

pytestmark = pytest.mark.browser


def opened(window, address: str, **options):
    page = window(**options).goto(f"{address}/graphql")
    page.locator("#type li").first.wait_for()
    return page


def answer(page) -> dict:
    expect(page.locator("#status")).to_contain_text("ms")
    return json.loads(page.locator("#answer").inner_text())


def test_every_example_has_an_answer(window, demo):
    page = opened(window, demo)
    for number, example in enumerate(EXAMPLES):
        page.evaluate("document.querySelector('#status').textContent = ''")
        page.locator("#examples").select_option(str(number))
        found = answer(page)
        assert "errors" not in found, (example.title, found)
        assert all(found["data"].values()), example.title
        assert page.locator("#query").input_value().strip() == example.query.strip()
    assert page.locator("#answer .c-key").count() > 3


def test_with_the_keyboard_alone(window, demo):
    page = opened(window, demo)
    page.locator("#query").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("{\nruns {\nid\nname")
    assert page.locator("#query").input_value() == "{\n  runs {\n    id\n    name"
    assert page.locator(".gutter").inner_text().split() == ["1", "2", "3", "4"]
    page.keyboard.type("\n}}")
    page.keyboard.press("Control+Enter")
    assert [run["name"] for run in answer(page)["data"]["runs"]] == ["TS_001", "TS_002"]
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "variables"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "query"


def test_errors_and_variables(window, demo):
    page = opened(window, demo)
    page.locator("#query").fill("query ($id: Int) { runs(where: {id: {_eq: $id}}) { name } }")
    page.locator("#variables").fill('{"id": 2')
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer")).to_contain_text("The variables are not JSON")
    expect(page.locator("#variables")).to_have_attribute("aria-invalid", "true")
    page.locator("#variables").fill('{"id": 2}')
    page.locator(".run").click()
    assert answer(page)["data"] == {"runs": [{"name": "TS_002"}]}
    page.locator("#query").fill("{ runs { colour } }")
    page.locator("#variables").fill("")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("1 error")
    assert page.locator(".told.has-errors").count() == 1


def test_the_schema_leads_into_the_query(window, demo):
    page = opened(window, demo)
    page.locator("#query").fill("")
    page.locator("#find").fill("datasetsAgg")
    page.locator("#type .field", has_text="datasetsAggregate").first.click()
    assert page.locator("#query").input_value() == "datasetsAggregate {\n  aggregate { count }\n}"
    page.locator("#find").fill("")
    page.locator("#type li", has_text="tomograms").first.locator(".of button").first.click()
    expect(page.locator("#type h2")).to_have_text("Tomogram")
    page.locator("#type .of button", has_text="tomogram_processing_enum").click()
    expect(page.locator("#type h2")).to_have_text("tomogram_processing_enum")
    page.locator(".trail button", has_text="Tomogram").first.click()
    expect(page.locator("#type h2")).to_have_text("Tomogram")
    page.locator("#find").fill("nothing is called so")
    expect(page.locator("#type")).to_contain_text("Nothing is called")


def test_history_stays(window, demo):
    page = opened(window, demo)
    for text in ("{ runs { id } }", "{ datasets { id } }", "{ runs { id } }"):
        page.evaluate("document.querySelector('#status').textContent = ''")
        page.locator("#query").fill(text)
        page.keyboard.press("Control+Enter")
        answer(page)
    page.reload()
    page.locator("#type li").first.wait_for()
    assert page.locator("#history option").count() == 4
    page.locator("#history").select_option("1")
    assert page.locator("#query").input_value() == "{ datasets { id } }"
    page.locator("#history").select_option("forget")
    assert page.locator("#history option").count() == 1


def test_commands_for_the_clipboard_run(window, demo, tmp_path):
    import subprocess
    import sys

    page = opened(window, demo)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = (
        'query Q($name: String) { runs(where: {name: {_eq: $name}}) { name } } # it\'s "so" \\ and """more"""'
    )
    page.locator("#query").fill(text)
    page.locator("#variables").fill('{"name": "TS_002"}')
    expected = {"data": {"runs": [{"name": "TS_002"}]}}
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("[data-copy=python]")).to_have_text("Copied")
    script = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("[data-copy=curl]")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected


def test_without_scripts_it_is_a_form(window, demo):
    page = window(java_script_enabled=False).goto(f"{demo}/graphql")
    assert not page.locator("#find").is_visible()
    page.locator("#query").fill("query ($id: Int) { runs(where: {id: {_eq: $id}}) { name } }")
    page.locator("#variables").fill('{"id": 2}')
    page.locator(".run").click()
    assert json.loads(page.locator("#answer").inner_text()) == {"data": {"runs": [{"name": "TS_002"}]}}
    assert page.locator("#query").input_value().startswith("query ($id: Int)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_phones_and_can_be_read(window, demo, scheme):
    page = opened(window, demo, width=360, color_scheme=scheme)
    page.locator(".run").click()
    answer(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(CONTRAST) >= 4.5


def test_it_fills_a_wide_window_and_asks_nobody_else(window, demo):
    opened_window = window(width=1440, height=900)
    page = opened_window.goto(f"{demo}/graphql")
    page.locator("#type li").first.wait_for()
    bench = page.locator(".workbench").bounding_box()
    assert bench["y"] + bench["height"] <= 900
    assert opened_window.hosts == {demo.removeprefix("http://")}
    policy = page.request.get(f"{demo}/graphql", headers={"accept": "text/html"}).headers[
        "content-security-policy"
    ]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
