"""Index notation, spec by spec, against the interpreter that goes entry by entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .helpers import checked, module
from .judged import Case, cases, judge_directions, judge_gradients, judge_values

MORE = "input A: float[M, N] input x: float[N] "
SIZES = ("M=3 N=4", "M=2 N=1")

PRODUCTS: list[Any] = [
    ("matrix-vector", MORE + "output y[i] = sum[j](A[i, j] * x[j])", *SIZES),
    ("vector-matrix", "input A: float[M, N] input z: float[M] output y[j] = sum[i](z[i] * A[i, j])", *SIZES),
    ("matrix-matrix", "input A: float[M, K] input B: float[K, N] output y[i, j] = sum[k](A[i, k] * B[k, j])", "M=2 K=3 N=4", "M=1 K=2 N=1"),
    ("gram", "input A: float[M, N] output y[i, j] = sum[k](A[i, k] * A[j, k])", *SIZES),
    ("three factors", "input A: float[M, N] input x: float[M] input z: float[N] output y = sum[i, j](x[i] * A[i, j] * z[j])", *SIZES),
    ("batched product", "input A: float[B, M, K] input C: float[B, K, N] output y[b, i, j] = sum[k](A[b, i, k] * C[b, k, j])", "B=2 M=3 K=2 N=4", "B=1 M=1 K=3 N=2"),
    ("product by rows", "input A: float[B, M, N] input x: float[B, N] output y[b] = A[b] @ x[b]", "B=3 M=2 N=4"),
    ("outer", "input x: float[M] input z: float[N] output y[i, j] = x[i] * z[j]", *SIZES),
    ("bilinear", "input T: float[K, M, N] input x: float[M] input z: float[N] output y[k] = sum[i, j](T[k, i, j] * x[i] * z[j])", "K=2 M=3 N=4"),
    ("trace", "input A: float[N, N] output y = sum[i](A[i, i])", "N=3", "N=1"),
    ("diagonal", "input A: float[N, N] output y[i] = A[i, i]^2", "N=3"),
    ("inner diagonal", "input A: float[N, M, N] output y[j, i] = A[i, j, i]", "N=3 M=2"),
    ("transpose", "input A: float[M, N] output y[j, i] = A[i, j] * i", *SIZES),
    ("three axes turned", "input A: float[K, M, N] output y[j, k, i] = sin(A[i, j, k])", "K=2 M=3 N=4"),
    ("squared distances", "input x: float[M, D] input z: float[N, D] output y[i, j] = sum[d]((x[i, d] - z[j, d])^2)", "M=3 N=4 D=2"),
    ("mixture", "input x: float[N, D] input mu: float[K, D] input L: float[K, D, D] output q[n, k] = sum[d]((L[k] @ (x[n] - mu[k]))[d]^2)", "N=3 K=2 D=2", "N=2 K=3 D=1"),
    ("weighted covariance", "input r: float[N, K] input x: float[N, D] output S[k, a, b] = sum[n](r[n, k] * x[n, a] * x[n, b]) / sum[n](r[n, k]^2)", "N=4 K=2 D=3"),
    ("attention", "input Q: float[T, D] input K: float[S, D] input V: float[S, D] node a[t] = softmax(K @ Q[t]) output y[t, d] = sum[s](a[t, s] * V[s, d])", "T=3 S=4 D=2"),
    ("named product", MORE + "node p[i, j] = A[i, j] * x[j] output y[i] = sum[j](p[i, j]) output z = sum(p^2)", *SIZES),
    ("sum of a sum", MORE + "output y = sum[i](sum[j](A[i, j] * x[j])^2)", *SIZES),
    ("sum outside", MORE + "output y[i] = sum[j](A[i, j]) * sum[j](x[j]) + sum[j](A[i, j] * x[j]^2)", *SIZES),
    ("constant factor", MORE + "output y[i] = sum[j](3 * A[i, j] * x[j] / N)", *SIZES),
    ("broadcast body", MORE + "output y[i] = A[i] * x + x[0]", *SIZES),
    ("entry of its own", "input x: float[N] output y[i] = x[i] * x", "N=3"),
    ("used as a node", MORE + "node m[i] = sum[j](A[i, j] * x[j]) output y = sum(tanh(m)) output z = m * m", *SIZES),
    ("nothing of the index", "input x: float[N] input z: float output y[i in 0..3] = sum(x) * z", "N=2"),
    ("array that ignores", "input x: float[N] output y[i in 0..3, j] = x[j]", "N=2"),
    ("matrix of an entry", "input A: float[B, N, N] output y[b] = A[b].T @ A[b]", "B=2 N=3"),
    ("number outside", "input a: float input x: float[N] output y[i] = a * x[i] + a^2", "N=3", "N=0"),
    ("summed number", "input a: float output y = sum[i in 0..4](a)", ""),
    ("node of nodes", "input x: float[N] node a[i] = sin(x[i]) node b[j] = a[j] * x[j] output y[k] = a[k] + b[k]", "N=3"),
    ("same letter twice", MORE + "output y[i] = sum[j](A[i, j]) + max[j](A[i, j])", *SIZES),
    ("no entries", MORE + "output y[i] = sum[j](A[i, j] * x[j])", "M=2 N=0", "M=0 N=3"),
    ("a written type", MORE + "output y[i]: float[M] = sum[j](A[i, j] * x[j])", *SIZES),
]  # fmt: skip

PLACES: list[Any] = [
    ("stencil", "input u: float[N] output y[i in 1..N-1] = u[i-1] - 2*u[i] + u[i+1]", "N=5", "N=3"),
    ("stencil in two", "input u: float[M, N] output y[i in 1..M-1, j in 1..N-1] = u[i-1, j] + u[i+1, j] + u[i, j-1] + u[i, j+1] - 4*u[i, j]", "M=4 N=5"),
    ("closed left", "input u: float[N] output y[i] = u[i] - (if i > 0 then u[i-1] else 0)", "N=4", "N=1"),
    ("closed right", "input u: float[N] output y[i] = u[i] * (if i < N - 1 then u[i+1] else u[0])", "N=4", "N=1"),
    ("both ends", "input u: float[N] output y[i] = if i == 0 then u[0] else if i == N - 1 then 2 * u[i] else u[i-1] * u[i+1]", "N=4", "N=1"),
    ("ends by or", "input u: float[N] output y[i in 0..N] = if i == 0 or i == N - 1 then 0 else u[i-1] - u[i+1]^2", "N=5"),
    ("interior by and", "input u: float[M, N] output y[i, j] = if i > 0 and j > 0 then u[i-1, j-1] else u[i, j]", "M=3 N=4"),
    ("differences", "input u: float[N+1] output y[i in 0..N] = u[i+1] - u[i]", "N=3"),
    ("odd ones", "input x: float[2*N] output y[i in 0..N] = x[2*i + 1] * x[2*i]", "N=3", "N=1"),
    ("every third", "input x: float[3*N+1] output y[i in 0..N] = x[3*i + 1]^2", "N=2"),
    ("reversed", "input x: float[N] output y[i in 0..N] = x[N - 1 - i] * x[i]", "N=4", "N=1"),
    ("reversed from the end", "input x: float[N] output y[i in 0..N-1] = x[N - 2 - i] - x[-1]", "N=4"),
    ("convolution", "input x: float[N+K-1] input w: float[K] output y[i in 0..N] = sum[j](w[j] * x[i + j])", "N=4 K=3", "N=1 K=2"),
    ("flipped convolution", "input x: float[N+K-1] input w: float[K] output y[i in 0..N] = sum[j](w[j] * x[i + K - 1 - j])", "N=3 K=2"),
    ("strided convolution", "input x: float[2*N+K] input w: float[K] output y[i in 0..N] = sum[j](w[j] * x[2*i + j])", "N=3 K=3"),
    ("dilated convolution", "input x: float[N+2*K] input w: float[K] output y[i in 0..N] = sum[j](w[j] * x[i + 2*j])", "N=3 K=2"),
    ("padded convolution", "input x: float[N] input w: float[3] output y[i in 0..N] = sum[j](if i + j >= 1 and i + j <= N then w[j] * x[i + j - 1] else 0)", "N=4"),
    ("2-D convolution", "input x: float[H+2, W+1] input w: float[3, 2] output y[i in 0..H, j in 0..W] = sum[a, b](w[a, b] * x[i + a, j + b])", "H=2 W=3"),
    ("channels", "input x: float[C, N+2] input w: float[O, C, 3] output y[o, i in 0..N] = sum[c, k](w[o, c, k] * x[c, i + k])", "C=2 N=3 O=2"),
    ("full convolution", "input x: float[N] input w: float[K] output y[i in 0..N+K-1] = sum[j](if i >= j and i - j < N then w[j] * x[i - j] else 0)", "N=3 K=2"),
    ("max pool", "input x: float[2*N] output y[i in 0..N] = max[j in 0..2](x[2*i + j])", "N=3"),
    ("antidiagonals", "input A: float[N, N] output y[i in 0..N] = A[i, N - 1 - i]", "N=3"),
    ("shifted diagonal", "input A: float[N, N] output y[i in 0..N-1] = A[i, i + 1] - A[i + 1, i]", "N=3"),
    ("Hankel", "input x: float[2*N] output y[i in 0..N, j in 0..N] = x[i + j] * x[i]", "N=3"),
    ("Toeplitz", "input x: float[2*N] output y[i in 0..N, j in 0..N] = x[i - j + N]", "N=3"),
    ("triangle", "size D input l: float[D*(D-1)//2] output T[i in 0..D, j in 0..D] = if i > j then l[i*(i-1)//2 + j] else 0", "D=3", "D=2"),
    ("triangle with a diagonal", "input l: float[D*(D-1)//2] input q: float[D] output T[i in 0..D, j in 0..D] = if i > j then l[i*(i-1)//2 + j] else if i == j then exp(q[i]) else 0", "D=3"),
    ("packed pairs", "input x: float[N, N] output y = sum[i, j](if i < j then x[i, j] * x[j, i] else 0)", "N=3"),
    ("prefix sums", "input x: float[N] output y[i in 0..N] = sum[j](if j <= i then x[j] else 0)", "N=4"),
    ("circular", "input x: float[N] output y[i] = x[i] * x[(i + 1) % N]", "N=4", "N=1"),
    ("circular to the left", "input x: float[N] output y[i in 0..N] = x[(i + N - 1) % N]^2", "N=3"),
    ("two by two", "input x: float[N] output y[i in 0..N] = x[i // 2] * x[i]", "N=5"),
    ("digits", "input A: float[M, N] output y[k in 0..M*N] = A[k // N, k % N]^2", "M=2 N=3"),
    ("square of an index", "size N input x: float[N*N] output y[i in 0..N] = x[i*i]", "N=3"),
    ("product of indices", "size M size N input x: float[M*N] output y[i in 0..M, j in 0..N] = x[i*N + j] * x[i * j]", "M=3 N=2"),
    ("range off zero", "input x: float[N] output y[i in 2..N] = x[i] * i", "N=5", "N=2"),
    ("fixed range", "input x: float[6] output y[i in 1..4] = x[i] - x[i + 2]", ""),
    ("empty range", "input x: float[4] output y[i in 2..2] = x[i]^2 output z = sum(x)", ""),
    ("sum over a part", "input x: float[N] output y = sum[i in 1..N-1](x[i]^2 * x[i+1])", "N=5", "N=2"),
    ("slices under an index", "input x: float[M, 4] output y[i] = x[i, 1:3] * 2", "M=3"),
    ("windows by slices", "input x: float[N+2] output y[i in 0..N] = x[i:i+3]", "N=3"),
    ("mean of windows", "input x: float[N+2] output y[i in 0..N] = mean(x[i:i+3]^2)", "N=3"),
    ("windows of rows", "input x: float[N+1, D] output y[i in 0..N] = x[i:i+2] @ x[i]", "N=3 D=2"),
    ("strided windows", "input x: float[2*N+1] output y[i in 0..N] = norm(x[2*i:2*i+3])", "N=3"),
    ("every other of a row", "input x: float[M, 6] output y[i] = x[i, ::2] - x[i, 1::2]", "M=2"),
    ("last of a row", "input x: float[M, N] output y[i] = x[i, -1] * x[i, 0]", "M=2 N=3"),
    ("all but the last", "input x: float[M, N] output y[i] = sum(x[i, :-1])", "M=2 N=3"),
    ("behind an ellipsis", "input x: float[K, M, N] output y[i] = x[..., i] * i", "K=2 M=3 N=2"),
    ("behind colons", "input x: float[K, M, N] output y[i, j] = x[:, j, i]", "K=2 M=3 N=2"),
    ("a block", "input A: float[2*N, 2*N] output y[i in 0..N] = A[2*i:2*i+2, 2*i:2*i+2]", "N=2"),
    ("a column", "input A: float[M, N] output y[j] = norm(A[:, j])", "M=3 N=2"),
    ("a subscript of an expression", "input x: float[N] input z: float[N] output y[i] = (x + z^2)[i] * i", "N=3"),
    ("a row of a product", "input A: float[N, N] output y[i] = (A @ A)[i] * A[i]", "N=3"),
    ("row by row", "input A: float[M, N] output y[i] = A[i][0] * sum[j](A[i][j])", "M=3 N=2"),
    ("an index of an index", "input A: float[M, N] output y[i, j] = A[i][j]^2", "M=3 N=2"),
    ("of a transpose", "input A: float[M, N] output y[j] = A.T[j] * j", "M=3 N=2"),
]  # fmt: skip

GATHERS: list[Any] = [
    ("rows", "input E: float[V, D] data ids: int[T] in 0..V output h[t] = E[ids[t]]", "V=3 D=2 T=5", "V=1 D=1 T=2"),
    ("entries of rows", "input E: float[V, D] data ids: int[T] in 0..V output h[t, d] = E[ids[t], d]^2", "V=3 D=2 T=5"),
    ("chosen class", "input logp: float[N, C] data labels: int[N] in 0..C output y = -mean[n](logp[n, labels[n]])", "N=4 C=3"),
    ("cross-entropy", "input z: float[N, C] data labels: int[N] in 0..C output y[n] = logsumexp(z[n]) - z[n, labels[n]]", "N=4 C=3"),
    ("pairs", "input x: float[N, N] data ids: int[T] in 0..N output y[i, j] = x[ids[i], ids[j]]", "N=3 T=4"),
    ("diagonal of pairs", "input x: float[N, M] data a: int[T] in 0..N data b: int[T] in 0..M output y[t] = x[a[t], b[t]] * a[t]", "N=3 M=2 T=5"),
    ("products of rows", "input X: float[N, D] data e: int[E, 2] in 0..N output y = sum[k, d](X[e[k, 0], d] * X[e[k, 1], d])", "N=4 D=2 E=5"),
    ("springs", "input X: float[N, D] data e: int[E, 2] in 0..N output y = sum[k](sum((X[e[k, 0]] - X[e[k, 1]])^2) - 1)", "N=4 D=2 E=5"),
    ("behind axes", "input x: float[M, N] data k: int[T] in 0..N output y[t] = x[:, k[t]]", "M=2 N=3 T=4"),
    ("number as data", "input x: float[N] data k: int in 0..N output y = x[k]^2", "N=4"),
    ("row by a number", "input A: float[M, N] data k: int in 0..M output y[j] = A[k, j] * A[0, j]", "M=3 N=2"),
    ("shifted data", "input x: float[N+1] data k: int[T] in 0..N output y[t] = x[k[t] + 1] - x[k[t]]", "N=3 T=4"),
    ("data times two", "input x: float[2*N] data k: int[T] in 0..N output y[t] = x[2*k[t] + 1]", "N=3 T=4"),
    ("data plus an index", "input x: float[N+T] data k: int[T] in 0..N output y[t] = x[k[t] + t]", "N=3 T=4"),
    ("data of data", "input x: float[N] data k: int[T] in 0..N data m: int[S] in 0..T output y[s] = x[k[m[s]]]", "N=3 T=4 S=5"),
    ("two axes of data", "input E: float[V, D] data ids: int[B, T] in 0..V output y[b, t] = E[ids[b, t]]", "V=3 D=2 B=2 T=3"),
    ("bag of words", "input E: float[V, D] data ids: int[B, T] in 0..V output y[b, d] = sum[t](E[ids[b, t], d])", "V=3 D=2 B=2 T=3"),
    ("out of range unused", "input x: float[N] data k: int[T] in 0..2*N output y[t] = if k[t] < N then x[k[t]] else -1", "N=2 T=6"),
    ("nothing in a row", "input x: float[M, N] data k: int[M] in 0..3 output y[i] = if k[i] < N then x[i, k[i]] else 7 - x[0, 0]", "N=1 M=4", "N=3 M=2"),
    ("before the first", "input x: float[N] data k: int[T] in -2..2 output y[t] = if k[t] >= 0 then x[k[t]] else x[k[t] + N]", "N=2 T=6"),
    ("masked by data", "input x: float[N] data m: bool[N] output y = sum[i](if m[i] then x[i]^2 else 0)", "N=5"),
    ("kept rows", "input E: float[V, D] data ids: int[T] in 0..V data m: float[T] output y[t] = if ids[t] == 0 then zeros(D) else m[t] * E[ids[t]]", "V=3 D=2 T=5"),
    ("observations", "def project(c, X) = (c[0:3] * X)[0:2] / (2 + X[2]^2) + c[3] input cams: float[C, 4] input X: float[P, 3] data obs: int[O, 2] in 0..2 output y[p] = project(cams[obs[p, 0]], X[obs[p, 1]])", "C=2 P=2 O=5"),
    ("comparison of data", "input w: float[C] data k: int[N] in 0..C output y[c] = w[c] * sum[n](if k[n] == c then 1 else 0)", "C=3 N=5"),
    ("segment sums", "input x: float[N] data k: int[N] in 0..C size C output y[c in 0..C] = sum[n](if k[n] == c then x[n]^2 else 0)", "C=3 N=5"),
    ("computed place", "input x: float[N] output y[i] = x[argmax(x)] * x[i]", "N=4"),
    ("windows at data", "input x: float[N+2] data k: int[T] in 0..N output y[t] = x[k[t]:k[t]+3] * (t + 1)", "N=3 T=4"),
    ("window before data", "input x: float[N+2] data k: int[T] in 0..N output y[t] = norm(x[k[t] + 2 - 1:1 + k[t] + 2])", "N=3 T=4"),
    ("window at a number", "input x: float[N, D] data k: int in 0..N-1 output y = x[k:k+2] @ x[k]", "N=4 D=2"),
    ("rows from data on", "input X: float[M, N] data k: int[M] in 0..N-1 output y[i] = X[i, k[i]:k[i]+2] * X[0, 1]", "M=3 N=4"),
    ("own node as place", "input x: float[N] data k: int[T] in 0..N node m[t] = (k[t] * 2 + 1) % N output y[t] = x[m[t]]", "N=3 T=4"),
]  # fmt: skip

FUNCTIONS: list[Any] = [
    ("softmax of rows", "input A: float[M, N] output y[i] = softmax(A[i])", *SIZES),
    ("softmax of columns", "input A: float[M, N] output y[j] = softmax(A[:, j])", *SIZES),
    ("mean of rows", "input A: float[M, N] output y[i] = A[i] - mean(A[i])", *SIZES),
    ("norm of rows", "input A: float[M, N] output y[i] = A[i] / norm(A[i])", *SIZES),
    ("max of rows", "input A: float[M, N] output y[i] = max(A[i]) * min(A[i])", *SIZES),
    ("axes of an entry", "input A: float[B, M, N] output y[b] = sum(A[b]^2, axis=0) - mean(A[b], axis=-2)", "B=2 M=3 N=2"),
    ("keepdims of an entry", "input A: float[B, M, N] output y[b] = A[b] / (1 + sum(A[b]^2, axis=1, keepdims=true))", "B=2 M=3 N=2"),
    ("solve", "input A: float[B, N, N] input x: float[B, N] output y[b] = solve(A[b] + 3 * eye(N), x[b])", "B=2 N=3"),
    ("solve with one matrix", "input A: float[N, N] input x: float[B, N] output y[b] = solve(A + 3 * eye(N), x[b])", "B=2 N=3"),
    ("solve with one vector", "input A: float[B, N, N] input x: float[N] output y[b] = solve(A[b] + 3 * eye(N), x)", "B=2 N=3", "B=3 N=3"),
    ("det", "input A: float[B, N, N] output y[b] = det(A[b] + 2 * eye(N))", "B=2 N=3"),
    ("inv", "input A: float[B, N, N] output y[b] = inv(A[b] + 3 * eye(N)) @ A[b]", "B=2 N=2"),
    ("trace of entries", "input A: float[B, N, N] output y[b] = trace(A[b] @ A[b]) + sum(diagonal(A[b])^3)", "B=2 N=2"),
    ("dot", "input A: float[M, N] input x: float[N] output y[i] = dot(A[i], x) * dot(A[i], A[i])", *SIZES),
    ("outer of entries", "input x: float[B, M] input z: float[B, N] output y[b] = outer(x[b], z[b])", "B=2 M=3 N=2"),
    ("concat", "input x: float[B, M] input z: float[N] output y[b] = concat(x[b], z, x[b, 0:1])", "B=2 M=3 N=2"),
    ("stack", "input x: float[B, M] input z: float[M] output y[b] = stack(x[b], z, axis=1)", "B=2 M=3"),
    ("einsum of an entry", "input A: float[B, M, N] input x: float[N] output y[b] = einsum(\"ij,j->i\", A[b], x)", "B=2 M=3 N=2"),
    ("reshape of an entry", "input x: float[B, 6] output y[b] = reshape(x[b], [2, 3]) @ [1, 2, 3]", "B=2"),
    ("cumsum of an entry", "input x: float[B, N] output y[b] = cumsum(x[b], axis=0)", "B=2 N=3"),
    ("flip of an entry", "input x: float[B, N] output y[b] = flip(x[b], axis=0) * x[b]", "B=2 N=3"),
    ("entries of scalars", "input x: float[N] output y[i] = maximum(x[i], 0.1) + sin(x[i])^2 * exp(-x[i])", "N=3"),
    ("user function", "def f(a, b) = a * sin(b) + 1 input x: float[N] input z: float[M] output y[i, j] = f(x[i], z[j])", "N=3 M=2"),
    ("user function of rows", "def f(a: float[D]) { node c = a - mean(a) return c / sqrt(1 + sum(c^2)) } input A: float[M, N] output y[i] = f(A[i])", "M=3 N=4"),
    ("user function with sizes", "def f(a: float[D]) = sum(a) / D input A: float[M, N] output y[i] = f(A[i]) * f(A[:, 0])", "M=3 N=4"),
    ("user function with an index", "def f(a: float[D], W: float[D, D]) { node q[i] = sum[j](W[i, j] * a[j]) return a * q } input A: float[M, N] input W: float[N, N] output y[i] = f(A[i], W)", "M=3 N=2"),
    ("user function with a reduction", "def f(a, b) = sum[i](a[i] * b[i]^2) input A: float[M, N] output y[i, j] = f(A[i], A[j])", "M=3 N=2"),
    ("function in a function", "def g(a) = a^3 def f(a) = g(a) - sum[i](g(a[i])) input A: float[M, N] output y[k] = f(A[k])", "M=3 N=2"),
    ("function of an index", "def f(a, k) = if k > 1 then a^2 else sin(a) input x: float[N] output y[i] = f(x[i], i)", "N=4"),
    ("names of its own", "def f(a: float[D], W: float[D, D]) { node q[i] = sum[j](W[i, j] * a[j]) node r = max[i](q[i]) return r + sum[n](a[n]) } input A: float[M, N] input W: float[N, N] output y[j, i in 0..2] = f(A[j], W) * i", "M=3 N=2"),
    ("rule of rows", "def f(a, b) = a * sum(b) rule f(a, b) -> y { da = dy * sum(b) db = sum(dy * a) } input A: float[M, N] input b: float[N] output y[i] = f(A[i], b)", "M=2 N=3"),
    ("rule with a matrix", "def f(W, a) = tanh(W @ a) rule f(W, a) -> y { dW = outer(dy * (1 - y^2), a) da = W.T @ (dy * (1 - y^2)) } input W: float[M, N] input X: float[B, N] output y[b] = f(W, X[b])", "M=2 N=3 B=4"),
    ("rule under two indices", "def f(a, b) = a * b^2 rule f(a, b) -> y { da = dy * b^2 db = 2 * dy * a * b } input x: float[M] input z: float[N] output y[i, j] = f(x[i], z[j])", "M=3 N=2"),
    ("rule of several results", "def f(a, b) { return a * b, a + b } rule f(a, b) -> (p, s) { da = dp * b + ds db = dp * a + ds } input x: float[N] input z: float[N] node p[i] = g(x[i], z[i]) def g(a, b) { node p, s = f(a, b) return p * s } output y = sum(p)", "N=3"),
    ("default", "def f(a, s = 2) = a * s input x: float[N] output y[i] = f(x[i]) + f(x[i], s=3)", "N=4"),
    ("several results", "def polar(a, b) { node r = sqrt(a^2 + b^2) return r, a / r } input p: float[N, 2] node r, c[i] = polar(p[i, 0], p[i, 1]) output y[i] = r[i] * c[i]^2", "N=3"),
    ("several results of rows", "def split(a) { return a - mean(a), norm(a) } input A: float[M, N] node c, s[i] = split(A[i]) output y[i] = c[i] * s[i]", "M=2 N=3"),
    ("gradient per entry", "def f(a) = grad(sum(sin(a) * a), a) input A: float[M, N] output y[i] = f(A[i])", "M=2 N=3"),
    ("gradient of a scalar per entry", "def f(a) = grad(a^3 * exp(a), a) input x: float[N] output y[i] = f(x[i])", "N=3"),
    ("gradient of one of two", "def f(a, b) = grad(sum(a^2 * b), a) input A: float[M, N] input b: float[N] output y[i] = f(A[i], b)", "M=2 N=3"),
    ("Newton's step per entry", "def step(a) { node v = a^4 + a^2 return a - grad(v, a) / grad(grad(v, a), a) } input x: float[N] output y[i] = step(x[i])", "N=2"),
    ("gradient of a node", "input x: float[N] node s = sum[i](x[i]^3) output y[i] = grad(s, x)[i] * x[i]", "N=3"),
    ("rule per entry", "def f(a) = sin(a) * a rule f(a) -> y { da = dy * (cos(a) * a + sin(a)) } input x: float[N] output y[i] = f(x[i])", "N=3"),
    ("library's own", "input A: float[M, N] output y[i] = silu(A[i]) * huber(A[i], 0)", "M=2 N=3"),
    ("mean squared per entry", "input A: float[M, N] input b: float[N] output y[i] = mse(A[i], b)", "M=2 N=3"),
    ("logsumexp with an axis", "input A: float[B, M, N] output y[b] = logsumexp(A[b], axis=0)", "B=2 M=2 N=3"),
    ("variance", "input A: float[M, N] output y[i] = var(A[i])", "M=2 N=3"),
    ("zeros and ones", "input x: float[N] output y[i] = x[i] * ones(3) + zeros(2, 3)", "N=2"),
    ("product with a vector", "input A: float[B, M, N] input x: float[N] output y[b] = A[b] @ x", "B=2 M=3 N=2"),
    ("vector with a product", "input A: float[M, N] input x: float[B, M] output y[b] = x[b] @ A", "B=2 M=3 N=2"),
    ("quadratic form", "input A: float[N, N] input x: float[B, N] output y[b] = x[b] @ A @ x[b]", "B=3 N=2"),
    ("same lengths", "input A: float[N, N] input x: float[N, N] output y[b] = A @ x[b] + x[b] @ A", "N=3"),
    ("transpose of an entry", "input A: float[B, M, N] output y[b] = A[b].T * b", "B=2 M=3 N=2"),
    ("entry and rows broadcast", "input A: float[N, N] input s: float[N] output y[b] = s[b] * A + A[b]", "N=3"),
    ("product of scalars and rows", "input x: float[N] input A: float[N, M] output y[i] = x[i] * A[i] + x[i]", "N=3 M=2", "N=2 M=2"),
    ("condition on an array", "input A: float[M, N] output y[i] = if A[i] > 0 then A[i]^2 else i * A[i]", "M=2 N=3"),
    ("scalar condition and rows", "input A: float[M, N] input x: float[N] output y[i] = if i % 2 == 0 then A[i] else x", "M=3 N=2"),
]  # fmt: skip

REDUCTIONS: list[Any] = [
    ("sum", "input A: float[M, N] output y = sum[i, j](A[i, j]^2)", *SIZES),
    ("mean", "input A: float[M, N] output y[j] = mean[i](A[i, j]^2)", *SIZES),
    ("mean of two", "input A: float[M, N] output y = mean[i, j](A[i, j]^2)", *SIZES),
    ("prod", "input A: float[M, N] output y[j] = prod[i](A[i, j])", *SIZES),
    ("max", "input A: float[M, N] output y[j] = max[i](A[i, j])", *SIZES),
    ("max of two", "input A: float[M, N] output y = max[i, j](A[i, j] * i)", "M=3 N=4"),
    ("min", "input A: float[M, N] output y[i] = min[j](A[i, j]^2 - A[i, j])", *SIZES),
    ("logsumexp", "input A: float[M, N] output y[i] = logsumexp[j](A[i, j] * j)", *SIZES),
    ("logsumexp of two", "input A: float[M, N] output y = logsumexp[i, j](3 * A[i, j])", *SIZES),
    ("any and all", "input A: float[M, N] node a[i] = any[j](A[i, j] > 1) node b[i] = all[j](A[i, j] > -1) output y[i] = if a[i] and b[i] then sum(A[i]) else 2 * A[i, 0]", *SIZES),
    ("count", "input A: float[M, N] node c[i] = sum[j](A[i, j] > 0) output y[i] = c[i] * A[i, 0] output c", *SIZES),
    ("nested", "input A: float[M, N] output y = max[i](sum[j](A[i, j]^2))", *SIZES),
    ("nested in a mean", "input A: float[M, N] output y = logsumexp[j](mean[i](A[i, j]) + prod[i](A[i, j]))", *SIZES),
    ("array valued body", "input A: float[M, N] output y = sum[i](A[i] * i)", *SIZES),
    ("array valued maximum", "input A: float[M, N] output y = max[i](A[i])", *SIZES),
    ("array valued product", "input A: float[B, N, N] output y = sum[b](A[b] @ A[b])", "B=3 N=2"),
    ("array valued mean", "input A: float[B, M, N] output y = mean[b, i](A[b, i]^2)", "B=2 M=3 N=2"),
    ("three indices", "input T: float[K, M, N] output y = sum[i, j, k](T[i, j, k]^3)", "K=2 M=3 N=2"),
    ("range in a reduction", "input x: float[N] output y = prod[i in 1..N](x[i] - x[0])", "N=4", "N=1"),
    ("same index twice in turn", "input x: float[N] output y = sum[i](x[i]) * sum[i](x[i]^2)", "N=3"),
    ("pairs", "input x: float[N] output y = sum[i, j](if i < j then (x[i] - x[j])^2 else 0)", "N=4", "N=1"),
    ("pair potential", "input X: float[N, 3] output e = sum[i, j](if i < j then 1 / norm(X[i] - X[j]) else 0)", "N=3"),
    ("outer index as number", "input x: float[N] output y[i in 0..3] = sum[j](x[j]^i)", "N=3"),
    ("polynomial", "input c: float[D] input x: float[N] output y[n] = sum[d](c[d] * x[n]^d)", "D=4 N=3"),
    ("index alone", "input x: float[N] output y = sum[i in 0..N](i) * sum(x)", "N=4"),
    ("ints", "data k: int[N] in 0..9 input x: float output y[i] = k[i] * (i + 1) output z = x * sum[i](k[i])", "N=4"),
    ("int nodes", "input x: float[N] node k[i in 0..N] = i * (i + 1) // 2 % 3 output y[i] = x[i] * k[i] output k", "N=4"),
    ("bool nodes", "input x: float[N] output b[i] = x[i] > 0 and i > 0 output y[i] = if b[i] then x[i]^2 else 0", "N=4"),
    ("products of bools", "input x: float[N] output c = prod[i](x[i] > -9) output y = c * sum(x)", "N=4"),
    ("extremes of ints", "data k: int[N] in -5..5 input x: float output m = max[i](k[i] * i) output y = x * m - min[i](k[i])", "N=4"),
    ("array literals", "input x: float[N] output y[i] = [x[i], i]", "N=3"),
    ("matrices of literals", "input t: float[N] output R[i] = [[cos(t[i]), -sin(t[i])], [sin(t[i]), cos(t[i])]]", "N=2"),
    ("rotated", "input t: float[N] input p: float[N, 2] output y[i] = [[cos(t[i]), -sin(t[i])], [sin(t[i]), cos(t[i])]] @ p[i]", "N=2"),
    ("literals of ints", "input x: float[N] output k[i in 0..N] = [i, 2*i, 7] output y = sum(x)", "N=2"),
    ("a tie", "input x: float[N] output y[i] = (x[i] + x[0])^2 - abs(x[i]) * i", "N=3"),
    ("divided by sizes", "input x: float[N] output y[i] = x[i] / (i + 1) + (i // 2) * x[i]^(i % 3)", "N=4"),
    ("conditions on two", "input A: float[M, N] output y[i, j] = if i > j then A[i, j] else if i == j then A[i, j]^2 else -A[i, j]", *SIZES),
    ("condition on data", "input A: float[M, N] data b: bool output y[i, j] = if b then A[i, j] else sin(A[i, j])", *SIZES),
    ("condition on values", "input A: float[M, N] output y[i, j] = if A[i, j] > 0 then sqrt(A[i, j]) else A[i, j]^2", *SIZES),
    ("log of the positive", "input A: float[M, N] output y = sum[i, j](if A[i, j] > 0.1 then log(A[i, j]) else 0)", *SIZES),
    ("power of an index", "input a: float > 0 output y[i in 0..4] = a^i / (i + 1)", ""),
    ("scaled softmax", "input x: float[N] output y[i] = exp(x[i]) / sum[j](exp(x[j]))", "N=3"),
    ("log-likelihood", "input x: float[N, D] input mu: float[K, D] input w: float[K] output y = sum[n](logsumexp[k](w[k] - 0.5 * sum[d]((x[n, d] - mu[k, d])^2)))", "N=3 D=2 K=2"),
    ("sum under a condition", "input A: float[M, N] output y[i] = if i == 0 then 0 else sum[j](A[i, j] * A[i - 1, j])", *SIZES),
    ("condition over arrays", "input A: float[M, N] output y[i] = if i == 0 then zeros(N) else A[i] * A[i - 1]", *SIZES),
    ("size as a number", "size S = 3 input x: float[N] output y[i in 0..S] = x * (S - i)", "N=2"),
    ("open size", "size S input x: float[N] output y[i in 0..S] = x[i % N] * S", "N=2 S=5", "N=3 S=2"),
]  # fmt: skip

DRAWS: dict[str, dict[str, Any]] = {
    "observations": {"obs": lambda **_: np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 1]])}
}
CASES = cases([*PRODUCTS, *PLACES, *GATHERS, *FUNCTIONS, *REDUCTIONS], DRAWS)
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


# An entry of A is a stack, of as many as there are entries: one of B goes with all of it.
STACKED = {
    "input A: float[N, N, 2, 2] input B: float[N, 2, 2] output y[i] = sum(A[i] @ B[i])": lambda a, b: a @ b,
    "input A: float[N, N, 2, 2] input B: float[N, 2] output y[i] = sum(A[i] @ B[i])": lambda a, b: a @ b,
    "input A: float[N, N, 3] input B: float[N, 3] output y[i] = sum(vecdot(A[i], B[i]))": lambda a, b: a @ b,
    "input A: float[N, N, 3] input B: float[N, 3] output y[i] = sum(cross(A[i], B[i])^2)": lambda a, b: np.cross(a, b) ** 2,
    "input A: float[N, N, 2, 2] input B: float[N, 2, 2] output y[i] = sum(solve(A[i], B[i]))": np.linalg.solve,
    "input A: float[N, N, 2, 2] input B: float[N, 2] output y[i] = sum(solve(A[i], B[i]))": lambda a, b: np.linalg.solve(a, b[:, None]),
}  # fmt: skip


@pytest.mark.parametrize("text", STACKED)
def test_one_for_each_stack(text: str) -> None:
    rng = np.random.default_rng(8)
    interface = checked(text).interface
    a, b = (rng.normal(size=[s.evaluate({"N": 3}) for s in i.type.shape]) for i in interface.inputs)
    found, _ = module(text).forward(a, b)
    wanted = [np.sum(STACKED[text](one, other)) for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
