"""The slice viewer and the film of a tilt series in Chromium: everything is where the truth table says, with and without scripts."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

from demo_oracle import RIBOSOME, centres
from fixtures_browser import CONTRAST

pytestmark = pytest.mark.browser
RUN = "TS_001"
CIRCLES = """axis => {
  const panel = document.querySelector(`.panel[data-axis=${axis}]`);
  return [...panel.querySelectorAll("circle")].map(circle => {
    const box = circle.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  });
}"""
GROUND = """axis => { const box = document.querySelector(`.panel[data-axis=${axis}] .ground`).getBoundingClientRect();
  return [box.x, box.y, box.width, box.height]; }"""


def asked(url: str, query: str) -> Any:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]


@pytest.fixture(scope="module")
def looked(demo, demo_portal) -> dict[str, Any]:
    """The true ribosomes of a run, a tomogram that they fit, and its tilt series."""
    where = f'where: {{run: {{name: {{_eq: "{RUN}"}}}}, objectName: {{_eq: "{RIBOSOME}"}}, groundTruthStatus: {{_eq: true}}}}'
    fields = "id alignmentId run { id name tiltseries { edges { node { id } } } }"
    (found, *_) = asked(demo, f"{{ annotations({where}) {{ {fields} }} }}")["annotations"]
    rows = asked(
        demo,
        f"{{ tomograms(where: {{alignmentId: {{_eq: {found['alignmentId']}}}}}) {{ id voxelSpacing sizeX sizeY sizeZ }} }}",
    )["tomograms"]
    (dataset,) = demo_portal.truth["datasets"].values()
    true = centres(dataset["runs"][RUN], f"{rows[0]['voxelSpacing']:.3f}")
    return {
        "annotation": found["id"],
        "run": found["run"]["id"],
        "series": found["run"]["tiltseries"]["edges"][0]["node"]["id"],
        "true": true,
        **rows[0],
    }


def state(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query, keep_blank_values=True)


def test_circles_lie_where_the_truth_is(window, demo, looked):
    """At the projected place of a true ribosome, in all three panels, within 2 pixels of the screen."""
    x, y, z = (round(value) for value in looked["true"][0])
    page = window(width=1400, height=1000).goto(
        f"{demo}/tomograms/{looked['id']}?z={z}&y={y}&x={x}&show={looked['annotation']}"
    )
    sides = {"x": looked["sizeX"], "y": looked["sizeY"], "z": looked["sizeZ"]}
    where = dict(zip("xyz", looked["true"][0], strict=True))
    for axis, across, down in (("z", "x", "y"), ("y", "x", "z"), ("x", "z", "y")):
        page.locator(f".panel[data-axis={axis}] circle").first.wait_for(state="attached")
        left, top, width, height = page.evaluate(GROUND, axis)
        expected = [
            left + (where[across] + 0.5) / sides[across] * width,
            top + (where[down] + 0.5) / sides[down] * height,
        ]
        circles = page.evaluate(CIRCLES, axis)
        assert min(abs(a - expected[0]) + abs(b - expected[1]) for a, b in circles) <= 2, axis


def test_keys_move_and_the_address_tells(window, demo, looked):
    opened = window()
    page = opened.goto(f"{demo}/tomograms/{looked['id']}?z=10&y=20&x=30")
    page.locator("#look-svg").focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("]")
    page.wait_for_url(re.compile(r"z=11&y=30&x=31&slab=1"))
    assert page.locator("#look-z").input_value() == "11"
    expect(page.locator(".panel[data-axis=z] .slice")).to_have_attribute(
        "href", re.compile(r"axis=z&index=11&slab=1")
    )
    page.reload()
    assert [page.locator(f"#look-{name}").input_value() for name in ("z", "y", "x", "slab")] == [
        "11",
        "30",
        "31",
        "1",
    ]
    assert opened.hosts == {urlsplit(demo).netloc}


def test_pointer_wheel_sliders_contrast_and_views(window, demo, looked):
    page = window(width=1400, height=1000).goto(f"{demo}/tomograms/{looked['id']}?z=12")
    left, top, width, height = page.evaluate(GROUND, "z")
    place = round(looked["sizeX"] / 4)
    page.mouse.move(left + width / 4, top + height / 2)
    expect(page.locator("#look-readout")).to_have_text(re.compile(rf"^x ({place}|{place - 1}),"))
    page.mouse.down()
    page.mouse.move(left + width * 0.75, top + height / 2, steps=4)
    page.mouse.up()
    expect(page.locator("#look-x")).to_have_value(
        re.compile(f"{round(looked['sizeX'] * 0.75 - 0.5)}|{round(looked['sizeX'] * 0.75)}")
    )
    page.mouse.wheel(0, 100)
    expect(page.locator("#look-z")).to_have_value("13")
    page.locator("#look-y-slider").fill("5")
    expect(page.locator("#look-y")).to_have_value("5")
    page.locator("#look-hi").fill(str(float(page.locator("#look-hi").input_value()) + 1))
    page.wait_for_url(re.compile("hi="))
    page.get_by_role("button", name="Auto").click()
    page.wait_for_url(re.compile(r"^((?!hi=).)*$"))
    page.get_by_role("link", name="XZ").click()
    page.get_by_role("link", name="Zoom 2 times").click()
    page.wait_for_url(re.compile("view=XZ&zoom=2"))
    assert page.locator(".panel[data-axis=z]").is_hidden()


def test_fingers_move_magnify_and_shift(window, demo, looked):
    """One finger moves the cross-hair, two that go apart magnify and two that go together shift what is seen; the 3-D viewer then begins
    at the cross-hair."""
    opened = window(width=390, height=844, has_touch=True, is_mobile=True)
    page = opened.goto(f"{demo}/tomograms/{looked['id']}?z=12&view=XY")
    page.locator("#look-svg").scroll_into_view_if_needed()
    left, top, width, height = page.evaluate(GROUND, "z")
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [
            {"x": left + x * width, "y": top + y * height, "id": number}
            for number, (x, y) in enumerate(fingers)
        ]
        hand.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    touch("Start", (0.3, 0.5))
    touch("Move", (0.5, 0.4))
    touch("Move", (0.7, 0.25))
    touch("End")
    x, y = looked["sizeX"] * 0.7 - 0.5, looked["sizeY"] * 0.25 - 0.5
    page.wait_for_url(re.compile("x="))
    assert abs(int(page.locator("#look-x").input_value()) - x) <= 1
    assert abs(int(page.locator("#look-y").input_value()) - y) <= 1
    before = page.locator("#look-x").input_value()

    touch("Start", (0.45, 0.5), (0.55, 0.5))
    touch("Move", (0.35, 0.5), (0.65, 0.5))
    touch("End")
    page.wait_for_url(re.compile("zoom=2"))
    assert page.locator("#look-x").input_value() == before
    box = "document.querySelector('.panel[data-axis=z]').getAttribute('viewBox').split(' ').map(Number)"
    seen = page.evaluate(box)
    touch("Start", (0.4, 0.5), (0.6, 0.5))
    touch("Move", (0.5, 0.5), (0.7, 0.5))
    touch("End")
    page.wait_for_function(f"{box}[0] < {seen[0]} - 1")
    assert page.evaluate(box)[2] == seen[2] == looked["sizeX"] / 2
    position = json.loads(unquote(urlsplit(page.locator("#look-viewer").get_attribute("href")).fragment[1:]))
    assert position == {
        "position": [int(page.locator(f"#look-{axis}").input_value()) for axis in ("x", "y", "z")]
    }


def test_annotations_are_turned_on_and_off(window, demo, looked):
    page = window().goto(f"{demo}/tomograms/{looked['id']}?show=")
    boxes = page.locator(".toggles input:enabled")
    assert boxes.count() >= 2
    assert page.locator(".toggles input:checked").count() == 0
    first = page.locator(f".toggles input[value^='{looked['annotation']}']").first
    first.check()
    page.locator(".panel circle").first.wait_for(state="attached")
    page.wait_for_url(re.compile(rf"show={looked['annotation']}"))
    first.uncheck()
    page.wait_for_url(re.compile(r"show=$"))
    truth = page.locator(".toggles li").evaluate_all(
        "items => items.map(item => !!item.querySelector('.gt'))"
    )
    assert truth == sorted(truth, reverse=True)


def test_slices_without_scripts(window, demo, looked):
    page = window(java_script_enabled=False).goto(f"{demo}/tomograms/{looked['id']}?z=12")
    page.get_by_role("link", name="Next slice along z").click()
    assert state(page)["z"] == ["13"]
    for box in page.locator(".toggles input:enabled").all():
        box.uncheck()
    page.locator("#look-slab").fill("3")
    page.get_by_role("button", name="Show").click()
    assert (state(page)["slab"], state(page)["show"]) == (["3"], [""])
    assert page.locator(".laid image").count() == 0
    assert "slab=3" in page.locator(".panel[data-axis=z] .slice").get_attribute("href")


def test_from_the_run_to_slices_and_back(window, demo, looked):
    page = window().goto(f"{demo}/runs/{looked['run']}")
    page.get_by_role("link", name="Look at slices").click()
    page.locator("#look-svg").wait_for()
    page.locator(".byline a").click()
    page.wait_for_url(f"**/runs/{looked['run']}")


def test_the_film_steps_sorts_and_plays(window, demo, looked):
    page = window(reduced_motion="reduce").goto(f"{demo}/tiltseries/{looked['series']}")
    total = page.locator("#film-slider").get_attribute("max")
    page.locator("h1").click()
    page.keyboard.press("Home")
    expect(page.locator("#film-place")).to_have_text(re.compile("^1 of"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#film-place")).to_have_text(re.compile("^2 of"))
    lowest = [
        row["index"]
        for row in sorted(
            json.loads(page.locator("#film").get_attribute("data-film"))["sections"],
            key=lambda row: row["angle"],
        )
    ]
    page.wait_for_url(re.compile(rf"index={lowest[1]}$"))
    assert page.evaluate("document.getElementById('film-picture').naturalWidth") > 0
    page.get_by_role("link", name="By acquisition").click()
    page.wait_for_url(re.compile("order=acquisition"))
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    page.locator("#film-slider").fill(total)
    expect(page.locator("#film-place")).to_have_text(re.compile(f"^{int(total) + 1} of"))
    assert page.locator(".plot").count() >= 2


def test_the_film_without_scripts(window, demo, looked):
    page = window(java_script_enabled=False).goto(f"{demo}/tiltseries/{looked['series']}")
    before = page.locator("#film-picture").get_attribute("src")
    page.get_by_role("link", name="Next section").click()
    assert page.locator("#film-picture").get_attribute("src") != before
    assert "index" in state(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_small_phone_and_text_can_be_read(window, demo, looked, scheme):
    opened = window(width=360, color_scheme=scheme)
    for path in (f"/tomograms/{looked['id']}", f"/tiltseries/{looked['series']}"):
        page = opened.goto(demo + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate(CONTRAST) >= 4.5, path
