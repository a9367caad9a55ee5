"""Generated modules as a user meets them: entry checks, dtypes, memory, threads, linters."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
import threading
from importlib import resources
from itertools import permutations
from pathlib import Path

import gradc
import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.compiler.templates import PRODUCT, SUM, Expression, fill, with_methods
from gradc.dsl.errors import SpecError
from gradc.dsl.kernels import ARRAY_CHECKS, ARRAYS, SCALAR_CHECKS, SCALARS, kernels

from .helpers import assert_clean, checked, module, source_text

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = Path(__file__).parent.parent / "examples"
SQUARES = "input x: float[n]\ninput W: float[n, n]\nnode q = W @ x\noutput f = norm(q)^2\n"
FILTERED = (
    "data m: float[N - K + 1]\ninput x: float[N]\ninput w: float[K]\n"
    "def total(a: float[N - K + 1], b: float[N], c: float[K]) = sum(a) + sum(b) * sum(c)\n"
    "output f = total(m, x, w)\n"
)


def test_modules_need_nothing_of_gradc(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(source_text(SQUARES), encoding="utf-8")
    program = (
        "import sys, numpy as np, model\n"
        "value, g = model.value_and_grad([1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]])\n"
        "assert value == 5.0 and not [m for m in sys.modules if m.startswith('gradc')]\n"
    )
    subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
                    + program], check=True)  # fmt: skip


def test_scalar_modules_do_not_import_numpy() -> None:
    text = source_text("input x: float\noutput f = sin(x) / x\n")
    assert "numpy" not in text and "import math" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], [[1.0, 2.0]]), ["W: expected float[n, n]", "got shape (1, 2)", "n = 1 from x"]),
        (([[1.0]], [[1.0]]), ["x: expected float[n], got shape (1, 1)"]),
        ((np.ones(2, np.float16), np.eye(2, dtype=np.float16)), ["x: expected float32 or float64"]),
        ((np.ones(2) + 1j, np.eye(2)), ["x: expected float32 or float64, got complex128"]),
    ],
)
def test_arguments_are_checked_in_the_words_of_the_spec(arguments: tuple[object, ...], words: list[str]) -> None:  # fmt: skip
    with pytest.raises(ValueError) as caught:
        module(SQUARES).forward(*arguments)
    for word in words:
        assert word in str(caught.value)


def test_domains_are_checked_and_nan_is_in_none() -> None:
    compiled = module("input s: float[N] > 0\ndata k: int[N] in 0..3\noutput f = sum(log(s) * k)\n")
    assert compiled.forward([1.0], [2])[0] == 0.0
    for s, k in (([0.0], [0]), ([np.nan], [0]), ([1.0], [3]), ([1.0], [-1])):
        with pytest.raises(ValueError, match="expected values"):
            compiled.forward(s, k)
    with pytest.raises(ValueError, match="k: expected integers, got float64"):
        compiled.forward([1.0], [0.5])


def test_conditions_on_sizes_are_named() -> None:
    compiled = module("input x: float[N]\noutput f = x[3] + sum(x[1:4])\n")
    assert compiled.forward(np.arange(5.0))[0] == 9.0
    with pytest.raises(ValueError, match=r"line 2: .* needs 4 <= N, got N = 2"):
        compiled.forward([1.0, 2.0])


def test_what_holds_for_all_sizes_is_not_checked() -> None:
    text = "input v: float[D]\ninput l: float[D*(D-1)//2]\noutput f = sum(l[0:D*(D-1)//2]) + v[0]\n"
    assert "0 >" not in source_text(text)
    assert "if D > (D**2 - D) // 2" in source_text(text.replace("0:D", "D:D"))


def test_open_sizes_are_required_keywords() -> None:
    compiled = module("size K\ninput x: float\noutput f = x * K\n")
    assert compiled.forward(2.0, K=3)[0] == 6.0
    with pytest.raises(TypeError):
        compiled.forward(2.0)


def test_sizes_are_bound_before_they_are_needed() -> None:
    """The first input's size is only known with that of the second."""
    linear = module("size S\ninput x: float[S + N]\ninput y: float[N]\noutput f = sum(x) * S\n")
    assert linear.forward(np.ones(5), np.ones(2))[0] == 15.0
    with pytest.raises(ValueError, match="x: expected"):
        linear.forward(np.ones(1), np.ones(2))


def test_the_shape_that_depends_on_others_is_blamed() -> None:
    filtered = module(FILTERED)
    assert filtered.forward([1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0], [-1.0, 1.0])[0] == 6.0
    wrong = r"m: expected float\[N \+ 1 - K\], got shape \(2,\) with K = 2 from w, N = 4 from x"
    with pytest.raises(ValueError, match=wrong):
        filtered.forward([1.0, 2.0], [0.0, 1.0, 4.0, 9.0], [-1.0, 1.0])


