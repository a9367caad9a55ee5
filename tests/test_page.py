"""The page in a browser: what lights up, what is revealed, what is computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.given import from_example
from gradc.compiler.page.build import page, parts_of
from gradc.compiler.page.document import json_text
from gradc.compiler.page.lines import code_lines
from gradc.compiler.page.sources import all_items
from gradc.dsl.source import Source

from .browser import browser
from .helpers import load

EXAMPLES = Path(__file__).parent.parent / "examples"
Open = Callable[..., Any]


def html(path: Path, example: str | None = None) -> str:
    spec = driver.checked(driver.read(path))
    return page(parts_of(spec, from_example(spec, example)))


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture
def shown(started: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a text as a file, and sees to it that nothing is loaded or complained of."""
    wrong: list[str] = []
    contexts = []

    def show(text: str, width: int = 1400, **options: Any) -> Any:
        context = started.new_context(viewport={"width": width, "height": 900},
                                      reduced_motion="reduce", **options)  # fmt: skip
        contexts.append(context)
        opened = context.new_page()
        opened.on("console", lambda message: wrong.append(message.text))
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(text, encoding="utf-8")
        opened.on("request", lambda r: r.url == file.as_uri() or wrong.append(r.url))
        opened.goto(file.as_uri())
        return opened

    yield show
    for context in contexts:
        context.close()
    assert not wrong


PANELS = ("graph", "source", "code", "explanation")


def lit(opened: Any, panel: str) -> list[str]:
    found: list[str] = opened.eval_on_selector_all(
        f"#{panel} .lit", "all => all.map(e => e.dataset.node ?? e.dataset.edge)")  # fmt: skip
    return found


def said(opened: Any) -> str:
    return str(opened.locator("#said").inner_text())


# ── Lights ──────────────────────────────────────────────────────────────────


