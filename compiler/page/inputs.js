// Inputs that can be changed: everything is computed again, here.
"use strict";

const program = data.program;
let numbers = null;

const cells = (name) =>
  all("fieldset[data-input]").filter((f) => f.dataset.input === name)
    .flatMap((field) => all("input", field));
const WORDS = { inf: Infinity, "-inf": -Infinity, nan: NaN };

function read(cell, kind) {
  if (cell.type === "checkbox") return Number(cell.checked);
  const shown = cell.value.trim().replace("−", "-");
  const text = shown === cell.defaultValue ? (cell.dataset.exact ?? shown) : shown;
  const value = text in WORDS ? WORDS[text] : text === "" ? undefined : Number(text);
  const wrong = value === undefined || (Number.isNaN(value) && text !== "nan")
    || (kind === "int" && !Number.isInteger(value));
  cell.setAttribute("aria-invalid", String(wrong));
  return wrong ? undefined : value;
}

// All inputs one after the other, or nothing where a cell holds no number.
function given() {
  const found = [];
  for (const [name, { kind, entries }] of Object.entries(program.inputs)) {
    const own = cells(name);
    const values = own.length ? own.map((cell) => read(cell, kind)) : data.given[name].map(Number);
    entries.forEach((place, i) => (found[program.operations[place][1]] = values[i]));
  }
  return found.includes(undefined) ? null : found;
}

// What the program has under a key: numbers, shape and kind.
function quantity(key) {
  const place = numbers && program.shown[key];
  return place && { ...place, numbers: place.entries.map((entry) => numbers[entry]) };
}

function recompute() {
  const inputs = given();
  if (!inputs) {
    say("Not a number: what is shown is from before.");
    return;
  }
  numbers = Numbers.evaluate(program.operations, inputs);
  document.body.classList.add("changed");
  refresh();
  if (lights.chosen) say(describe(lights.chosen));
  else if (lights.step) say(sentence());
}

// Writes all numbers again, those of a picture that has just been drawn among them.
function refresh() {
  if (numbers) {
    for (const id of Object.keys(data.items)) {
      data.items[id].value = written(`value ${id}`) ?? data.items[id].value;
      data.items[id].gradient = written(`gradient ${id}`) ?? data.items[id].gradient;
    }
    for (const element of all(".amount")) {
      const found = quantity(`number ${element.dataset.number}`);
      if (found) {
        const math = Format.math(found, data.digits, "turned" in element.dataset);
        element.innerHTML = grouped(element, math, !found.shape.length && found.numbers[0] < 0);
      }
    }
    all("#picture .edge").forEach(rewrite);
    for (const title of all("#picture .node > title")) {
      const [formula, ...others] = title.textContent.split("\n");
      const [id] = title.parentNode.dataset.node.split(" ");
      if (others.length) title.textContent = [formula, `value: ${data.items[id].value}`,
        ...(data.items[id].gradient ? [`gradient: ${data.items[id].gradient}`] : [])].join("\n");
    }
  }
  veil();
}

function written(key) {
  const found = quantity(key);
  return found && (Format.lines(found, data.digits)?.join(" ") ?? undefined);
}

// A negative number in parentheses, where the given one was not negative and so needed none.
function grouped(element, math, negative) {
  element.dataset.first ??= element.textContent;
  const beside = [element.previousElementSibling, element.nextElementSibling];
  const alone = beside.every((e) => !e || "=()".includes(e.textContent));
  const raised = element.closest("msup")?.firstElementChild.contains(element);
  const bare = !negative || element.dataset.first.startsWith("−") || (alone && !raised);
  return bare ? math : `<mo stretchy="false">(</mo>${math}<mo stretchy="false">)</mo>`;
}

// The texts of one wire: a value and its gradient, or what one use alone sends back.
function rewrite(wire) {
  const [source, goal] = wire.dataset.edge.split(" ");
  const values = all(".value", wire);
  put(values, quantity(`value ${source}`));
  const whole = !goal || values.length;
  put(all(".gradient", wire), whole ? quantity(`gradient ${source}`) : sent(wire, source, goal));
}

function put(texts, found) {
  const lines = found && Format.lines(found, data.digits);
  if (lines && lines.length === texts.length)
    texts.forEach((text, i) => (text.textContent = lines[i]));
}

// What goes back along a wire from a use, or from all uses in a box that is folded.
function sent(wire, source, goal) {
  const folded = all("#picture .node.folded").find((box) => idsOf(box).includes(goal));
  const goals = folded ? idsOf(folded) : [goal];
  const uses = data.edges.flatMap(([from, to], i) =>
    from === source && goals.includes(to) ? [quantity(`edge ${i}`)] : []);
  if (!folded) {
    const alike = all("#picture .edge").filter((e) => e.dataset.edge === wire.dataset.edge);
    return uses[alike.indexOf(wire)];
  }
  const known = uses.filter(Boolean);
  if (!known.length) return undefined;
  const sum = known[0].numbers.map((_, i) => known.reduce((total, u) => total + u.numbers[i], 0));
  return { ...known[0], numbers: sum };
}

if (program) {
  for (const field of all("fieldset[data-input]"))
    field.addEventListener("input", recompute);
  const first = all("fieldset[data-input] input").map((cell) => [cell, cell.value, cell.checked]);
  byId("reset").addEventListener("click", () => {
    for (const [cell, value, checked] of first) Object.assign(cell, { value, checked });
    recompute();
  });
}

reindex();
lights.ready = true;
open("graph");
fit();
go(end, true);