def test_examples_and_calls_take_sizes_in_any_order() -> None:
    given = "given m = [1, 2, 3], x = [0, 1, 4, 9], w = [-1, 1] expect f = 6.0"
    assert checked(f"{FILTERED}example first {{ {given} }}").examples[0].sizes == {"N": 4, "K": 2}
    with pytest.raises(SpecError, match=r"`m` is float\[N \+ 1 - K\] with K = 2, N = 4"):
        checked(FILTERED + "example first { " + given.replace("[1, 2, 3]", "[1, 2]") + " }")


def test_lists_integers_and_mixed_precision() -> None:
    compiled = module(SQUARES)
    assert compiled.forward([1, 2], [[1, 0], [0, 1]])[0].dtype == np.float64
    x, w = np.ones(2, np.float32), np.eye(2, dtype=np.float32)
    value, gradients = compiled.value_and_grad(x, w)
    assert value.dtype == np.float32 and {g.dtype for g in gradients} == {np.dtype(np.float32)}
    assert compiled.value_and_grad(x, np.eye(2))[1].x.dtype == np.float64


def test_fixed_dtype_and_sizes_and_wrt() -> None:
    fixed = module(SQUARES, Options(("W",), "float32", (("n", 2),)))
    value, gradients = fixed.value_and_grad(np.ones(2), np.eye(2))
    assert value.dtype == np.float32 and gradients._fields == ("W",)
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        fixed.forward(np.ones(3), np.eye(3))


def test_without_checks_arguments_are_still_converted() -> None:
    unchecked = module(SQUARES, Options(checks=False))
    assert unchecked.value_and_grad([1, 1], [[1, 0], [0, 1]])[0] == 2.0
    assert "got shape" not in gradc.compile(_file(SQUARES), checks=False)
    several = module(
        "input x: float[N]\noutput y = 2 * x\noutput f = sum(x^2)\n", Options(checks=False)
    )
    _, cache = several.forward([1.0, 2.0])
    assert several.backward(cache).x.tolist() == [2.0, 4.0]


def test_names_of_seeds_and_tangents_may_be_those_of_inputs() -> None:
    compiled = module(
        "input x, df: float\nnode h = x * 3\noutput f = sin(x) * h\noutput g = df * h\n"
    )
    _, cache = compiled.forward(0.5, 7.0)
    slope = 3 * (np.cos(0.5) * 0.5 + np.sin(0.5))
    assert compiled.backward(cache, df_=1.0, dg=0.0).x == pytest.approx(slope)
    tangent = module(
        "input x, dx, v_x: float\noutput f = x * dx^2 + v_x\n", Options(emit=("jvp", "hvp"))
    )
    assert tangent.jvp(2.0, 3.0, 0.0, dx_=1.0) == (18.0, 9.0)
    assert tangent.hvp(2.0, 3.0, 0.0, v_dx=1.0).dx == 4.0
    seed = module("input x: float\ndata dout: float\noutput f = x * dout\n")
    assert seed.backward(seed.forward(2.0, 5.0)[1]).x == 5.0


def test_a_branch_chosen_whole_is_copied() -> None:
    compiled = module("input x: float[N]\ninput s: float\noutput f = if s > 0 then x else 2 * x\n")
    x = np.ones(3)
    out, cache = compiled.forward(x, 1.0)
    assert not np.shares_memory(out, x)
    gradients = compiled.backward(cache, np.ones(3))
    assert gradients.x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_repeated_number_chosen_whole_can_be_written_to(level: int) -> None:
    text = "input x: float[N]\ndata c: bool\noutput f = if c then sum(x) else x[-1]\n"
    compiled = module(text, Options(level=level))
    for condition in (True, False):
        assert compiled.value_and_grad(np.ones(3), condition)[1].x.flags.writeable


@pytest.mark.parametrize("text", [
    "output f = sum(if linspace(0, 1, 5) > 0.5 then 1.0 else 0.0)\n",
    "input x: float\noutput _f = x\noutput f = 2 * x\n",
    "input x: float\noutput count = x\noutput count_ = 2 * x\n",
    "input map, y: float\noutput f = map * y\n",
    "input arguments, a_rather_long_input_name_0, a_rather_long_input_name_1, a_rather_long_input_name_2: float[n]\noutput f = sum(arguments)\n",
])  # fmt: skip
def test_odd_names_and_constants_run(text: str) -> None:
    compiled = module(text)
    count = len(compiled.INPUTS)
    ranked = any("[" in declared for _, declared in compiled.INPUTS.values())
    compiled.forward(*[np.ones(2) if ranked else 2.0 for _ in range(count)])


