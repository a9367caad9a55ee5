"""``gradc grade``: right gradients are accepted, mistakes named, and never a wrong one."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradc.compiler import driver
from gradc.compiler.given import Inputs, from_example
from gradc.compiler.grading.answers import Answers, verdict
from gradc.compiler.grading.diagnose import Diagnoser, Slips
from gradc.compiler.grading.grade import grade
from gradc.compiler.grading.points import points
from gradc.compiler.grading.report import as_json, failure_json
from gradc.compiler.grading.student import StudentError
from gradc.compiler.grading.student import run as run_student
from gradc.dsl.check import Checked
from gradc.dsl.source import Source

from .test_cli import run

ROOT = Path(__file__).parent.parent
STUDENTS = Path(__file__).parent / "students"
SPECS = {
    "problem1": ROOT / "examples" / "homework" / "problem1.grad",
    "problem2": ROOT / "examples" / "homework" / "problem2.grad",
    "network": ROOT / "examples" / "network.grad",
    "rosenbrock": ROOT / "examples" / "rosenbrock.grad",
}


def spec_of(student: Path) -> Path:
    return SPECS[student.stem.partition("_")[0]]


def graded(student: Path, spec: Path | None = None) -> tuple[int, Any]:
    """The exit status and the JSON, without the start of a command."""
    path = spec or spec_of(student)
    program = driver.checked(driver.read(path))
    inputs = from_example(program, None)
    try:
        found = grade(program, str(path), inputs, student, None, 10.0)
    except StudentError as error:
        return 2, json.loads(failure_json(str(path), str(student), error))
    return 0 if found.is_right else 3, json.loads(as_json(found))


def kinds(found: Any) -> list[list[str]]:
    """The kinds of the first alternative of each diagnosis."""
    return [[m["kind"] for m in d["alternatives"][0]["mistakes"]] for d in found["diagnoses"]]


# ── Files as students write them ────────────────────────────────────────────

EXPECTED: dict[str, tuple[float, list[list[str]]]] = {
    "problem1_right": (1, []),
    "problem1_square": (0.5, [["factor"]]),
    "problem1_cosine": (0.5, [["sign"]]),
    "problem1_product": (0.75, [["wrong-operand"]]),
    "problem1_nodes": (0.5, [["local-forgotten"]]),
    "problem2_right": (1, []),
    "problem2_transpose": (0.5, [["missing-transpose"]]),
    "problem2_output": (0, [["wrong-point"]]),
    "problem2_two": (0, [["missing-transpose", "factor"]]),
    "problem2_differences": (1, []),
    "problem2_single": (1, []),
    "network_right": (1, []),
    "network_mean": (0, [["missing-count"]]),
    "network_sum": (0.75, [["missing-sum"]]),
    "network_mask": (0.5, [["mask-of-gradient"]]),
    "network_means": (0.5, [["mean-for-sum", "mean-for-sum"]]),
    "network_two": (0.25, [["keepdims", "mask-missing", "keepdims"]]),
    "network_noise": (0.75, []),
    "network_softmax": (0, [["softmax-elementwise"]]),
    "rosenbrock_inner": (0, [["factor"]]),
    "rosenbrock_overwritten": (0, [["overwritten"]]),
}


@pytest.mark.parametrize("name", [p.stem for p in sorted(STUDENTS.glob("*.py"))])
def test_students(name: str) -> None:
    status, found = graded(STUDENTS / f"{name}.py")
    score, expected = EXPECTED[name]
    assert found["score"] == score and status == (0 if score == 1 else 3)
    assert kinds(found) == expected
    assert bool(found["unexplained"]) == (name == "network_noise")


def test_every_expected_student_exists() -> None:
    assert set(EXPECTED) == {p.stem for p in STUDENTS.glob("*.py")}


def test_the_place_of_a_mistake_is_shown() -> None:
    result = run("grade", SPECS["problem2"], STUDENTS / "problem2_transpose.py")
    assert result.returncode == 3
    assert "problem2.grad:6:10: mistake: a transpose is missing" in result.stdout
    assert "^^^^^ dx = Wᵀ dm" in result.stdout and "dx = W dm" in result.stdout


def test_equal_mistakes_are_alternatives() -> None:
    result = run("grade", SPECS["problem1"], STUDENTS / "problem1_square.py")
    lines = result.stdout.splitlines()
    assert any("grad:7:11: mistake: a factor 2 is missing" in line for line in lines)
    assert sum("or, with the same numbers" in line for line in lines) == 2


def test_gradients_of_nodes_say_where() -> None:
    """The same numbers come from several places, of which the nodes leave one."""
    _, found = graded(STUDENTS / "problem1_nodes.py")
    assert [v["name"] for v in found["nodes"] if v["verdict"] == "right"] == ["s", "s2", "e"]
    (only,) = found["diagnoses"][0]["alternatives"]
    assert [m["node"] for m in only["mistakes"]] == ["s"]


# ── Mistakes made by the mutations themselves ───────────────────────────────

MATRICES = """
input A: float[M, K]
input B: float[K, N]
input c: float[N]
data t: float[M, N]
node P = A @ B + c
node h = tanh(P) * exp(-P)
node best = maximum(h, t)
output f = mean((softmax(best) - t)^2) + sum(log(1 + A^2)) / M
example e { given A = normal([2, 3], seed=1), B = normal([3, 4], seed=2), c = normal([4], seed=3),
  t = normal([2, 4], seed=4) }
