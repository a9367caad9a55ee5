// How numbers are written, as in the explanation and in the picture of the given values.
"use strict";

const Format = (() => {
  // C's %.4g.
  function general(x, precision) {
    if (x === 0) return "0";
    const [mantissa, power] = x.toExponential(precision - 1).split("e");
    const exponent = Number(power);
    if (exponent >= -4 && exponent < precision)
      return trimmed(x.toFixed(Math.max(0, precision - 1 - exponent)));
    const sign = exponent < 0 ? "-" : "+";
    return `${trimmed(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }

  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const unsigned = (text) => (Number(text) === 0 ? text.replace(/^-/, "") : text);

  // A number in an explanation.
  function scalar(x, kind, digits, short) {
    if (kind === "bool") return x ? "true" : "false";
    if (kind === "int") return String(x);
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "-∞";
    const fixed = digits !== null && Math.abs(x) < 1e7;
    let text = fixed ? x.toFixed(digits) : general(x, 4);
    if (short && fixed) text = trimmed(text);
    return unsigned(text).replace("e+0", "e").replace("e-0", "e-").replace("e+", "e");
  }

  function rowsOf(numbers, shape) {
    const columns = shape.length === 2 ? shape[1] : 1;
    const rows = [];
    for (let i = 0; i < numbers.length; i += columns) rows.push(numbers.slice(i, i + columns));
    return rows;
  }

  // A value in an explanation, as MathML: numbers in brackets, or what is to be said of many.
  function math({ numbers, shape, kind }, digits, turned) {
    if (!shape.length) return mn(scalar(numbers[0], kind, digits, false));
    const columns = shape.length === 2 ? shape[1] : 1;
    const small = shape.length <= 2 && numbers.length > 0 && numbers.length <= 12;
    if (!small || shape[0] > 9 || columns > 6) {
      const said = `<mtext>${summary(numbers, shape, kind, digits)}</mtext>`;
      const inside = `<mrow><mo>[</mo>${said}<mo>]</mo></mrow>`;
      return turned ? transposed(inside) : inside;
    }
    let rows = rowsOf(numbers, shape).map((row) => row.map((x) => scalar(x, kind, digits, true)));
    if (turned) rows = rows[0].map((_, i) => rows.map((row) => row[i]));
    const column = rows[0].length === 1;
    if (column) rows = [rows.map((row) => row[0])];
    const inside = rows
      .map((row) => `<mtr>${row.map((text) => `<mtd>${mn(text)}</mtd>`).join("")}</mtr>`)
      .join("");
    const table = `<mrow><mo>[</mo><mtable>${inside}</mtable><mo>]</mo></mrow>`;
    return column ? transposed(table) : table;
  }

  const mn = (text) => `<mn>${text.replaceAll("-", "−")}</mn>`;
  const transposed = (text) => `<msup><mrow>${text}</mrow><mo>⊤</mo></msup>`;

  function summary(numbers, shape, kind, digits) {
    const sides = shape.join("×");
    if (!numbers.length) return `empty ${sides} array`;
    const count = numbers.length;
    if (kind === "bool")
      return `${sides} array, ${numbers.filter(Boolean).length} of ${count} true`;
    const bad = numbers.filter((x) => !Number.isFinite(x)).length;
    if (bad) return `${sides} array, ${bad} of ${count} not finite`;
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const texts = [low, high].map((x) => scalar(x, kind, digits, true));
    if (low === high) return `${sides} array, all ${texts[0]}`;
    return `${sides} array, between ${texts[0]} and ${texts[1]}`;
  }

  // A value in the picture: a line for each row, or nothing where its shape is shown instead.
  function lines({ numbers, shape, kind }, digits) {
    const columns = shape.length ? shape[shape.length - 1] : 1;
    const rows = shape.length === 2 ? shape[0] : 1;
    if (shape.length > 2 || rows > 3 || columns < 1 || columns > 4) return null;
    const text = (x) => {
      if (kind === "bool") return x ? "true" : "false";
      if (kind === "int") return String(x);
      if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
      return unsigned(digits === null ? general(x, 3) : x.toFixed(digits));
    };
    if (!shape.length) return [text(numbers[0])];
    const texts = shape.length === 1 ? [numbers] : rowsOf(numbers, shape);
    return texts.map((row) => `[${row.map(text).join(" ")}]`);
  }

  return { math, lines };
})();