def test_integer_powers_and_arguments_are_integers() -> None:
    compiled = module("data k: int\noutput n = k^3\n")
    assert compiled.forward(2097153)[0] == 2097153**3
    with pytest.raises(ValueError, match=r"k: expected an integer, got 2\.7"):
        compiled.forward(2.7)


def test_zeros_keep_their_sign() -> None:
    compiled = module(
        "input x: float\noutput a = x / 0.0\noutput b = x / (-0.0)\noutput c = 1 / (0 - x)\n"
    )
    out = compiled.forward(1.0)[0]
    assert (out.a, out.b) == (np.inf, -np.inf)
    assert compiled.forward(0.0)[0].c == np.inf


def _file(text: str) -> Path:
    import tempfile

    path = Path(tempfile.mkdtemp()) / "model.grad"
    path.write_text(text, encoding="utf-8")
    return path


def test_gradients_are_written_into_given_arrays() -> None:
    compiled = module(SQUARES)
    out = compiled.Gradients(np.empty(2), np.empty((2, 2)))
    _, gradients = compiled.value_and_grad(np.ones(2), np.eye(2), out)
    assert gradients.x is out.x and gradients.W is out.W
    np.testing.assert_array_equal(out.x, compiled.value_and_grad(np.ones(2), np.eye(2))[1].x)


def test_seeds_of_several_outputs_have_keywords_and_defaults() -> None:
    compiled = module((GOLDEN / "outputs.grad").read_text(encoding="utf-8"))
    arguments = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 2.0]), 2
    _, cache = compiled.forward(*arguments, K=1)
    only_objective = compiled.backward(cache)
    np.testing.assert_array_equal(only_objective.W, compiled.value_and_grad(*arguments, K=1)[1].W)
    silent = compiled.backward(cache, denergy=0.0)
    assert not silent.W.any() and not silent.x.any()
    first = compiled.backward(cache, denergy=0.0, dfirst=np.array([5.0, 7.0]))
    np.testing.assert_array_equal(first.x, [5.0, 7.0])
    with pytest.raises(ValueError, match=r"dy: expected float\[N\], got shape \(3,\)"):
        compiled.backward(cache, dy=np.ones(3))


def test_an_array_output_needs_its_gradient() -> None:
    compiled = module("input x: float[N]\noutput y = 2 * x\n")
    _, cache = compiled.forward([1.0, 2.0])
    with pytest.raises(TypeError):
        compiled.backward(cache)
    np.testing.assert_array_equal(compiled.backward(cache, [3.0, 4.0]).x, [6.0, 8.0])


def test_the_same_spec_gives_the_same_bytes() -> None:
    spec = EXAMPLES / "network.grad"
    outputs = set()
    for seed in ("0", "1", "2"):
        code = f"import gradc, sys; sys.stdout.buffer.write(gradc.compile({str(spec)!r}).encode())"
        environment = {"PYTHONHASHSEED": seed}
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                                env=environment)  # fmt: skip
        outputs.add(result.stdout)
    assert len(outputs) == 1


def test_the_same_bytes_wherever_nodes_lie() -> None:
    """Nodes in sets are in the order of their addresses: what is compiled between lies there."""
    names = ["gaussian", "sequences/hmm", "physics/nbody", "gradbench/det"]
    found: dict[str, set[str]] = {name: set() for name in names}
    for order in permutations(names, 2):
        for name in order:
            text = gradc.compile(EXAMPLES / f"{name}.grad", level=1, emit=("all",))
            found[name].add(text)
    assert [name for name, texts in found.items() if len(texts) > 1] == []


def test_functions_are_reentrant() -> None:
    compiled = module(SQUARES)
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=20), rng.normal(size=(20, 20))) for _ in range(4)]
    wanted = [compiled.value_and_grad(*case)[1].W for case in cases]
    wrong: list[int] = []

    def work(position: int) -> None:
        for _ in range(200):
            if not np.array_equal(compiled.value_and_grad(*cases[position])[1].W, wanted[position]):
                wrong.append(position)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_named_tuples_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.grad"
    path.write_text(SQUARES, encoding="utf-8")
    model = gradc.load(path)
    _, gradients = model.value_and_grad([1.0], [[1.0]])
    again = pickle.loads(pickle.dumps(gradients))
    assert type(again) is type(gradients) and again.W == gradients.W


def test_tracebacks_show_the_line_of_the_spec() -> None:
    compiled = module(SQUARES, Options(checks=False))
    with pytest.raises(ValueError) as caught:
        compiled.forward(np.ones(2), np.ones((3, 3)))
    assert "q = W @ x  # line 3" in str(caught.getrepr(style="native"))