"""
USES = """
input x: float[N]
input k: float
node a = x[1:] * x[:-1]
node u = sqrt(x^2 + 1)
node w = if x > 0 then u else k * u
output f = sum(a) / k + max(u * w) + norm(x - mean(x)) + sum(abs(x)) + logsumexp(x)
example e { given x = [0.5, -1.0, 2.0, 0.3], k = 1.5 }
"""
LOOP = """
input U: float[H, H]
input b: float[H]
data xs: float[T, H]
scan t in 0..T {
  state h: float[H] = zeros(H)
  next h = tanh(U @ h + xs[t] + b)
}
output f = sum(h^2)
example e { given U = normal([3, 3], seed=1), b = normal([3], seed=2), xs = normal([4, 3], seed=3) }
"""
TEXTS = {"matrices": MATRICES, "uses": USES, "loop": LOOP}
PLACES = {
    **SPECS,
    "linear": ROOT / "examples" / "linear_regression.grad",
    "logistic": ROOT / "examples" / "logistic_regression.grad",
    "attention": ROOT / "examples" / "arrays" / "attention.grad",
}


def program_of(name: str) -> Checked:
    if name in TEXTS:
        return driver.checked(Source(TEXTS[name], f"{name}.grad"))
    return driver.checked(driver.read(PLACES[name]))


class Case:
    """A specification, where it is compared, and what any mistake makes of its gradients."""

    def __init__(self, name: str) -> None:
        self.program = program_of(name)
        self.points = points(self.program, from_example(self.program, None))
        interface = self.program.interface
        self.wanted = [i.name for i in interface.inputs if i.differentiated and i.type.is_float]
        right = [{n: p.gradients[n] for n in self.wanted} for p in self.points]
        self.judge = Diagnoser(self.program, self.points, Answers(tuple(right)))
        assert len(self.judge.trials) == len(self.points)

    def answers(self, slips: Slips) -> Answers | None:
        """What a student returns who makes these mistakes; nothing if it never works."""
        found = {id(t.point): t.gradients(slips) for t in self.judge.trials}
        if all(v is None for v in found.values()):
            return None
        return Answers(tuple(found[id(p)] for p in self.points))

    def wrong(self, answers: Answers) -> list[str]:
        verdicts = [verdict(n, answers, self.points) for n in self.wanted]
        return [v.name for v in verdicts if v.is_wrong]

    def diagnosed(self, answers: Answers) -> list[Any]:
        return Diagnoser(self.program, self.points, answers).diagnose(self.wrong(answers))


@pytest.mark.parametrize("name", [*TEXTS, *PLACES])
def test_every_mistake_is_found(name: str) -> None:
    """Each single mistake is diagnosed, alone or with others that give the same numbers."""
    case = Case(name)
    slips = random.Random(3).sample(case.judge.slips, min(20, len(case.judge.slips)))
    found = 0
    for slip in slips:
        answers = case.answers((slip,))
        if answers is None or not case.wrong(answers):
            continue
        diagnoser = Diagnoser(case.program, case.points, answers)
        if not diagnoser.tells_apart:
            continue
        (diagnosis,) = diagnoser.diagnose(case.wrong(answers))
        assert (slip,) in diagnosis.alternatives, slip
        found += 1
    assert found >= 5


def test_all_kinds_are_made() -> None:
    from gradc.compiler.grading.mutations import TITLES

    made = {slip.kind for name in (*TEXTS, *PLACES) for slip in Case(name).judge.slips}
    assert made == set(TITLES)


@pytest.mark.parametrize("name", ["problem1", "problem2", "matrices", "uses", "network"])
def test_two_mistakes_are_never_taken_for_others(name: str) -> None:
    """Whatever is said of two mistakes gives the student's numbers on new inputs as well."""
    case = Case(name)
    fresh = Case(name)
    rng = random.Random(5)
    single = [s for s in case.judge.slips if (a := case.answers((s,))) and case.wrong(a)]
    said = 0
    for _ in range(4):
        a, b = rng.sample(single, 2)
        if (a.place, a.position) == (b.place, b.position):
            continue
        both = tuple(sorted((a, b), key=lambda s: s.place))
        answers = case.answers(both)
        if answers is None or not case.wrong(answers):
            continue
        for diagnosis in case.diagnosed(answers):
            for alternative in diagnosis.alternatives:
                said += 1
                _same(fresh, both, alternative, diagnosis.explains)
    assert said