def test_what_is_about_one_value_lights_up_in_all_panels(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    places = (
        '#picture [data-node="n8"]', '#source [data-node="n8"] >> nth=1', '#code .line[data-node="n8"] >> nth=0',
        '#explanation section[data-node="n8"]',
    )  # fmt: skip
    for place in places:
        opened.mouse.move(1, 1)
        assert not any(lit(opened, panel) for panel in PANELS)
        opened.locator(place).hover()
        for panel in PANELS:
            assert lit(opened, panel) and all("n8" in ids.split() for ids in lit(opened, panel))
    assert opened.locator("#source .lit").first.inner_text() == "c"
    forward, *others = opened.locator("#code .line.lit").all_inner_texts()
    assert forward.strip() == "c = _cos(b)  # line 9" and any(
        "d_b = -d_e" in text for text in others
    )


def test_a_choice_stays_and_is_said(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    opened.locator('#explanation section[data-node="n4"] h3').click()
    opened.mouse.move(1, 1)
    assert (
        lit(opened, "graph") == ["n4 n5", "n4"]
        and said(opened) == "a = x1 * w1: value 1.00, gradient -0.08"
    )
    seen = opened.locator("#code .line.lit").first
    box, panel = seen.bounding_box(), opened.locator("#code .scroll").bounding_box()
    assert panel["y"] <= box["y"] <= panel["y"] + panel["height"]
    opened.locator('#picture [data-node="n4"]').click()
    opened.mouse.move(1, 1)
    assert not lit(opened, "graph")


def test_keys_go_from_value_to_value_in_each_panel(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    for panel in PANELS:
        scroll = opened.locator(f"#{panel} .scroll")
        scroll.focus()
        opened.keyboard.press("Escape")
        opened.keyboard.press("ArrowDown")
        first = lit(opened, panel)[-1]
        opened.keyboard.press("ArrowDown")
        assert lit(opened, panel)[-1] != first
        opened.keyboard.press("ArrowUp")
        assert lit(opened, panel)[-1] == first and said(opened)


def test_lines_of_code_know_their_items() -> None:
    spec = driver.checked(driver.read(EXAMPLES / "network.grad"))
    items = list(all_items(parts_of(spec, None).outline))
    ids = {item.label: item.id for item in items}
    text = driver.python(driver.compiled(spec))
    lines = code_lines(text, spec.program.source, items)
    assert "\n".join(line.text for line in lines) == text.rstrip("\n")
    of = {line.text.strip(): line for line in lines if line.function == "backward"}
    first, second = (item.id for item in items if item.label == "x @ W")
    assert of["d_W1 = x.T @ d_total"].ids == (first,)
    assert of["d_W2 = hidden.T @ d_logits"].ids == (second,)
    assert of["d_total = d_hidden * mask"].ids == (ids["hidden"],)
    assert not of["dtype = x.dtype"].ids and of["d_W1 = x.T @ d_total"].backward
    forward = {line.text.strip(): line for line in lines if line.function == "forward"}
    assert not forward["mask = total > 0"].ids
    assert set(forward["total = x @ W1 + b1"].ids) == {ids["hidden"], ids["x @ W + b"], first}


# ── Steps ───────────────────────────────────────────────────────────────────


def unseen(opened: Any, sort: str) -> int:
    return int(opened.locator(f"#picture .{sort}.unseen").count())


def test_steps_reveal_values_and_then_gradients(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    values = opened.locator("#picture .value").count()
    gradients = opened.locator("#picture .gradient").count()
    assert values == gradients == 12 and unseen(opened, "value") == 0
    opened.keyboard.press("Home")
    assert (unseen(opened, "value"), unseen(opened, "gradient")) == (values, gradients)
    for step in range(1, 25):
        opened.keyboard.press("ArrowRight")
        assert unseen(opened, "value") == max(0, 12 - step)
        assert unseen(opened, "gradient") == min(12, 24 - step)
        assert opened.locator("#count").inner_text() == f"{step} / 24"
        if step == 6:
            assert said(opened) == "Forward: s = sin(a) = 0.84"
        if step == 13:
            assert said(opened) == "Backward: 1.00 arrives at f, where it begins"
        if step == 15:
            assert said(opened) == "Backward: -0.09 arrives at d, from e"
            assert set(lit(opened, "graph")) == {"n9", "n9 n10"}
    opened.keyboard.press("ArrowLeft")
    assert unseen(opened, "gradient") == 1
    opened.locator("#slider").fill("5")
    assert unseen(opened, "value") == 7
    opened.get_by_role("button", name="Last step").click()
    assert unseen(opened, "value") == unseen(opened, "gradient") == 0
    opened.get_by_role("button", name="First step").click()
    opened.get_by_role("button", name="Play").click()
    opened.get_by_text("2 / 24", exact=True).wait_for()
    opened.get_by_role("button", name="Pause").click()


# ── Inputs ──────────────────────────────────────────────────────────────────

WRITTEN = """() => [...document.querySelectorAll(
    '.amount, #picture .value, #picture .gradient, #picture title')].map(e => e.innerHTML)"""


@pytest.mark.parametrize("name", [
    "homework/problem1", "homework/problem2", "network:random", "sequences/lstm:random", "arrays/attention:random",
    "statistics/gaussian_mixture:random", "physics/nbody:two", "rosenbrock", "logistic_regression:certain",
])  # fmt: skip
def test_given_inputs_give_what_the_compiler_has_written(name: str, shown: Open) -> None:
    file, _, example = name.partition(":")
    opened = shown(html(EXAMPLES / f"{file}.grad", example or None))
    before = opened.evaluate(WRITTEN)
    opened.locator("fieldset input").first.dispatch_event("input")
    assert opened.locator("body.changed").count() == 1
    assert opened.evaluate(WRITTEN) == before


def wires(opened: Any) -> dict[str, tuple[str, str]]:
    """Value and gradient by the source of a wire."""
    found: list[tuple[str, str, str]] = opened.eval_on_selector_all("#picture .edge", """all => all.map(e => [
        e.dataset.edge.split(' ')[0], ...['.value', '.gradient'].map(
            sort => [...e.querySelectorAll(sort)].map(t => t.textContent).join(' '))])""")  # fmt: skip
    return {source: (value, gradient) for source, value, gradient in found if value}


def row(value: Any) -> str:
    """As the picture has it."""

    def text(x: float) -> str:
        return f"{x:.3g}" if x else "0"

    if np.ndim(value) == 0:
        return text(float(value))
    return " ".join(f"[{' '.join(map(text, part))}]" for part in np.atleast_2d(value))


def test_changed_inputs_give_what_the_generated_module_has(shown: Open) -> None:
    spec = driver.checked(driver.read(EXAMPLES / "homework" / "problem2.grad"))
    module = load(driver.compiled(spec))
    opened = shown(html(EXAMPLES / "homework" / "problem2.grad", "exact"))
    x, W = np.ones(3), np.ones((3, 3))
    for label, value in (("x[0]", -0.5), ("W[0, 1]", -2.5), ("W[2, 2]", 1e-3), ("x[2]", 0.125)):
        opened.get_by_label(label, exact=True).fill(str(value))
        place = eval(label[1:])
        (x if label[0] == "x" else W)[tuple(place) if len(place) > 1 else place[0]] = value
    f, gradients = module.value_and_grad(x, W)
    found = wires(opened)
    assert found["n0"] == (row(x), row(gradients.x)) and found["n1"] == (row(W), row(gradients.W))
    assert found["n4"][0] == row(f)
    top = opened.locator('#explanation section[data-node="n4"] .both').inner_text()
    assert f"{f:.4g}" in top.replace("\n", "")
    opened.get_by_role("button", name="Given values").click()
    assert wires(opened)["n0"][0] == "[1 1 1]"


def test_what_is_no_number_changes_nothing(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    cell = opened.get_by_label("x1", exact=True)
    before = opened.evaluate(WRITTEN)
    for text in ("", "one", "1e", "0x"):
        cell.fill(text)
        assert cell.get_attribute("aria-invalid") == "true" and opened.evaluate(WRITTEN) == before
        assert "Not a number" in said(opened)
    cell.fill("inf")
    assert cell.get_attribute("aria-invalid") == "false" and wires(opened)["n0"][0] == "inf"
    cell.fill("-2")
    # sin is odd: what is 0.84 becomes -0.91, in parentheses where it is a factor.
    worked = (
        opened.locator('#explanation section[data-node="n6"] .edge').inner_text().replace("\n", "")
    )
    assert "(2×(−0.91))" in worked.replace(" ", "")


def test_inputs_that_cannot_be_changed_say_so(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "gaussian.grad"))
    assert "cannot be changed here" in opened.locator("#inputs").inner_text()
    assert opened.locator("#inputs input").count() == 0
    opened.keyboard.press("Home")
    assert said(opened) == "Nothing is computed yet."


def test_a_specification_without_an_example_has_types(shown: Open) -> None:
    spec = driver.checked(Source("input x: float[n]\noutput f = sum(x^2)\n", "plain.grad"))
    opened = shown(page(parts_of(spec, None)))
    assert "float[n]" in opened.locator("#picture").inner_text()
    assert "no example" in opened.locator("#explanation").inner_text()


# ── Groups ──────────────────────────────────────────────────────────────────


def test_groups_fold(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "sequences" / "lstm.grad", "random"))
    boxes = opened.locator("#picture .node").count()
    opened.locator('[data-input="b"] input').first.fill("2")
    opened.locator("#picture g.group .heading").click()
    folded = opened.locator("#picture .node.folded")
    assert folded.count() == 1 and opened.locator("#picture .node").count() < boxes - 10
    assert "n8.n12" in folded.get_attribute("data-node")
    v = wires(opened)["n5"]
    opened.locator('#source [data-node="n8.n12"]').first.hover()
    assert "lit" in folded.get_attribute("class")
    folded.click()
    assert opened.locator("#picture .node").count() == boxes and wires(opened)["n5"] == v
    opened.locator("#fold").click()
    assert opened.locator("#picture .node.folded").count() == 1
    opened.locator("#graph .scroll").focus()
    opened.keyboard.press("Escape")
    opened.mouse.move(1, 1)
    while not opened.locator("#picture .node.folded.lit").count():
        opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Enter")
    assert opened.locator("#picture .node").count() == boxes


# ── Safety, width, access ───────────────────────────────────────────────────

HOSTILE = """## </title></script><script>window.hacked = 1</script><img src=x onerror="hacked = 1"> & "quoted" \u2028
input x: float  # </pre></script><script>window.hacked = 1</script>
## <b>bold</b>
output f = x^2  # --> ]]> &amp; \ue0000:9:\ue001
example e { given x = 3 }
"""


def test_nothing_of_a_specification_breaks_out(shown: Open, tmp_path: Path) -> None:
    path = tmp_path / "x' onload='hacked = 1.grad"
    path.write_text(HOSTILE, encoding="utf-8")
    opened = shown(html(path))
    assert opened.evaluate("window.hacked") is None
    assert opened.locator("h1").inner_text().startswith("</title></script><script>")
    assert "</pre></script>" in opened.locator("#source").inner_text()
    assert opened.locator("img, iframe, b, a").count() == 0


def test_json_in_an_element_holds_no_markup() -> None:
    text = json_text({"a": "</script><!--&\u2028\u2029"})
    assert not set(text) & set("<>&\u2028\u2029")


def test_no_script_but_the_page_s_own_runs(started: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html(EXAMPLES / "homework" / "problem1.grad"), encoding="utf-8")
    opened = started.new_page()
    opened.goto(file.as_uri())
    opened.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
    }""")
    assert opened.evaluate("window.hacked") is None
    opened.close()


@pytest.mark.parametrize("width", [320, 600, 999, 1000, 1400])
def test_nothing_is_wider_than_the_window(width: int, shown: Open) -> None:
    for name in ("homework/problem2.grad", "gradbench/ba.grad", "sequences/lstm.grad"):
        opened = shown(html(EXAMPLES / name), width)
        tabs = opened.locator('[role="tab"]')
        for place in range(tabs.count() if width < 1000 else 1):
            if width < 1000:
                tabs.nth(place).click()
                assert opened.locator(".panel:visible").count() == 1
            assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if width >= 1000:
            assert opened.locator(".panel:visible").count() == 5 and not tabs.first.is_visible()


def test_controls_have_names_and_an_order(shown: Open) -> None:
    opened = shown(html(EXAMPLES / "homework" / "problem1.grad"))
    names = []
    for _ in range(14):
        opened.keyboard.press("Tab")
        names.append(
            opened.evaluate("""() => {
            const e = document.activeElement;
            return e.getAttribute("aria-label") ?? e.textContent;
        }""")
        )
    assert names[:6] == ["First step", "Step back", "Play", "Next step", "Last step", "Step"]
    assert names[6] == "Fit" and names[7].startswith("Graph") and names[8].startswith("Inputs")
    assert names[9:13] == ["x1", "w1", "x2", "w2"] and names[13] == "Given values"
    assert opened.locator('#said[role="status"][aria-live="polite"]').count() == 1
    assert opened.locator("h1").count() == 1 and opened.locator("html[lang]").count() == 1
    for element in opened.locator("button, input, section.panel, svg[role]").all():
        label = element.get_attribute("aria-label") or element.get_attribute("aria-labelledby")
        assert label or element.inner_text().strip(), element.evaluate("e => e.outerHTML")


CONTRAST = """() => {
    const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
            if (a === 1) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const e of document.querySelectorAll("p, pre, span, button, small, legend, h1, h2, h3, summary, input")) {
        const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!text || !e.getClientRects().length) continue;
        const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.outerHTML.slice(0, 80));
    }
    return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_legible(scheme: str, shown: Open) -> None:
    opened = shown(html(EXAMPLES / "network.grad"), color_scheme=scheme)
    assert opened.evaluate(CONTRAST) == []
    opened.locator('#explanation section[data-node="n8"] h3').click()
    assert opened.evaluate(CONTRAST) == []
