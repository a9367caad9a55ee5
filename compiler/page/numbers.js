// The operations of the table on single numbers, and a list of them evaluated. The results are
// those of NumPy, infinities, nan and signed zeros included; truth values are 0 and 1.
"use strict";

const Numbers = (() => {
  const { abs, exp, expm1, log, log1p, sqrt, sin, cos, tan, floor, trunc, round, PI } = Math;
  const { isNaN, isFinite } = Number;
  const maximum = (a, b) => (a >= b || isNaN(a) ? a : b);
  const minimum = (a, b) => (a <= b || isNaN(a) ? a : b);

  // a % b with the sign of b, as Python has it.
  function remainder(a, b) {
    const rest = a % b;
    if (rest) return b < 0 !== rest < 0 ? rest + b : rest;
    return isNaN(rest) ? rest : (b < 0 || Object.is(b, -0) ? -0 : 0);
  }

  function floorDivide(a, b) {
    if (b === 0) return a / b;
    if (!isFinite(a)) return NaN;
    const rest = a % b;
    let quotient = (a - rest) / b;
    if (rest && b < 0 !== rest < 0) quotient -= 1;
    if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
    const down = floor(quotient);
    return quotient - down > 0.5 ? down + 1 : down;
  }

  // C's pow: 1 to any power is 1, and so is -1 to an infinite one.
  function power(a, b) {
    if (a === 1 || (a === -1 && abs(b) === Infinity)) return 1;
    return a ** b;
  }

  function sigmoid(x) {
    if (x >= 0) return 1 / (1 + exp(-x));
    const e = exp(x);
    return e / (1 + e);
  }

  function logaddexp(a, b) {
    if (a === b) return a + Math.LN2;
    return maximum(a, b) + log1p(exp(-abs(a - b)));
  }

  // Halves to the even neighbour.
  const rint = (x) => (abs(x % 1) === 0.5 ? 2 * round(x / 2) : round(x));

  // Half away from zero, decided on the decimal of 15 significant digits.
  function roundOnPaper(x, digits) {
    if (!(abs(x) < 1e15)) return x;
    const [mantissa, exponent] = abs(x).toExponential(14).split("e");
    const whole = BigInt(mantissa.replace(".", ""));
    const shift = digits + Number(exponent) - 14;
    const unit = 10n ** BigInt(abs(shift));
    const rounded = shift < 0 ? (whole + unit / 2n) / unit : whole * unit;
    const result = Number(`${rounded}e-${digits}`);
    return x < 0 || Object.is(x, -0) ? -result : result;
  }

  function factorial(n) {
    let result = 1;
    for (let i = 2; i <= n; i++) result *= i;
    return result;
  }

  // A series of positive terms near 0; further out 1 less the continued fraction of the rest.
  function erf(x) {
    if (isNaN(x) || x === 0) return x;
    if (abs(x) > 2) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
    let term = x;
    let total = x;
    for (let n = 1; abs(term) > abs(total) * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      total += term;
    }
    return (2 / sqrt(PI)) * exp(-x * x) * total;
  }

  function erfc(x) {
    if (isNaN(x)) return x;
    if (x <= 2) return 1 - erf(x);
    if (x > 30) return 0;
    let tail = 0;
    for (let n = 120; n > 0; n--) tail = n / 2 / (x + tail);
    return exp(-x * x) / sqrt(PI) / (x + tail);
  }

  // Stirling's series, once the argument is large enough.
  function lgamma(x) {
    if (isNaN(x)) return x;
    if (!isFinite(x) || (x <= 0 && floor(x) === x)) return Infinity;
    if (x < 0.5) return log(PI / abs(sin(PI * (x - rint(x))))) - lgamma(1 - x);
    let z = x;
    let product = 1;
    for (; z < 15; z++) product *= z;
    const t = 1 / (z * z);
    const series = 1 / 12 - t * (1 / 360 - t * (1 / 1260 - t * (1 / 1680 - t / 1188)));
    return (z - 0.5) * log(z) - z + log(2 * PI) / 2 + series / z - log(product);
  }

  const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6];

  // The derivatives of digamma, as the kernel of generated modules has them.
  function polygamma(x, order) {
    const odd = order % 2;
    if (x === 0) return odd ? Infinity : Object.is(x, -0) ? Infinity : -Infinity;
    let z = x < 0 ? 1 - x : x;
    let total = 0;
    for (; z < 10 + 2 * order; z++) total += (1 / z) ** (order + 1);
    total *= factorial(order);
    const t = 1 / z;
    total += (factorial(order) / 2) * t ** (order + 1);
    total += order ? factorial(order - 1) * t ** order : -log(z);
    let rest = t ** order;
    BERNOULLI.forEach((number, j) => {
      rest *= t * t;
      const ratio = factorial(2 * j + 1 + order) / factorial(2 * j + 2);
      total += number * ratio * rest;
    });
    if (!(x < 0)) return odd ? total : -total;
    const part = isFinite(x) ? x - rint(x) : NaN;
    if (part === 0) return odd ? Infinity : NaN;
    let slope = [0, 1];
    for (let n = 0; n < order; n++) {
      const terms = slope.map((a, k) => k * a).slice(1);
      slope = [...terms, 0, 0].map((a, i) => -a - (i < 2 ? 0 : terms[i - 2]));
    }
    const cotangent = 1 / tan(PI * part);
    const reflected = slope.reduceRight((sum, a) => sum * cotangent + a, 0);
    return -total - PI ** (order + 1) * reflected;
  }

  function sinc(x) {
    const z = PI * x;
    if (z === 0) return 1;
    return sin(z) / z;
  }

  function sincDerivative(x, order) {
    const z = PI * x;
    if (abs(z) < 1 + order / 3) {
      let series = 0;
      for (let m = 20 + 2 * order + (order % 2); m >= 0; m -= 2)
        series = 1 / (m + order + 1) - ((z * z) / ((m + 1) * (m + 2))) * series;
      const sign = floor((order + 1) / 2) % 2 ? -1 : 1;
      return PI ** order * (sign * z ** (order % 2) * series);
    }
    if (!isFinite(x)) return NaN;
    const half = x / 2;
    const turn = 2 * PI * (half - rint(half));
    const waves = [sin(turn), cos(turn), -sin(turn), -cos(turn)];
    let result = waves[0] / z;
    for (let n = 1; n <= order; n++) result = (waves[n % 4] - n * result) / z;
    return PI ** order * result;
  }

  const same = (x) => x;
  const OPERATIONS = {
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
    floor_divide: floorDivide,
    remainder: (a, b) => (isFinite(a) ? remainder(a, b) : NaN),
    negative: (x) => -x,
    power,
    int_power: power,
    square: (x) => x * x,
    exp,
    expm1,
    log,
    log1p,
    sqrt,
    logaddexp,
    hypot: Math.hypot,
    xlogy: (a, b) => (a === 0 && !isNaN(b) ? 0 : a * log(b)),
    sin,
    cos,
    tan,
    arcsin: Math.asin,
    arccos: Math.acos,
    arctan: Math.atan,
    sinh: Math.sinh,
    cosh: Math.cosh,
    tanh: Math.tanh,
    sigmoid,
    relu: (x) => maximum(x, 0),
    softplus: (x) => maximum(x, 0) + log1p(exp(-abs(x))),
    abs,
    sign: (x) => (isNaN(x) ? x : +(x > 0) - +(x < 0)),
    maximum,
    minimum,
    clip: (x, low, high) => minimum(maximum(x, low), high),
    where: (condition, a, b) => (condition ? a : b),
    less: (a, b) => +(a < b),
    less_equal: (a, b) => +(a <= b),
    greater: (a, b) => +(a > b),
    greater_equal: (a, b) => +(a >= b),
    equal: (a, b) => +(a === b),
    not_equal: (a, b) => +(a !== b),
    logical_and: (a, b) => a & b,
    logical_or: (a, b) => a | b,
    logical_not: (x) => +!x,
    as_float: same,
    as_int: (x) => x + 0,
    detach: same,
    alias: same,
    round_on_paper: roundOnPaper,
    given_on_paper: same,
    cbrt: Math.cbrt,
    exp2: (x) => 2 ** x,
    log2: Math.log2,
    log10: Math.log10,
    reciprocal: (x) => 1 / x,
    arcsinh: Math.asinh,
    arccosh: Math.acosh,
    arctanh: Math.atanh,
    arctan2: Math.atan2,
    floor,
    ceil: Math.ceil,
    trunc,
    round: rint,
    sinc,
    sinc_derivative: sincDerivative,
    erf,
    erfc,
    lgamma,
    digamma: (x) => polygamma(x, 0),
    polygamma,
    isfinite: (x) => +isFinite(x),
    isnan: (x) => +isNaN(x),
    isinf: (x) => +(abs(x) === Infinity),
  };

  // Every number of a list of operations, for given inputs.
  function evaluate(operations, inputs) {
    const values = new Float64Array(operations.length);
    operations.forEach(([name, ...operands], place) => {
      if (name === "constant") values[place] = Number(operands[0]);
      else if (name === "input") values[place] = inputs[operands[0]];
      else values[place] = OPERATIONS[name](...operands.map((operand) => values[operand]));
    });
    return values;
  }

  return { OPERATIONS, evaluate };
})();