def _same(case: Case, made: Slips, claimed: Slips, names: Sequence[str]) -> None:
    for trial in case.judge.trials:
        student, claim = trial.gradients(made), trial.gradients(claimed)
        if student is None:
            continue
        assert claim is not None
        for name in names:
            assert trial.comparer.same(name, student[name], claim[name]), (made, claimed)


@pytest.mark.parametrize("name", ["problem1", "problem2", "matrices", "network", "linear"])
def test_noise_is_no_mistake_that_is_known(name: str) -> None:
    case = Case(name)
    rng = np.random.default_rng(1)
    noisy = [
        {n: p.gradients[n] + rng.normal(size=np.shape(p.gradients[n])) for n in case.wanted}
        for p in case.points
    ]
    answers = Answers(tuple(noisy))
    assert case.wrong(answers) == case.wanted and case.diagnosed(answers) == []


def test_sizes_are_told_apart() -> None:
    """A row stays what it is, and what only counts rows or stands in inputs is changed."""
    program = program_of("network")
    found = points(program, from_example(program, "random"))
    sizes = {tuple(sorted(p.sizes.items())) for p in found[-2:]}
    assert len(sizes) == 1
    other = dict(next(iter(sizes)))
    assert other["D"] == 3 and other["C"] == 2 and other["N"] != 8 and other["H"] != 5
    assert all(np.allclose(np.sum(p.values["target"], axis=1), 1) for p in found)


# ── What a file may hand in ─────────────────────────────────────────────────

