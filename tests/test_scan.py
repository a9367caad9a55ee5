"""Scans, spec by spec, against the interpreter that goes step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradc.compiler.compilation import Options
from gradc.compiler.evaluate import evaluate
from gradc.compiler.explanation.build import explain
from gradc.compiler.explanation.text import text
from gradc.compiler.given import from_words
from gradc.compiler.trace import trace

from .helpers import checked, fields, module
from .judged import Case, cases, judge_directions, judge_gradients, judge_values, keywords, same

LSTM = """
input W: float[4*H, D] input U: float[4*H, H] input b: float[4*H] input x: float[T, D]
scan t in 0..T {
  state h = zeros(H)
  state c = zeros(H)
  node z = W @ x[t] + U @ h + b
  next c = sigmoid(z[H:2*H]) * c + sigmoid(z[0:H]) * tanh(z[2*H:3*H])
  next h = sigmoid(z[3*H:4*H]) * tanh(next c)
  emit hs = next h
}
output y = hs output last = c
"""
KINEMATICS = """
data parent: int[B] input angle: float[B] input offset: float[B, 2]
scan b in 0..B {
  node c = cos(angle[b])
  node s = sin(angle[b])
  node own = [[c, -s, offset[b, 0]], [s, c, offset[b, 1]], [0, 0, 1]]
  emit pose: float[3, 3] = if b == 0 then own else pose[parent[b]] @ own
}
output tips[b] = pose[b, 0:2, 2]
"""
STATES: list[Any] = [
    ("cumulative sum", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t] emit ss = next s } output y = ss * ss", "T=4", "T=1", "T=0"),
    ("cumulative sum before", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t]^2 emit ss = s } output y = ss output z = s", "T=4"),
    ("cumulative product", "input x: float[T] scan t in 0..T { state p = 1 next p = p * x[t] emit ps = next p } output y = ps", "T=4"),
    ("running maximum", "input x: float[T] scan t in 0..T { state m = -inf next m = maximum(m, x[t]) emit ms = next m } output y = ms", "T=4"),
    ("decay", "input x: float[T] input a: float scan t in 0..T { state s = 1 next s = a * s + x[t] } output y = s", "T=4", "T=0"),
    ("affine recurrence", "input A: float[N, N] input b: float[N] input x0: float[N] scan t in 0..T { state x = x0 next x = A @ x + b emit xs = next x } size T output y = xs output z = x", "N=2 T=3", "N=3 T=1"),
    ("powers of a matrix", "input A: float[N, N] scan t in 0..3 { state P = eye(N) next P = P @ A } output y = P", "N=2"),
    ("RNN", "input W: float[H, D] input U: float[H, H] input b: float[H] input x: float[T, D] scan t in 0..T { state h = zeros(H) next h = tanh(W @ x[t] + U @ h + b) emit hs = next h } output y = hs", "H=2 D=3 T=3"),
    ("batch of RNN", "input W: float[D, H] input U: float[H, H] input x: float[T, B, D] scan t in 0..T { state h = zeros(B, H) next h = tanh(x[t] @ W + h @ U) } output y = h", "H=2 D=3 T=3 B=2"),
    ("LSTM", LSTM, "H=2 D=1 T=3"),
    ("GRU", "input W: float[2*H, D+H] input V: float[H, D+H] input x: float[T, D] scan t in 0..T { state h = zeros(H) node g = sigmoid(W @ concat(x[t], h)) node c = tanh(V @ concat(x[t], g[0:H] * h)) next h = (1 - g[H:2*H]) * h + g[H:2*H] * c emit hs = next h } output y = hs[-1] + hs[0]", "H=2 D=1 T=3"),
    ("counter", "input x: float[T] scan t in 0..T { state k = 0 state s = 0.0 next k = k + 1 next s = s + k * x[t] emit ks = next k } output y = s output n = k output ks", "T=4"),
    ("count of the positive", "input x: float[T] scan t in 0..T { state k = 0 next k = if x[t] > 0 then k + 1 else k } output n = k output y = k * sum(x)", "T=5"),
    ("truth", "input x: float[T] scan t in 0..T { state up = false state s = 0.0 next up = x[t] > 0 next s = if up then s + x[t] else s - 2 * x[t] emit was = up } output y = s output b = up output was", "T=5"),
    ("toggle", "input x: float[T] scan t in 0..T { state b = true state s = 0 next b = not b next s = if b then s + x[t] else s * x[t] } output y = s", "T=4"),
    ("range off zero", "input x: float[T] scan t in 1..T { state s = x[0] next s = s * 0.5 + x[t] * x[t-1] emit ss = next s } output y = ss output z = s", "T=4", "T=1"),
    ("range of expressions", "input x: float[T] scan t in 2..T-1 { state s = 0 next s = s + x[t] * x[t-2] * t emit ss = next s * x[t+1] } output y = ss", "T=6", "T=3"),
    ("fixed range", "input a: float scan t in 3..6 { state s = a next s = s^2 / t } output y = s", ""),
    ("no steps", "input x: float[N] scan t in 0..0 { state s = x next s = sin(s) emit ss = s } output y = s output z = ss", "N=2"),
    ("Fibonacci", "input p, q: float scan t in 0..5 { state a = p state b = q next a = b next b = a + b emit s = a } output y = s output z = b", ""),
    ("old and new", "input x: float[T] scan t in 0..T { state a = 1 state b = 0.5 next a = a + x[t] * b next b = b * next a + a emit s = next a * b - next b } output y = s output z = a * b", "T=3"),
    ("leapfrog", "input q0, p0: float scan t in 0..5 { state q = q0 state p = p0 node half = p - 0.05 * sin(q) next q = q + 0.1 * half next p = half - 0.05 * sin(next q) emit e = p^2 / 2 - cos(q) } output y = e output z = q", ""),
    ("swap", "input x: float[N] input z: float[N] scan t in 0..3 { state a = x state b = z next a = b next b = sin(a) } output y = a * b + a", "N=2"),
    ("unused state", "input x: float[T] scan t in 0..T { state s = 0.5 state unused = x next s = s + x[t] next unused = unused * 2 } output y = s", "T=3"),
    ("state that stays", "input x: float[T] input w: float scan t in 0..T { state a = w state s = 0 next a = a next s = s + a * x[t] } output y = s output z = a", "T=3"),
    ("state from a node", "input x: float[T] node m = mean(x) scan t in 0..T { state s = m^2 next s = s + (x[t] - m)^2 } output y = s / T", "T=3"),
    ("matrix as a state", "input A: float[T, N, N] scan t in 0..T { state P = eye(N) next P = (P @ A[t] + P.T) / 2 emit d = P[0, 0] } output y = P output z = d", "T=3 N=2"),
    ("Kalman", "input F: float[N, N] input z: float[T, N] scan t in 0..T { state m = zeros(N) state P = eye(N) node Q = F @ P @ F.T + 0.5 * eye(N) node K = solve(Q + eye(N), Q).T next m = F @ m + K @ (z[t] - F @ m) next P = (eye(N) - K) @ Q emit ms = next m } output y = ms", "T=3 N=2"),
    ("shadowed by use", "input x: float[T] scan t in 0..T { state s = 0 node a = x[t]^2 node b = a * s next s = b + a emit e = b } node c = s * 2 output y = c + sum(e)", "T=3"),
    ("two results in a step", "def f(a) { return sin(a), cos(a) } input x: float[T] scan t in 0..T { state s = 0 node p, q = f(x[t] + s) next s = p * q emit e = p } output y = e output z = s", "T=3"),
    ("a def in a step", "def cell(h, v) = tanh(h * 0.5 + v) input x: float[T] scan t in 0..T { state h = 0 next h = cell(h, x[t]) } output y = h", "T=3"),
    ("Horner", "input c: float[D] input x: float[N] scan k in 0..D { state p = zeros(N) next p = p * x + c[D - 1 - k] } output y = p", "D=4 N=2"),
    ("dimensions of an int literal", "input x: float[N] scan t in 0..3 { state k = 1 next k = 2 * k emit ks = k * x } output y = ks", "N=2"),
    ("weights read elsewhere", "input w: float[N] scan t in 0..3 { state s = w next s = s * w } output y = s * w + sum(w)", "N=2"),
    ("many from outside", "input a, b, c, d: float node e = a * b scan t in 0..3 { state s = c next s = s * e + d * sin(e) } output y = s + e", ""),
]  # fmt: skip

STACKS: list[Any] = [
    ("no state", "input x: float[T] scan t in 0..T { emit y2 = sin(x[t]) * t } output y = y2", "T=4", "T=0"),
    ("several emits", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t] emit a = s * x[t] emit b = [s, next s] } output y = a output z = b", "T=3"),
    ("matrices emitted", "input x: float[T, N] scan t in 0..T { emit m = outer(x[t], x[t]) } output y = sum(m, axis=0) output z = m[-1]", "T=3 N=2"),
    ("ints emitted", "input x: float[T] scan t in 0..T { state k = 3 next k = (k * 5 + 1) % 7 emit ks = k emit b = k > 2 } output y[t] = x[t] * ks[t] output ks output b", "T=4"),
    ("indexed emit", "input A: float[N, N] input x: float[T, N] scan t in 0..T { emit e[i] = sum[j](A[i, j] * x[t, j]) } output y = e", "T=3 N=2"),
    ("indexed node and next", "input A: float[N, N] input x: float[T, N] scan t in 0..T { state h = zeros(N) node z[i] = sum[j](A[i, j] * h[j]) + x[t, i] next h[i] = tanh(z[i]) * (i + 1) emit e[i, j] = h[i] * z[j] } output y = e output f = h", "T=3 N=2"),
    ("forward algorithm", "input P: float[K, K] input o: float[T, K] scan t in 1..T { state a = o[0] next a[j] = o[t, j] + logsumexp[i](a[i] + P[i, j]) } output y = logsumexp(a)", "T=4 K=2"),
    ("Viterbi", "input P: float[K, K] input o: float[T, K] scan t in 1..T { state a = o[0] next a[j] = o[t, j] + max[i](a[i] + P[i, j]) } output y = max(a)", "T=4 K=3"),
    ("heat equation", "input u0: float[N] scan t in 0..4 { state u = u0 next u[i in 0..N] = if i == 0 or i == N - 1 then u[i] else u[i] + 0.2 * (u[i-1] - 2*u[i] + u[i+1]) emit us = u } output y = u output z = us[2]", "N=5", "N=2"),
    ("dynamic programming", "input c: float[M, N] scan i in 0..M { state row = zeros(N) next row[j in 0..N] = c[i, j] + (if j > 0 then maximum(row[j], row[j-1]) else row[j]) } output y = max(row)", "M=3 N=4"),
    ("two back", "input x: float[T] scan t in 0..T { emit hs: float = if t > 1 then 0.5 * hs[t-2] + hs[t-1] * x[t] else x[t]^2 } output y = hs", "T=5", "T=1"),
    ("two back of vectors", "input x: float[T, N] scan t in 0..T { emit hs: float[N] = if t > 1 then tanh(hs[t-2] + x[t]) * hs[t-1] else x[t] } output y = hs", "T=4 N=2"),
    ("entries of two back", "input x: float[T, N] scan t in 0..T { emit hs: float[N] = if t > 0 then hs[t-1, 0] * x[t] + hs[t-1] else x[t] } output y = hs[-1]", "T=4 N=2"),
    ("two back off zero", "input x: float[T] scan t in 2..T { emit hs: float = if t > 3 then 0.5 * hs[t-4] + hs[t-3] * x[t] else x[t]^2 } output y = hs", "T=6"),
    ("half way back", "input x: float[T] scan t in 0..T { emit hs: float = if t > 0 then hs[(t - 1) // 2] * x[t] + hs[0] else x[t] } output y = hs", "T=6"),
    ("read of another", "input x: float[T] scan t in 0..T { state s = 1 next s = s * x[t] emit a: float = s + (if t > 0 then b[t-1] else 0) emit b: float = x[t] * (if t > 0 then a[t-1] else 1) } output y = a output z = b", "T=4"),
    ("parents", KINEMATICS, "B=4"),
    ("tree of scalars", "data parent: int[B] input x: float[B] scan b in 0..B { emit d: float = if b == 0 then x[0] else d[parent[b]] * x[b] + sin(x[b]) } output y = d", "B=5"),
    ("gathers in a step", "input E: float[V, H] data ids: int[T] in 0..V scan t in 0..T { state h = zeros(H) next h = tanh(h + E[ids[t]]) emit hs = next h } output y = hs", "V=3 H=2 T=4"),
    ("a class in a step", "input z: float[T, C] data k: int[T] in 0..C scan t in 0..T { state l = 0 next l = l + z[t, k[t]] - logsumexp(z[t]) } output y = l", "C=3 T=4"),
    ("neighbours", "input x: float[T+1] scan t in 0..T { state s = 0 next s = s + x[t] * x[t+1] } output y = s", "T=3"),
    ("backwards", "input x: float[T] scan t in 0..T { state s = 0 next s = 0.9 * s + x[T-1-t] emit r = next s } output y[t in 0..T] = r[T-1-t]", "T=4"),
    ("part of a row", "input x: float[T, 4] scan t in 0..T { state s = zeros(2) next s = s * x[t, 2:4] + x[t, 1:3] } output y = s", "T=3"),
    ("window of rows", "input x: float[T+1, N] scan t in 0..T { state s = zeros(2, N) next s = 0.5 * s + x[t:t+2]^2 } output y = s", "T=3 N=2"),
    ("column by column", "input x: float[N, T] scan t in 0..T { state s = zeros(N) next s = tanh(s + x[:, t]) emit e = s[0] * x[0, t] } output y = s output z = e", "N=2 T=3"),
    ("stack used by index", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t] emit ss = next s } output y = sum[t](ss[t] * x[t]) output z[t in 1..T] = ss[t] - ss[t-1]^2", "T=4"),
    ("scan after scan", "input x: float[T] scan t in 0..T { state s = 0 next s = tanh(s + x[t]) emit ss = next s } scan t in 0..T { state r = s next r = 0.5 * r + ss[T-1-t] emit rs = r } output y = rs output z = r", "T=3"),
    ("encoder and decoder", "input x: float[T] input w: float scan t in 0..T { state h = 0 next h = tanh(h + w * x[t]) } scan k in 0..3 { state g = h next g = sin(w * g) emit out = next g } output y = out", "T=3"),
    ("sum of a stack", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t] emit ss = s * x[t] } output y = sum(ss) + max(ss) + s", "T=4"),
    ("both ways used", "input x: float[T] scan t in 0..T { state s = 0 next s = sin(s + x[t]) emit ss = next s } output y = ss[-1] + s output z = ss[0:2]", "T=3"),
    ("stack under a function", "input x: float[T, N] scan t in 0..T { emit e = x[t] * t } output y[t] = softmax(e[t])", "T=3 N=2"),
    ("attention over the past", "input x: float[T] scan t in 0..T { emit e: float = x[t] + sum[s](if s < t then e[s] * x[s] else 0) } output y = e", "T=4"),
]  # fmt: skip

NESTED: list[Any] = [
    ("nested", "input A: float[M, N] scan i in 0..M { scan j in 0..N { state s = 0 next s = sin(s + A[i, j]) } emit y2 = s } output y = y2", "M=3 N=2", "M=2 N=0"),
    ("nested with states", "input A: float[M, N] scan i in 0..M { state r = 1 scan j in 0..N { state s = r next s = s * A[i, j] + r } next r = tanh(s) } output y = r", "M=3 N=2"),
    ("stack of stacks", "input A: float[M, N] scan i in 0..M { scan j in 0..N { state s = 0 next s = s + A[i, j]^2 emit row = next s * i } emit all_ = row } output y = all_", "M=3 N=2"),
    ("inner steps", "input x0: float input a: float scan t in 0..3 { state x = x0 scan k in 0..2 { state z = x next z = z - 0.1 * a * sin(z) } next x = z + t emit xs = next x } output y = xs", ""),
    ("triply nested", "input T: float[2, 2, 2] scan i in 0..2 { state a = 1 scan j in 0..2 { state b = a scan k in 0..2 { state c = b next c = c * 0.5 + T[i, j, k] } next b = c * b } next a = b } output y = a", ""),
    ("nested and indexed", "input A: float[N, N] input x: float[N] scan t in 0..2 { state v = x scan s in 0..2 { state w = v next w[i] = tanh(sum[j](A[i, j] * w[j])) } next v[i] = w[i] + v[i] * i } output y = v", "N=2"),
    ("outer states inside", "input A: float[M, N] scan i in 0..M { state r = 1 scan j in 0..N { state s = 0 next s = s + r * A[i, j] emit e = s * r } next r = s + sum(e) } output y = r", "M=2 N=3"),
    ("what arrives at a row passes on as it is", "input s0: float[L, B] input p: float[T, B] scan t in 0..T { state s = s0 scan i in 0..L { state x = p[t] next x = sin(x) emit e = s[i] + x } next s = e emit before = s } output y = s output z = sum(before * before)", "T=3 L=2 B=2"),
    ("what becomes a state is added up, too", "size T input r: float input x: float input q: float[N] scan t in 0..T { state w = x state v = q next w = sin(w + r) next v = tanh(v + q) } output y = w output z = v", "T=3 N=2"),
    ("until inside", "input x: float[N] > 0 scan i in 0..N { scan k in 0..50 until abs(r^2 - x[i]) < 1e-12 { state r = 1 next r = 0.5 * (r + x[i] / r) } emit roots = r } output y = roots", "N=3"),
    ("until", "input a: float > 0 scan k in 0..60 until abs(next r - r) < 1e-14 { state r = 1 next r = 0.5 * (r + a / r) } output y = r", ""),
    ("until of a norm", "input A: float[N, N] input b: float[N] scan k in 0..200 until norm(next x - x) < 1e-13 { state x = zeros(N) next x = b - 0.1 * A @ x } output y = x", "N=2"),
    ("until at once", "input x: float scan k in 0..9 until true { state s = x next s = 2 * s * x } output y = s", ""),
    ("until the bound", "input x: float scan k in 0..3 until false { state s = x next s = 2 * s * x } output y = s", ""),
    ("until a count", "input x: float scan k in 0..10 until n >= 4 { state n = 0 state s = x next n = n + 1 next s = sin(s) * x } output y = s output count_ = n", ""),
    ("until by data", "input x: float data stop: int in 1..6 scan k in 0..10 until k + 1 == stop { state s = x next s = s * x + 1 } output y = s", ""),
]  # fmt: skip

PER_ENTRY: list[Any] = [
    ("scan in a def", "def run_(x: float[T]) { scan t in 0..T { state s = 0 next s = sin(s + x[t]) } return s } input x: float[N] output y = run_(x) * run_(2 * x)", "N=3"),
    ("scan per entry", "def run_(x: float[T]) { scan t in 0..T { state s = 0 next s = sin(s + x[t]) } return s } input A: float[M, N] output y[i] = run_(A[i])", "M=3 N=2", "M=1 N=3"),
    ("stack per entry", "def run_(x: float[T]) { scan t in 0..T { state s = 0 next s = s + x[t] emit ss = next s^2 } return ss } input A: float[M, N] output y[i] = run_(A[i])", "M=3 N=2"),
    ("scan per two entries", "def run_(a, b) { scan t in 0..4 { state s = a next s = s * b + 0.5 } return s } input x: float[M] input z: float[N] output y[i, j] = run_(x[i], z[j])", "M=3 N=2"),
    ("shared weights", "def run_(W: float[H, H], x: float[T, H]) { scan t in 0..T { state h = zeros(H) next h = tanh(W @ h + x[t]) } return h } input W: float[H, H] input x: float[B, T, H] output y[b] = run_(W, x[b])", "B=3 T=2 H=2"),
    ("ints per entry", "def count_(x: float[T]) { scan t in 0..T { state k = 0 next k = if x[t] > 0 then k + 1 else k } return k } input A: float[M, N] output n[i] = count_(A[i]) output y[i] = n[i] * sum(A[i])", "M=3 N=4"),
    ("own emits per entry", "def run_(x: float[T]) { scan t in 0..T { emit h: float = if t > 1 then h[t-2] * x[t] else x[t] } return h } input A: float[M, N] output y[i] = run_(A[i])", "M=3 N=4"),
    ("root per entry", "def root(a) { scan k in 0..50 until abs(next r - r) < 1e-13 { state r = 1 next r = 0.5 * (r + a / r) } return r } input x: float[N] > 0 output y[i] = root(x[i])", "N=4"),
    ("steps per entry", "def steps(a) { scan k in 0..50 until next r > 20 { state r = a state n = 0 next r = 1.5 * r next n = n + 1 } return r, n } def only(a) { node r, n = steps(a) return [r, n] } input x: float[N] > 0 output y[i] = only(x[i])", "N=4"),
    ("grad of a scan in a def", "def run_(x: float[T]) { scan t in 0..T { state s = 0.1 next s = sin(s + x[t]) } return s } def slope(x) { node r = run_(x) return grad(r, x) } input x: float[N] output y = slope(x)", "N=3"),
    ("grad of a scan per entry", "def run_(x: float[T]) { scan t in 0..T { state s = 0.1 next s = sin(s * x[t]) + x[t] } return s } def slope(x) { node r = run_(x) return grad(r, x) } input A: float[M, N] output y[i] = slope(A[i])", "M=2 N=3"),
    ("nested per entry", "def run_(A: float[M, N]) { scan i in 0..M { state r = 0 scan j in 0..N { state s = r next s = sin(s + A[i, j]) } next r = s } return r } input T: float[B, M, N] output y[b] = run_(T[b])", "B=2 M=2 N=2"),
    ("gather per entry", "def run_(E: float[V], k: int[T]) { scan t in 0..T { state s = 0 next s = tanh(s + E[k[t]]) } return s } input E: float[V] data k: int[B, T] in 0..V output y[b] = run_(E, k[b])", "B=3 T=4 V=3"),
]  # fmt: skip

GRADIENTS: list[Any] = [
    ("grad in a step", "input x0: float[N] scan t in 0..3 { state x = x0 node f = sum(x^4) / 4 - x[0] * x[1] node g = grad(f, x) next x = x - 0.1 * g emit fs = f } output y = x output z = fs", "N=2"),
    ("grad for an input of the step", "input w0: float[N] input X: float[T, N] scan t in 0..T { state w = w0 node e = (dot(w, X[t]) - 1)^2 next w = w - 0.05 * grad(e, w) } output y = w", "N=2 T=3"),
    ("momentum", "input x0: float scan t in 0..4 { state x = x0 state v = 0 node f = x^4 - x^2 next v = 0.5 * v - 0.1 * grad(f, x) next x = x + next v } output y = x output z = v", ""),
    ("Newton", "input a: float > 0 scan k in 0..4 { state r = 1 node f = r^3 - a next r = r - f / grad(f, r) } output y = r", ""),
    ("grad of a scan", "input x: float[T] scan t in 0..T { state s = 0.3 next s = sin(s) * x[t] + x[t]^2 } node g = grad(s, x) output y = g * x", "T=3"),
    ("grad of a stack", "input x: float[T] scan t in 0..T { state s = 0.3 next s = sin(s + x[t]) emit ss = next s } node l = sum(ss^2) output y = grad(l, x)", "T=3"),
    ("Hessian of a scan", "input a: float scan t in 0..3 { state s = a next s = sin(s) * a } node g = grad(s, a) output y = grad(g, a)", ""),
    ("through a condition", "input x: float[T] scan t in 0..T { state s = 0.5 next s = if s > x[t] then s * x[t] else sin(s) + x[t]^2 emit ss = s } output y = s output z = ss", "T=5"),
    ("branch out of range", "input x: float[T] scan t in 0..T { state s = 0 next s = s + x[t] * (if t > 0 then x[t-1] else 2) * (if t < T - 1 then x[t+1] else 3) } output y = s", "T=4", "T=1"),
    ("no NaN from a branch", "input x: float[T] scan t in 0..T { state s = 0.0 next s = if t == 0 then x[t] else if s > 0 then sqrt(s) * x[t] else s^2 + x[t] } output y = s", "T=5"),
    ("log only when positive", "input x: float[T] scan t in 0..T { state s = 1.0 next s = s + (if x[t] > 0.1 then log(x[t]) else 0) } output y = s", "T=5"),
]  # fmt: skip

PARENTS = {"parent": lambda B: np.array([0, 0, 0, 1, 2, 2])[:B]}
DRAWS: dict[str, dict[str, Any]] = {"parents": PARENTS, "tree of scalars": PARENTS}
CASES = cases([*STATES, *STACKS, *NESTED, *PER_ENTRY, *GRADIENTS], DRAWS)
EACH = pytest.mark.parametrize("case", CASES, ids=str)


@EACH
def test_values(case: Case) -> None:
    judge_values(case)


@EACH
def test_gradients(case: Case) -> None:
    judge_gradients(case)


@EACH
def test_directions(case: Case) -> None:
    judge_directions(case)


@EACH
def test_float32(case: Case) -> None:
    """The working precision is that of the inputs, in loops as everywhere, but that modules of
    numbers alone compute with those of Python."""
    generated = module(case.text)
    if not hasattr(generated, "np"):
        return
    given = {n: np.asarray(v, np.float32) if np.asarray(v).dtype.kind == "f" else v
             for n, v in case.values.items()}  # fmt: skip
    found, cache = case.call(generated.forward, given)
    for name, value in fields(found, case.outputs[0]).items():
        if name in case.floats and case.differentiated:
            assert np.asarray(value).dtype == np.float32, name
    if case.differentiated:
        seeds = keywords(case.floats, case.random(case.floats, 5))
        for name, gradient in generated.backward(cache, **seeds)._asdict().items():
            assert np.asarray(gradient).dtype == np.float32, name


@EACH
@pytest.mark.parametrize("level", [1, 2])
def test_sizes_fixed(case: Case, level: int) -> None:
    """``--size``: the same loops, with numbers for their sizes."""
    program = checked(case.text)
    known = {*program.interface.sizes, *program.interface.open_sizes}
    sizes = tuple((n, v) for n, v in sorted(case.sizes.items()) if n in known)
    fixed = module(case.text, Options(sizes=sizes, level=level))
    found, cache = fixed.forward(*case.values.values())
    wanted, _ = case.call(module(case.text).forward)
    for name, value in fields(found, case.outputs[0]).items():
        same(value, fields(wanted, case.outputs[0])[name], name)
    seeds = case.random(case.floats, 5)
    gradients = fixed.backward(cache, **keywords(case.floats, seeds))._asdict()
    for name, slope in case.pulled(seeds).items():
        same(gradients[name], slope, f"backward {name}")


@EACH
def test_results_share_no_memory(case: Case) -> None:
    generated = module(case.text)
    given = {n: np.asarray(v).copy() for n, v in case.values.items()}
    found, cache = case.call(generated.forward, given)
    outputs = [v for v in fields(found, case.outputs[0]).values() if np.ndim(v)]
    beside = [v for v in (*given.values(), *cache) if isinstance(v, np.ndarray) and v.ndim]
    for i, value in enumerate(outputs):
        assert not any(np.shares_memory(value, other) for other in (*beside, *outputs[:i]))
    for name, value in given.items():
        assert np.array_equal(value, case.values[name]), name
    seeds = keywords(case.floats, case.random(case.floats, 5))
    first = generated.backward(cache, **seeds)
    for value in outputs:
        if value.flags.writeable:
            value.fill(0)
    for again, once in zip(generated.backward(cache, **seeds), first, strict=True):
        assert np.array_equal(again, once)
        assert not np.ndim(again) or not np.shares_memory(again, once)


# ── What is said of loops ───────────────────────────────────────────────────


def test_show_writes_steps_below_their_loop() -> None:
    text = str(checked(STATES[4][1]).graph)
    assert "loop=t in 0..T" in text and "\n    state s: float\n" in text
    assert "\n    row x_t: float\n" in text


def test_a_value_out_of_a_domain_in_a_step_is_warned_about() -> None:
    text = "input x: float[T] scan t in 0..T { emit y = log(x[t]) } output f = sum(y)"
    assert [w.code for w in checked(text).warnings] == ["G501"]
    assert checked(text.replace("float[T]", "float[T] > 0")).warnings == ()


def test_a_state_that_stays_positive_is_known_to() -> None:
    text = "input a: float > 0 scan k in 0..9 { state r = 1.0 next r = (r + a / r) / 2 } output f = {}(r)"
    assert checked(text.replace("{}", "log")).warnings == ()
    assert [w.code for w in checked(text.replace("{}", "log1p").replace("1.0", "-1.0")).warnings]


def test_trace_names_the_step() -> None:
    program = checked(
        "data x: float[T] input a: float scan t in 0..T { state s = 0.0 next s = s + a / x[t] } output f = s"
    )
    found = trace(program, from_words(program, ("x=[1,2,0,3]", "a=1"), None))
    assert "at t = 2, this is inf: 1 / 0" in found.origins[0].message


def test_explain_passes_through_a_loop() -> None:
    program = checked(
        "input x: float[T] scan t in 0..T { state s = 1.0 next s = s * x[t] } output f = s^2"
    )
    evaluation = evaluate(program, {"x": np.array([2.0, 3.0])}, {"T": 2})
    found = explain(evaluation, program.program, None)
    (loop,) = [entry for entry in found.entries if entry.item.loop is not None]
    assert [(edge.name.text, list(edge.result)) for edge in loop.edges] == [("x", [36.0, 24.0])]
    assert "dx = [36 24]ᵀ" in text(found)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize(
    "text",
    [
        "node k = 2 / 3 scan t in 0..T { state s = 0.5 emit e = k next s = s * x[t] * k }",
        "scan t in 0..T { state s = 0.5 emit e = k next s = s * x[t] * k } node k = 2 / 3",
    ],
)
def test_named_numbers_in_steps_and_around_them(text: str, level: int) -> None:
    text = f"input x: float[T] {text} output f = s + sum(x * e) + k output k objective f"
    x = np.array([0.4, 0.5, 0.6])
    value, (gradient,) = module(text, Options(level=level)).value_and_grad(x)
    product = 0.5 * (2 / 3) ** 3 * np.prod(x)
    np.testing.assert_allclose(value, product + 2 / 3 * np.sum(x) + 2 / 3)
    np.testing.assert_allclose(gradient, product / x + 2 / 3)
