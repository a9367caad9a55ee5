"""``--emit check``: modules that hold their own gradients against differences, run as users do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.compilation import Options
from gradc.dsl.source import Source

from .helpers import assert_clean

ROOT = Path(__file__).parent.parent
HOMEWORK = ROOT / "examples" / "homework"
OUTPUTS = "input x: float[n]\ninput s: float\noutput y = sin(x) * s\noutput z = sum(x^2) / s\n"
SIZES = "input X: float[N, D+1]\ninput w: float[D+1]\ninput b: float[2*K]\ndata t: float[N]\noutput f = sum((X @ w - t)^2) / N + sum(b^3) + D\n"
DOMAINS = "input p: float[N] in 0..1\ninput s: float > 0\ninput u: float[N] < -3\ninput c: float in 2..3\noutput f = sum(log(p) * s) + sqrt(s) + sum(log(-3 - u)) / log(c)\n"
INTS = (
    "input x: float[N]\ndata k: int[N] in 0..N\ndata m: int\noutput f = sum(x^2 * k) + m * x[0]\n"
)
BOOLS = (
    "input x: float[N]\ndata keep: bool[N]\noutput f = sum(if keep then x^2 else 3 * x) + norm(x)\n"
)
LINEAR = "size S\ninput x: float[S+N]\ninput y: float[N]\noutput f = sum(x^2) * S + sum(y) ^ 2\n"
OPEN = "size S\nsize T\ninput y: float[N]\noutput f = sum(y)^2 * S + T\n"
KINK = "input x: float[3]\noutput f = sum(relu(x) + 2 * abs(x))\nexample a { given x = [0.0, 1.0, 0.0] }\n"
SCALAR_KINK = "input a, b: float\noutput f = relu(a) * b\nexample a { given a = 0.0, b = 2.0 }\n"
LOGS = "input x: float[N]\ninput y: float\noutput f = sum(log(x - 1)) * sqrt(y)\n"
RANDOM = "input x: float[N, 3]\ninput s: float\noutput f = sum(tanh(x)) * s\nexample r { given x = normal([40, 3], seed=1), s = 2 }\n"
LONG = "input x: float[12]\noutput f = sum(x^2)\nexample l { given x = [1.125, 2.125, 3.125, 4.125, 5.125, 6.125, 7.125, 8.125, 9.125, 10.125, 11.125, -12.125] }\n"
NAMES = "input check, seed, rng, point, rows, np, sys, math, forward, x_0: float[2]\noutput f = sum(check * seed * rng + point * rows^2 + np * sys * math + forward * x_0)\n"
SCALAR_NAMES = "input check, seed, random, sys, math: float\noutput f = check * seed + sin(random) * sys * exp(math)\ndata k: int in 2..4\ndata b: bool\noutput g = if b then random * k else random\n"
BROAD = "input W: float[2, 3]\ninput b: float[3]\ninput x: float[4, 2]\nnode m = x @ W + b\noutput f = sum(tanh(m))\nexample e { given W = [[0.3, -0.5, 0.2], [0.7, 0.1, -0.9]], b = [0.1, 0.2, 0.3], x = normal([4, 2]) }\n"
CANCELS = "input x: float[N]\noutput f = sum(softmax(x))\n"
STEEP = "input x: float[2]\noutput f = sum(cbrt(x))\nexample a { given x = [0.0, 2.0] }\n"
MINIMUM = "data x: float[4]\ninput w: float[2]\noutput f = mean((windows(x, 2) @ w - [1, 3, 5])^2)\nexample e { given x = [0, 1, 4, 9], w = [-1, 1] }\n"
SPECS = {
    "minimum": MINIMUM, "cancels": CANCELS, "steep_kink": STEEP, "outputs": OUTPUTS, "sizes": SIZES, "domains": DOMAINS, "ints": INTS, "bools": BOOLS,
    "open": OPEN, "linear": LINEAR, "kink": KINK, "scalar_kink": SCALAR_KINK, "logs": LOGS, "random": RANDOM,
    "long": LONG, "names": NAMES, "scalar_names": SCALAR_NAMES, "broad": BROAD,
    "problem1": (HOMEWORK / "problem1.grad").read_text("utf-8"),
    "problem2": (HOMEWORK / "problem2.grad").read_text("utf-8"),
}  # fmt: skip
CHECK = Options(emit=("check",))


def emit(spec: str, **more: object) -> Options:
    """All functions that the specification can have."""
    objective = driver.checked(Source(spec)).graph.interface.objective
    words = ("jvp", "jacobian", "check") + ("hvp", "hessian") * (objective is not None)
    return Options(emit=words, **more)  # type: ignore[arg-type]


def text_of(spec: str, options: Options | None = None) -> str:
    program = driver.checked(Source(spec, "model.grad"))
    return driver.python(driver.compiled(program, options or emit(spec)))


def run(
    folder: Path, text: str, *words: str, modules: str = ""
) -> subprocess.CompletedProcess[str]:
    """``python model.py WORDS`` in a folder where nothing but NumPy can be imported."""
    path = folder / "model.py"
    path.write_text(text, encoding="utf-8")
    hidden = "gradc, dsl, compiler, lark, networkx, click" + modules
    banned = "".join(f"sys.modules[{name!r}] = None; " for name in hidden.split(", "))
    start = f"import sys, runpy; {banned}sys.argv = ['model.py', *{list(words)}]; runpy.run_path('model.py', run_name='__main__')"
    command = [sys.executable, "-I", "-W", "error", "-c", start]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


def table(output: str) -> dict[tuple[str, str], list[str]]:
    """The cells of the table by function and input."""
    head, *lines = output.splitlines()
    starts = [m.start() for m in re.finditer(r"\S+(?: \S+)*", head)]
    rows = {}
    for line in lines:
        if line.startswith(("All ", "WRONG ")) or " lines are wrong" in line:
            break
        ends = [*starts[1:], None]
        cells = [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
        rows[cells[0], cells[1]] = cells[2:]
    return rows


@pytest.mark.parametrize("name", SPECS)
def test_a_right_module_holds(name: str, tmp_path: Path) -> None:
    result = run(tmp_path, text_of(SPECS[name]), "--check")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    rows = table(result.stdout)
    assert {function.split()[0] for function, _ in rows} >= {"backward", "jvp"}
    if "kink" not in name:
        assert all(int(cells[1]) > 0 and cells[2] == "0" for cells in rows.values()), result.stdout


def test_in_its_own_process(tmp_path: Path) -> None:
    """``python -I model.py``, without any preparation."""
    (tmp_path / "model.py").write_text(text_of(SPECS["problem2"], CHECK), encoding="utf-8")
    command = [sys.executable, "-I", "model.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0 and "value_and_grad  W      (3, 3)  9" in result.stdout


def test_scalar_modules_need_no_numpy(tmp_path: Path) -> None:
    for name in ("problem1", "scalar_names", "scalar_kink"):
        result = run(tmp_path, text_of(SPECS[name]), "--check", modules=", numpy")
        assert result.returncode == 0, result.stderr


def test_kinks_are_counted_and_not_compared(tmp_path: Path) -> None:
    rows = table(run(tmp_path, text_of(KINK), "--check").stdout)
    assert rows["backward", "x"][1:3] == ["1", "2"]
    assert rows["value_and_grad", "x"][1:3] == ["1", "2"]
    result = run(tmp_path, text_of(SCALAR_KINK), "--check")
    rows = table(result.stdout)
    assert rows["backward", "a"][1:4] == ["0", "1", "-"] and rows["backward", "b"][1] == "1"
    assert "at kinks or edges" in result.stdout
    spec = "input x: float\noutput f = abs(x)\nexample a { given x = 0 }\n"
    result = run(tmp_path, text_of(spec, CHECK), "--check")
    assert result.returncode == 0 and "Nothing was compared" in result.stdout


def test_generated_data_is_mixed(tmp_path: Path) -> None:
    """Each value of a range, and both truth values, stand somewhere whatever the seed is."""
    text = text_of(INTS + "data keep: bool[N]\n", CHECK)
    watched = text.replace(
        "    rows = _check_backward(",
        "    print(sorted(point['k'].tolist()), sorted(point['keep'].tolist()))\n    rows = _check_backward(",
        1,
    )
    for seed in range(5):
        result = run(tmp_path, watched.replace("seed: int = 0", f"seed: int = {seed}"), "--check")
        assert result.stdout.startswith("[0, 1] [False, True]\n"), result.stdout


def test_points_at_the_edge_of_a_domain_are_counted(tmp_path: Path) -> None:
    spec = (
        "input p: float[3] in 0..1\noutput f = sum(p^2)\nexample e { given p = [0.0, 0.5, 1.0] }\n"
    )
    rows = table(run(tmp_path, text_of(spec), "--check").stdout)
    assert rows["backward", "p"][1:3] == ["1", "2"]


def test_large_inputs_are_sampled_by_the_seed(tmp_path: Path) -> None:
    text = text_of(RANDOM, CHECK)
    first, again = run(tmp_path, text, "--check"), run(tmp_path, text, "--check")
    assert first.stdout == again.stdout
    assert table(first.stdout)["backward", "x"][:2] == ["(40, 3)", "64"]
    (tmp_path / "other.py").write_text("import model\nraise SystemExit(model.check(seed=7))\n")
    command = [sys.executable, "other.py"]
    other = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert other.returncode == 0 and other.stdout != first.stdout


# ── Wrong modules ───────────────────────────────────────────────────────────

# Each with what is replaced in one function, and the rows that must be wrong.
WRONG = {
    "sign": ("problem2", "backward", "np.outer(d_m, x)", "-np.outer(d_m, x)", "W"),
    "factor": ("problem2", "backward", "2 * q * dout", "q * dout", "W"),
    "seed": ("problem2", "backward", "2 * q * dout", "2 * q", "x"),
    "transpose": ("broad", "backward", "d_m @ W.T", "d_m @ np.reshape(W, (3, 2))", "x"),
    "one entry": ("broad", "backward", "return Gradients(", "d_W[1, 2] *= 1.01; return Gradients(", "W[1, 2]"),
    "sum": ("broad", "backward", "np.sum(d_m, axis=0)", "d_m[0]", "b"),
    "nan": ("problem2", "backward", "np.outer(d_m, x)", "np.outer(d_m, x) * np.nan", "W"),
    "at once": ("problem2", "value_and_grad", "np.outer(d_m, x)", "np.outer(d_m, x) * 2", "W"),
    "scalar": ("problem1", "backward", "d_b * w2", "d_b * x2 * -w2", "x2"),
    "minimum": ("minimum", "backward", "return Gradients(", "return Gradients(1e-9 + ", "w"),
    "jvp": ("problem2", "jvp", "dW @ x + W @ dx", "dW @ x - W @ dx", "x"),
    "hvp": ("problem2", "hvp", "return Gradients(", "return Gradients(2 * ", "x"),
    "jacobian": ("problem2", "jacobian", "backward(cache)", "backward(cache, 1.001)", "x"),
    "hessian": ("problem2", "hessian", "HessianRow(product_3,", "HessianRow(product_3.T @ product_3,", "x"),
}  # fmt: skip


def corrupted(text: str, function: str, old: str, new: str) -> str:
    head, mark, rest = text.partition(f"\ndef {function}(")
    body, end, tail = rest.partition("\n\n\n")
    assert old in body, body
    return head + mark + body.replace(old, new) + end + tail


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_module_is_found_out(kind: str, tmp_path: Path) -> None:
    name, function, old, new, place = WRONG[kind]
    result = run(tmp_path, corrupted(text_of(SPECS[name]), function, old, new), "--check")
    assert result.returncode == 3, result.stdout + result.stderr
    said = [line for line in result.stdout.splitlines() if line.startswith(f"WRONG {function}: ")]
    named = [line for line in said if line.startswith(f"WRONG {function}: {place}")]
    assert named, result.stdout
    scalar = name == "problem1"
    assert scalar or re.match(rf"WRONG {function}: \w+\[[\d, ]+\] is ", named[0]), named
    assert ("backward gives" if function in ("jvp", "jacobian") else "differences give") in named[0]
    assert "lines are wrong" in result.stdout


# ── What it combines with ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["minimum", "problem2", "outputs", "sizes", "domains", "random", "broad"]
)
def test_single_precision(name: str, tmp_path: Path) -> None:
    text = text_of(SPECS[name], emit(SPECS[name], dtype="float32"))
    for seed in range(5):
        source = text.replace("seed: int = 0", f"seed: int = {seed}")
        result = run(tmp_path, source, "--check")
        assert result.returncode == 0, result.stdout
    if name == "problem2":
        wrong = corrupted(text, "backward", "np.outer(d_m, x)", "np.outer(d_m, x) * 1.05")
        assert run(tmp_path, wrong, "--check").returncode == 3


def test_other_options(tmp_path: Path) -> None:
    result = run(
        tmp_path, text_of(SPECS["problem2"], emit(SPECS["problem2"], wrt=("W",))), "--check"
    )
    assert {name for _, name in table(result.stdout)} == {"W"} and result.returncode == 0
    options = emit(SPECS["problem2"], sizes=(("n", 5),), checks=False)
    result = run(tmp_path, text_of(SPECS["problem2"], options), "--check")
    assert table(result.stdout)["backward", "W"][0] == "(5, 5)" and result.returncode == 0
    result = run(tmp_path, text_of(DOMAINS, Options(emit=("check",), checks=False)), "--check")
    assert result.returncode == 0


def test_nothing_to_check() -> None:
    for spec in ("data x: float\noutput f = x\n", "input x: float\noutput k = x > 0\n"):
        with pytest.raises(
            driver.UsageError,
            match=r"--emit check: there is no (input with a gradient|output that is a float)",
        ):
            text_of(spec, CHECK)


def test_the_command_line_of_a_module(tmp_path: Path) -> None:
    for name in ("problem1", "problem2"):
        text = text_of(SPECS[name], CHECK)
        alone = run(tmp_path, text)
        assert alone.returncode == 0 and alone.stdout.startswith("Homework, problem")
        assert "usage: python model.py --check" in alone.stdout
        for words in (["--chek"], ["--check", "1"], ["-h"]):
            result = run(tmp_path, text, *words)
            assert result.returncode == 2 and result.stderr == "usage: python model.py --check\n"


def test_linters_have_nothing_to_say(tmp_path: Path) -> None:
    for name, spec in SPECS.items():
        (tmp_path / f"all_{name}.py").write_text(text_of(spec), encoding="utf-8")
        (tmp_path / f"check_{name}.py").write_text(text_of(spec, CHECK), encoding="utf-8")
    assert_clean(tmp_path)


def test_nothing_that_is_copied_is_unused() -> None:
    """Every helper of the module is mentioned beside where it is defined; the text is the same
    every time."""
    for spec in SPECS.values():
        for options in (CHECK, emit(spec)):
            text = text_of(spec, options)
            assert text == text_of(spec, options)
            for name in re.findall(r"^(?:def|class) (_\w+)", text, re.MULTILINE):
                assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_the_two_kinds_of_entries_have_the_same_functions() -> None:
    from gradc.dsl.kernels import kernels

    of_arrays, of_scalars = kernels(("array_entries",)), kernels(("scalar_entries",))
    assert set(of_arrays) - {"_mixed"} == set(of_scalars)


def test_the_slope_knows_its_error() -> None:
    from gradc.dsl.kernels.checking import _slope

    epsilon = float(np.finfo(float).eps)
    found = _slope(lambda s: float(np.exp(1.0 + s)), 1.0, epsilon * np.e, epsilon)
    assert found is not None and abs(found[0] - np.e) <= 10 * found[1] < 1e-6
    assert _slope(abs, 0.0, 0.0, epsilon) is None
    assert _slope(lambda s: 1e-9 * abs(s), 0.0, 0.0, epsilon) is None
    assert _slope(lambda s: float(s > 0), 0.0, epsilon, epsilon) is None
    assert _slope(lambda s: float("nan") if s < 0 else s, 0.0, 0.0, epsilon) is None
    near = _slope(lambda s: abs(s - 1e-5), 0.0, epsilon * 1e-5, epsilon)
    assert near is not None and abs(near[0] + 1.0) < 1e-6