HEAD = "import numpy as np\ndef parts(x, W):\n    q = 1 / (1 + np.exp(-(W @ x)))\n    d = 2 * q * q * (1 - q)\n    return W.T @ d, np.outer(d, x)\n"
STYLES = {
    "tuple": "def backward(x, W):\n    return parts(x, W)\n",
    "list": "def grad(x, W):\n    return list(parts(x, W))\n",
    "by name": "def gradient(W, x):\n    a, b = parts(x, W)\n    return {'W': b, 'x': a}\n",
    "other names": "def gradients(a, b):\n    return parts(a, b)\n",
    "any names": "def backward(*args):\n    return parts(*args)\n",
    "keywords": "def backward(**given):\n    return parts(**given)\n",
    "a dictionary": "def backward(inputs):\n    return parts(**inputs)\n",
    "what arrives": "def backward(x, W, dout):\n    return tuple(dout * p for p in parts(x, W))\n",
    "value": "def value_and_grad(x, W):\n    return 0.5, parts(x, W)\n",
    "value first": "def my_grad(x, W):\n    q = 1 / (1 + np.exp(-(W @ x)))\n    return q @ q, parts(x, W)\n",
    "cache": "def forward(x, W):\n    return 1.0, (x, W)\ndef backward(cache):\n    return parts(*cache)\n",
    "cache apart": "def forward(x, W):\n    return 1.0, (x, W)\ndef backward(x, weights):\n    return parts(x, weights)\n",
    "cache and seed": "def forward(x, W):\n    return 1.0, {'x': x, 'W': W}\ndef backward(dout, cache):\n    return parts(**cache)\n",
    "named tuple": "from collections import namedtuple\nG = namedtuple('G', 'dW dx')\ndef backward(x, W):\n    a, b = parts(x, W)\n    return G(b, a)\n",
    "data class": "from dataclasses import dataclass\n@dataclass\nclass G:\n    grad_W: object\n    grad_x: object\ndef backward(x, W):\n    a, b = parts(x, W)\n    return G(b, a)\n",
    "fractions": "def backward(x, W):\n    a, b = parts(x, W)\n    return {'dL/dW': b, 'df_dx': a}\n",
    "lists inside": "def backward(x, W):\n    a, b = parts(x, W)\n    return {'∂f/∂W': b.tolist(), 'grad(x)': a.tolist()}\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_styles(style: str, tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    path.write_text(HEAD + STYLES[style], encoding="utf-8")
    status, found = graded(path, spec=SPECS["problem2"])
    assert status == 0, found
    assert [v["verdict"] for v in found["inputs"]] == ["right", "right"]


def test_scalars_in_one_array(tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    text = (STUDENTS / "problem1_right.py").read_text(encoding="utf-8")
    text = text.replace("import math", "import math\nimport numpy as np")
    text = text.replace("return ", "return np.array([").rstrip() + "])\n"
    path.write_text(text, encoding="utf-8")
    assert graded(path, spec=SPECS["problem1"])[0] == 0


def verdicts(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "student.py"
    path.write_text(HEAD + text, encoding="utf-8")
    return graded(path, spec=SPECS["problem2"])[1]


def test_what_is_missing_or_no_array_is_said(tmp_path: Path) -> None:
    found = verdicts(tmp_path, "def backward(x, W):\n    return {'W': 'six'}\n")
    x, w = found["inputs"]
    assert x["verdict"] == "missing" and x["expected_shape"] == [3]
    assert w["verdict"] == "type" and "a str" in w["message"]


def test_shapes_and_nan_are_said(tmp_path: Path) -> None:
    text = "def backward(x, W):\n    a, b = parts(x, W)\n    return a[:, None], b * np.nan\n"
    x, w = verdicts(tmp_path, text)["inputs"]
    assert x["message"] == "has shape [3, 1], expected [3]"
    assert w["verdict"] == "nan" and w["message"].startswith("W[0, 0] is nan, expected 0.086")


def test_patterns(tmp_path: Path) -> None:
    text = "def backward(x, W):\n    a, b = parts(x, W)\n    return {}\n"
    cases = {
        "a, 3 * b": "W: it is 3 times what is right, everywhere",
        "a[::-1], b": "x: the right numbers in another order",
        "b, a": "for x it returns the gradient of W",
        "a, 0 * b": "W: it is 0",
        "a, len(x) * b": "W: it is n times what is right",
    }
    for returned, note in cases.items():
        found = verdicts(tmp_path, text.replace("{}", returned))
        assert any(n.startswith(note) for n in found["notes"]), (returned, found["notes"])


def test_a_function_for_one_size_fails_elsewhere(tmp_path: Path) -> None:
    text = "def backward(x, W):\n    a, b = parts(x, W)\n    return a, b * np.ones((3, 3))\n"
    found = verdicts(tmp_path, text)
    assert found["status"] == "wrong" and found["inputs"][1]["verdict"] == "fails"
    assert any("random inputs with n = 4" in n and "ValueError" in n for n in found["notes"])


def test_one_input_is_not_enough_to_speak(tmp_path: Path) -> None:
    text = (
        "def backward(x, W):\n    a, b = parts(x, W)\n    assert np.all(x == 1)\n    return -a, b\n"
    )
    found = verdicts(tmp_path, text)
    assert found["diagnoses"] == [] and found["unexplained"] == ["x"]
    assert any("too few to tell mistakes apart" in n for n in found["notes"])


def test_changed_inputs_and_wrong_values_are_noted(tmp_path: Path) -> None:
    text = (
        "def value_and_grad(x, W):\n    found = parts(x, W)\n    x[:] = 0\n    return 7.0, found\n"
    )
    notes = " ".join(verdicts(tmp_path, text)["notes"])
    assert "changes its inputs in place: x" in notes
    assert "the value of f itself is wrong at example `hand`: 7" in notes


# ── Files that cannot be run ────────────────────────────────────────────────

FAILURES = {
    "syntax": "def backward(x, W)\n    return 1\n",
    "import": "import nothing_of_this_name\n",
    "exit": "import sys\ndef backward(x, W):\n    sys.exit(3)\n",
    "ended": "import os\ndef backward(x, W):\n    os._exit(0)\n",
    "timeout": "def backward(x, W):\n    while True:\n        pass\n",
    "output": "def backward(x, W):\n    while True:\n        print('y' * 1000)\n",
    "recursion": "def backward(x, W):\n    return backward(x, W)\n",
    "memory": "import numpy as np\ndef backward(x, W):\n    return np.ones((10**5, 10**5)), 1\n",
    "exception": "def backward(x, W):\n    return x.nothing, W\n",
    "nothing": "def backward(x, W):\n    x + 1\n",
    "function": "y = 1\n",
    "call": "def backward(a, b, c):\n    return a\n",
}


def student(text: str, tmp_path: Path, timeout: float = 4) -> Any:
    path = tmp_path / "student.py"
    path.write_text(text, encoding="utf-8")
    given = {"x": np.ones(3), "W": np.ones((3, 3))}
    shapes = {"inputs": ["x", "W"], "sizes": [], "wanted": 2, "scalars": False}
    return run_student(path, [given], shapes, None, timeout)


@pytest.mark.parametrize("kind", FAILURES)
def test_failures(kind: str, tmp_path: Path) -> None:
    with pytest.raises(StudentError) as error:
        student(FAILURES[kind], tmp_path)
    assert error.value.kind == kind and str(error.value)
    assert "runner" not in error.value.trace
    if kind in ("exception", "syntax", "recursion"):
        assert "student.py" in error.value.trace and len(error.value.trace) < 2000


def test_monkeying_does_not_matter(tmp_path: Path) -> None:
    text = "import sys, builtins, json\nsys.stdout = sys.stderr = None\nbuiltins.open = None\njson.dumps = None\n"
    assert student(f"{text}def backward(x, W):\n    return x, W\n", tmp_path).answers[0].entries


def test_what_it_starts_is_ended_and_secrets_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    text = (
        "import os, subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, os.environ.get('SECRET_TOKEN'), os.getcwd())\n"
        "def backward(x, W):\n    return x, W\n"
    )
    pid, secret, folder = student(text, tmp_path).output.split()
    assert secret == "None" and not Path(folder).exists()
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "Z (zombie)" in status.read_text(encoding="utf-8")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    text = "import numpy as np\ndef backward(x, W):\n    return np.array([object()]), W\n"
    entries = student(text, tmp_path).answers[0].entries
    assert entries[0] == "array of object"


# ── The command ─────────────────────────────────────────────────────────────


def test_a_file_that_cannot_be_run_is_status_2(tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    path.write_text(FAILURES["exception"], encoding="utf-8")
    result = run("grade", SPECS["problem2"], path)
    assert result.returncode == 2
    assert "AttributeError" in result.stderr and "line 2, in backward" in result.stderr
    result = run("grade", SPECS["problem2"], path, "--format", "json")
    found = json.loads(result.stdout)
    assert (
        result.returncode == 2
        and found["status"] == "failed"
        and found["error"]["kind"] == "exception"
    )


def test_json_from_the_command() -> None:
    student = STUDENTS / "problem2_transpose.py"
    result = run("grade", SPECS["problem2"], student, "--format", "json")
    found = json.loads(result.stdout)
    assert result.returncode == 3 and found["schema"] == 1 and found["status"] == "wrong"
    (alternative,) = found["diagnoses"][0]["alternatives"]
    (mistake,) = alternative["mistakes"]
    assert mistake["kind"] == "missing-transpose" and (mistake["line"], mistake["column"]) == (
        6,
        10,
    )
    assert mistake["rule"] == "dx = Wᵀ dm" and mistake["wrote"] == "dx = W dm"


def test_the_page_has_every_kind() -> None:
    from gradc.compiler.grading.mutations import TITLES

    page = (ROOT / "docs" / "grade.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert set(TITLES) <= set(rows)


def test_usage(tmp_path: Path) -> None:
    good = STUDENTS / "problem2_right.py"
    library = tmp_path / "library.grad"
    library.write_text("def g(x: float) = x\n", encoding="utf-8")
    empty = tmp_path / "empty.grad"
    empty.write_text("", encoding="utf-8")
    binary = tmp_path / "binary.py"
    binary.write_bytes(bytes(range(128, 256)))
    assert run("grade", SPECS["problem2"], "nowhere.py").returncode == 2
    assert run("grade", SPECS["problem2"], tmp_path).returncode == 2
    assert run("grade", SPECS["problem2"], good, "--example", "none").returncode == 2
    assert run("grade", library, good).returncode in (1, 2)
    assert run("grade", empty, good).returncode in (1, 2)
    result = run("grade", SPECS["problem2"], binary)
    assert result.returncode == 2 and "not a text of Python" in result.stderr
    result = run("grade", SPECS["problem2"], good, "--function", "missing")
    assert result.returncode == 2 and "no function `missing`" in result.stderr


def test_given_inputs() -> None:
    good = STUDENTS / "problem2_right.py"
    words = ("--set", "x=[1, 2]", "--set", "W=eye(2)", "--function", "backward")
    assert run("grade", SPECS["problem2"], good, *words).returncode == 0


def test_inputs_without_example() -> None:
    program = driver.checked(Source("input x: float[N]\noutput f = sum(x^2)\n", "f.grad"))
    inputs = Inputs({"x": np.array([1.0, 2.0])}, {"N": 2})
    found = points(program, inputs)
    assert found[0].what == "the given inputs" and len({p.sizes["N"] for p in found}) == 2


def test_text_of_a_student_does_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "student.py"
    path.write_text(
        "print('\\x1b[31mred')\ndef backward(x, W):\n    return {'\\x1b[2J': x}\n", encoding="utf-8"
    )
    result = run("grade", SPECS["problem2"], path)
    assert "\x1b" not in result.stdout + result.stderr