@pytest.mark.parametrize(("operand", "written"), [
    ("a**2 / b", "-(a**2) / b"),
    ("(a + b) ** 2", "-((a + b) ** 2)"),
    ("(a**2 + b) * c", "-(a**2 + b) * c"),
    ("σ**2 * f(a**2)", "-(σ**2) * f(a**2)"),
    ("-a / b", "-(-a / b)"),
])  # fmt: skip
def test_what_stands_behind_a_minus_sign(operand: str, written: str) -> None:
    assert fill("-{x}", {"x": Expression(operand, PRODUCT)}, lambda name: None).text == written


@pytest.mark.parametrize(("function", "options", "written"), [
    ("np.sum({x}{, axis}{, keepdims})", {}, "(a + b).sum()"),
    ("np.sum({x}{, axis}{, keepdims})", {"keepdims": "True"}, "(a + b).sum(keepdims=True)"),
    ("np.max({x}{, axis}, initial=-np.inf)", {}, "(a + b).max(initial=-np.inf)"),
    ("np.reshape({x}, {shape})", {"shape": "(n,)"}, "(a + b).reshape((n,))"),
    ("np.dot(np.ravel({x}), np.ravel({x}))", {}, "np.dot((a + b).ravel(), (a + b).ravel())"),
    ("np.any({x}{, axis})", {}, "np.any(a + b)"),
])  # fmt: skip
def test_methods(function: str, options: dict[str, str], written: str) -> None:
    operands = {"x": Expression("a + b", SUM)}
    assert fill(with_methods(function), operands, options.get).text == written


LINTED = [
    SQUARES,
    "input a, b: float > 0\noutput f = (if a > b then log(a) else b^a) * clip(a, 0, 1)\n",
    "input x: float[N]\ninput s: float\nnode y = if x > 0 then log(x) * s else x / s\noutput f = sum(y)\n",
    "data k: int[N]\ndata m: bool[N]\ninput x: float[N]\noutput f = sum(if m then x * k else x^k)\n",
    "input A: float[M, N]\nnode p = prod(A, axis=0) + max(A, axis=0)\noutput f = sum(softmax(A) * p)\n",
    "input x: float[N]\nscan t in 1..N { state a = false state n = 0 state s = x[0] next a = not a next n = n + 1 "
    "next s = if a then s * x[t] else s + n emit e = s }\noutput f = sum(e) + s\n",
    "## " + "word " * 16 + "words\ninput x: float\noutput f = x\n",
    "input x: float[2*N+1]\nsize K = 3\noutput y = concat(x[1:N], [1.0, 2.0]) * K\noutput n = N\n",
    # Gradients that are what arrives, or made of that alone.
    "input x: float[N]\ninput c: float\noutput f = sum(sin(x)) + c\n",
    "input x: float[N]\ninput c, d: float\noutput f = sum(x^2) + (if d > 0 then 2 * c else d)\n",
]
LINTED_WITH = [
    # A function in a block that must not warn: its empty lines are empty.
    ("input x: float[N]\ninput c: float\noutput f = if c > 0 then sum(sqrt(x) * log(x) * sin(x) + 1 / x) else c\n",
     Options(level=2, threads=2)),
    # Both branches are the same once their parts are added.
    ("input x: float[N]\ninput c: float\nscan t in 0..N { state s = c next s = if x[t] > 0 then s else s + x[t]^2 }\noutput f = s\n",
     Options(level=0)),
]  # fmt: skip


def test_linters_and_type_checkers_have_nothing_to_say(tmp_path: Path) -> None:
    """All golden modules, all examples with all there is to emit, and more, as generated."""
    for spec in EXAMPLES.rglob("*.grad"):
        program = driver.checked(driver.read(spec))
        if not program.is_library:
            text = driver.python(driver.compiled(program, Options(emit=("all",))))
            name = "_".join(spec.relative_to(EXAMPLES).with_suffix("").parts)
            (tmp_path / f"example_{name}.py").write_text(text, encoding="utf-8")
    for position, text in enumerate(LINTED):
        (tmp_path / f"linted_{position}.py").write_text(source_text(text), encoding="utf-8")
    for position, (text, options) in enumerate(LINTED_WITH):
        written = driver.python(driver.compiled(checked(text), options))
        (tmp_path / f"linted_with_{position}.py").write_text(written, encoding="utf-8")
    for path in GOLDEN.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert_clean(tmp_path)


@pytest.mark.parametrize("file", sorted({*ARRAYS, *SCALARS, *ARRAY_CHECKS, *SCALAR_CHECKS}))
def test_kernels_are_what_python_finds(file: str) -> None:
    text = resources.files("gradc.dsl.kernels").joinpath(f"{file}.py").read_text("utf-8")
    definitions = [
        node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    lines = text.split("\n")
    expected = {n.name: "\n".join(lines[n.lineno - 1 : n.end_lineno]) for n in definitions}
    assert {name: kernel.source for name, kernel in kernels((file,)).items()} == expected
