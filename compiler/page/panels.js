// Panels that light up together: whatever is about one value is lit in all of them.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const PANELS = ["graph", "inputs", "source", "code", "explanation"];

const lights = { hovered: null, chosen: null, step: null };
let index = new Map();

const idsOf = ({ dataset }) =>
  `${dataset.node ?? dataset.edge.split(" ")[0]} ${dataset.also ?? ""}`.trim().split(" ");

// The elements that belong to each item; made again when the picture changes.
function reindex() {
  index = new Map();
  for (const element of all("main [data-node], main [data-edge]"))
    for (const id of idsOf(element)) index.set(id, [...(index.get(id) ?? []), element]);
}

// Lights what is pointed at, else what is chosen, else what the step is about.
function light(scroll) {
  const ids = lights.hovered ?? lights.chosen ?? lights.step?.ids ?? [];
  for (const element of all(".lit")) element.classList.remove("lit");
  const lit = ids.flatMap((id) => index.get(id) ?? []);
  for (const element of lit) element.classList.add("lit");
  if (scroll) for (const name of PANELS) reveal(name, lit);
}

// Scrolls a panel, and nothing else, to the first of its lit pieces.
function reveal(name, lit) {
  const panel = byId(name).querySelector(".scroll");
  const inside = lit.filter((element) => panel.contains(element));
  const backward = lights.step?.backward && !lights.chosen;
  const best = inside.find((e) => backward && e.classList.contains("backward")) ?? inside[0];
  if (!best) return;
  const [box, view] = [best.getBoundingClientRect(), panel.getBoundingClientRect()];
  if (box.top < view.top || box.bottom > view.bottom)
    panel.scrollTop += box.top - view.top - Math.max(0, (view.height - box.height) / 3);
  if (box.left < view.left || box.right > view.right)
    panel.scrollLeft += box.left - view.left - Math.max(0, (view.width - box.width) / 3);
}

function describe(ids) {
  return ids
    .filter((id) => data.items[id])
    .map((id) => {
      const { formula, value, gradient } = data.items[id];
      const parts = [value && `value ${value}`, gradient && `gradient ${gradient}`];
      return `${formula}: ${parts.filter(Boolean).join(", ")}`;
    })
    .join("; ");
}

// Chooses items, or nothing where they are chosen already.
function choose(ids) {
  const same = lights.chosen && ids && lights.chosen.join() === ids.join();
  lights.chosen = same ? null : ids;
  light(true);
  say(lights.chosen ? describe(lights.chosen) : "");
}

const say = (text) => (byId("said").textContent = text);

// ── Pointer and keys ──────────────────────────────────────────────────────

const target = (event) => event.target.closest?.("main [data-node], main [data-edge]");

document.addEventListener("pointerover", (event) => {
  const found = target(event);
  lights.hovered = found ? idsOf(found) : null;
  light(false);
});
document.documentElement.addEventListener("pointerleave", () => {
  lights.hovered = null;
  light(false);
});
document.addEventListener("click", (event) => {
  const group = event.target.closest?.("#picture [data-group]");
  if (group) {
    toggle(group.dataset.group);
    return;
  }
  const found = target(event);
  if (found && !event.target.closest("input, button, a, summary")) choose(idsOf(found));
});

// Up and down go from one value of a panel to the next.
for (const name of PANELS) {
  const panel = byId(name).querySelector(".scroll");
  panel.tabIndex = 0;
  panel.setAttribute("role", "group");
  const title = byId(`title-${name}`).textContent;
  panel.setAttribute("aria-label", `${title}: up and down go from value to value`);
  panel.addEventListener("keydown", (event) => {
    if (event.target !== panel) return;
    if (event.key === "Escape") choose(null);
    if (event.key === "Enter" && name === "graph") {
      const group = panel.querySelector(".node.folded.lit")?.dataset.group ?? around();
      if (group !== undefined) toggle(group);
    }
    if (event.shiftKey && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      panel.scrollLeft += event.key === "ArrowLeft" ? -80 : 80;
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const stops = all("[data-node]", panel).filter((e) => e.getClientRects().length);
    const keys = stops.map((e) => idsOf(e).join());
    const order = [...new Set(name === "graph" ? inOrder(keys) : keys)];
    const at = order.indexOf(lights.chosen?.join());
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : at + by];
    if (next !== undefined && next !== lights.chosen?.join()) choose(next.split(","));
  });
}

