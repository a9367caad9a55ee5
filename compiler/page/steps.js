// Step by step: values in the order in which they are computed, then gradients arriving backward.
"use strict";

const steps = [
  { ids: [] },
  ...data.forward.map((id) => ({ ids: [id], backward: false })),
  ...data.backward.map((id) => ({ ids: [id], backward: true })),
];
const end = steps.length - 1;
const valueAt = new Map(data.forward.map((id, place) => [id, place + 1]));
const gradientAt = new Map(data.backward.map((id, i) => [id, data.forward.length + 1 + i]));
let position = end;
let timer = null;

const INTRODUCTION =
  "Values stand above the lines, gradients below. Go step by step with ← and →, or choose a value.";

const later = (table, id) => (table.get(id) ?? 0) > position;

// Hides what has not been computed yet.
function veil() {
  for (const edge of all("#picture [data-edge]")) {
    const [id] = edge.dataset.edge.split(" ");
    for (const text of all(".value", edge)) text.classList.toggle("unseen", later(valueAt, id));
    for (const text of all(".gradient", edge))
      text.classList.toggle("unseen", later(gradientAt, id));
  }
  for (const entry of all("#explanation section.node")) {
    const [id] = idsOf(entry);
    for (const value of all(":scope > .both > .value", entry))
      value.classList.toggle("unseen", later(valueAt, id));
    for (const part of all(":scope > .both > .gradient, :scope > .edge, :scope > .note", entry))
      part.classList.toggle("unseen", later(gradientAt, id));
  }
}

function sentence() {
  const { ids, backward } = steps[position];
  if (!ids.length) return "Nothing is computed yet.";
  const { label, formula, value, gradient } = data.items[ids[0]];
  if (!backward) {
    const input = data.items[ids[0]].operands.length === 0 && formula === label;
    return `Forward: ${formula}${input ? " is given as" : " ="} ${value}`;
  }
  const users = data.backward.filter((id) => data.items[id].operands.includes(ids[0]));
  const from = users.map((id) => data.items[id].label).join(", ");
  const source = from ? `from ${from}` : "where it begins";
  return `Backward: ${gradient} arrives at ${label}, ${source}`;
}

function go(place, silent = false) {
  position = Math.max(0, Math.min(end, place));
  lights.step = silent ? null : steps[position];
  if (!silent) lights.chosen = null;
  byId("slider").value = String(position);
  byId("slider").setAttribute("aria-valuetext", `step ${position} of ${end}`);
  byId("count").textContent = `${position} / ${end}`;
  for (const [id, limit] of [["first", 0], ["back", 0], ["next", end], ["last", end]])
    byId(id).setAttribute("aria-disabled", String(position === limit));
  veil();
  light(!silent);
  say(silent ? INTRODUCTION : sentence());
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (position < end ? go(position + 1) : play(false)), 1100) : null;
  byId("play").textContent = on ? "Pause" : "Play";
}

const moves = {
  first: () => go(0),
  back: () => go(position - 1),
  next: () => go(position + 1),
  last: () => go(end),
};
for (const [id, move] of Object.entries(moves))
  byId(id).addEventListener("click", () => {
    play(false);
    move();
  });
byId("play").addEventListener("click", () => {
  if (!timer && position === end) go(0);
  play(!timer);
});
byId("slider").max = String(end);
byId("slider").addEventListener("input", () => {
  play(false);
  go(Number(byId("slider").value));
});

const KEYS = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" };
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest?.('input, [role="tab"]');
  if (busy || event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS)) return;
  event.preventDefault();
  play(false);
  moves[KEYS[event.key]]();
});