// In the order of computation.
function inOrder(keys) {
  const at = new Map(Object.keys(data.items).map((id, place) => [id, place]));
  const place = (key) => at.get(key.split(",")[0]) ?? -1;
  return [...keys].sort((a, b) => place(a) - place(b));
}

// The group of the picture that what is chosen stands in.
function around() {
  const boxes = all("#picture .node.lit").map((e) => e.getBoundingClientRect());
  const inside = all("#picture g.group").filter((group) => {
    const frame = group.getBoundingClientRect();
    return boxes.some((b) => frame.left <= b.left && b.right <= frame.right
      && frame.top <= b.top && b.bottom <= frame.bottom);
  });
  return inside.at(-1)?.dataset.group;
}

// ── Groups of the picture ─────────────────────────────────────────────────

const templates = new Map(all("template.picture").map((t) => [t.dataset.folded, t]));
const paths = new Map(data.groups.map((path) => [path.join("/"), path]));
let folded = new Set(data.folded);

const within = (inner, outer) =>
  inner.length > outer.length && outer.every((part, i) => inner[i] === part);

// The name of the picture in which these groups are folded: inner ones do not count.
const nameOf = (ids) =>
  [...ids]
    .filter((id) => ![...ids].some((other) => within(paths.get(id), paths.get(other))))
    .sort()
    .join("\n");

// Folds or unfolds a group, with all others where there is no picture of it alone.
function toggle(id) {
  const wanted = new Set(folded);
  if (!wanted.delete(id)) wanted.add(id);
  const others = [...paths.keys()].filter((other) => !within(paths.get(id), paths.get(other)));
  const alone = wanted.has(id) ? new Set([id]) : new Set(others.filter((other) => other !== id));
  const ends = wanted.has(id) ? new Set(paths.keys()) : new Set();
  draw([wanted, alone, ends].find((ids) => templates.has(nameOf(ids))));
}

function draw(ids) {
  const template = templates.get(nameOf(ids));
  if (!template) return;
  folded = ids;
  byId("picture").replaceChildren(template.content.cloneNode(true));
  reindex();
  pictureChanged();
  light(false);
}

// What has to be done to a picture that has just been drawn.
function pictureChanged() {
  fit();
  byId("fold").textContent = folded.size ? "Unfold groups" : "Fold groups";
  if (typeof refresh === "function" && lights.ready) refresh();
}

byId("fold").classList.toggle("hidden", !templates.size);
byId("fold").addEventListener("click", () => draw(folded.size ? new Set() : new Set(paths.keys())));

// Small pictures fit the panel; of large ones a part is seen in full size.
let fits = null;

function fit() {
  const svg = byId("picture").querySelector("svg");
  const room = byId("graph").querySelector(".scroll").clientWidth;
  const fitting = fits ?? (!room || Number(svg.getAttribute("width")) < 1.7 * room);
  svg.classList.toggle("fits", fitting);
  byId("fit").setAttribute("aria-pressed", String(fitting));
}

byId("fit").addEventListener("click", () => {
  fits = byId("fit").getAttribute("aria-pressed") !== "true";
  fit();
});

// ── Tabs, where there is room for one panel ───────────────────────────────

const tabs = all('[role="tab"]');

function open(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of PANELS) byId(panel).classList.toggle("chosen", panel === name);
  if (name === "graph") fit();
  light(true);
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(PANELS[place]));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (place + by + tabs.length) % tabs.length;
    open(PANELS[next]);
    tabs[next].focus();
  });
}
