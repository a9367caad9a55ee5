"""``gradc grade``: run, compare, diagnose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...dsl.check import Checked
from ...dsl.frozen import frozen
from ...dsl.graph import Interface
from ..driver import UsageError
from ..given import Inputs
from .answers import Answers, Verdict, matched, verdict
from .diagnose import Diagnoser, Diagnosis
from .patterns import exchanged, pattern
from .points import Point, finite, points
from .student import Run, run


@frozen()
class Grade:
    """How a student's gradient does. ``nodes`` are those gradients of named nodes that were
    returned, ``written`` the named graph that places of mistakes refer to."""

    spec: str
    student: str
    run: Run
    inputs: tuple[Verdict, ...]
    nodes: tuple[Verdict, ...]
    diagnoses: tuple[Diagnosis, ...]
    unexplained: tuple[str, ...]
    remarks: tuple[str, ...]
    parts_at: str
    diagnoser: Diagnoser

    @property
    def score(self) -> float:
        """The share of right gradients of inputs."""
        return sum(v.is_right for v in self.inputs) / len(self.inputs)

    @property
    def is_right(self) -> bool:
        return all(v.is_right for v in (*self.inputs, *self.nodes))


def grade(
    program: Checked, spec: str, inputs: Inputs, student: Path, function: str | None, timeout: float
) -> Grade:
    """Raises ``UsageError`` if there is nothing to grade, ``StudentError``, ``OSError``."""
    interface = program.interface
    wanted = [i for i in interface.inputs if i.differentiated and i.type.is_float]
    if program.is_library or interface.objective is None or not wanted:
        raise UsageError("there is no objective with a gradient to grade")
    compared = points(program, inputs)
    if not finite(compared[0]):
        raise UsageError("the gradient is not finite on these inputs: `gradc trace` says why")
    shapes = {"inputs": [i.name for i in interface.inputs], "sizes": list(interface.open_sizes),
              "wanted": len(wanted), "scalars": not any(i.type.rank for i in wanted)}  # fmt: skip
    ran = run(student, [p.values for p in compared], shapes, function, timeout)
    nodes = [n.name for n in program.graph.landmarks if n.name in compared[0].gradients]
    answers = matched(ran.answers, interface, nodes)
    verdicts = tuple(verdict(i.name, answers, compared) for i in wanted)
    own = tuple(verdict(n, answers, compared) for n in nodes if _returned(n, answers))
    return _graded(program, spec, str(student), ran, verdicts, own, compared, answers)


def _returned(name: str, answers: Answers) -> bool:
    return any(found is not None and name in found for found in answers.by_point)


def _graded(
    program: Checked, spec: str, student: str, ran: Run, verdicts: tuple[Verdict, ...],
    nodes: tuple[Verdict, ...], compared: list[Point], answers: Answers,
) -> Grade:  # fmt: skip
    diagnoser = Diagnoser(program, compared, answers)
    wrong = [v.name for v in (*verdicts, *nodes) if v.is_wrong]
    swapped = exchanged(wrong, diagnoser.trials) if diagnoser.trials else ""
    diagnoses = [] if swapped else diagnoser.diagnose(wrong)
    explained = {n for d in diagnoses for n in d.explains}
    left = [n for n in wrong if n not in explained]
    remarks = list(_remarks(program.interface, ran, compared, answers, diagnoser, left))
    remarks += [swapped] if swapped else [t for n in left if (t := pattern(n, diagnoser.trials))]
    return Grade(spec, student, ran, verdicts, nodes, tuple(diagnoses),
                 () if swapped else tuple(left), tuple(remarks),
                 _parting([*verdicts, *nodes], left), diagnoser)  # fmt: skip


def _parting(verdicts: Sequence[Verdict], left: Sequence[str]) -> str:
    """The first node, from the output down, whose gradient nothing explains."""
    return next((v.name for v in reversed(verdicts) if v.name in left), "")


def _remarks(
    interface: Interface, ran: Run, compared: list[Point], answers: Answers,
    diagnoser: Diagnoser, left: Sequence[str],
) -> list[str]:  # fmt: skip
    found = [answers.remark] if answers.remark else []
    if answers.unknown:
        names = ", ".join(answers.unknown)
        found.append(f"returned under names that mean no input or node: {names}")
    found += _value(interface, ran, compared)
    changed = sorted({name for answer in ran.answers for name in answer.changed})
    if changed:
        found.append(f"the function changes its inputs in place: {', '.join(changed)}")
    for point, answer in zip(compared, ran.answers, strict=True):
        if answer.error is not None:
            found.append(f"at {point.what}, {answer.error}")
            break
    if left and not diagnoser.tells_apart:
        found.append("there is one input to compare at, too few to tell mistakes apart")
    if left and diagnoser.out_of_time:
        found.append("the search for mistakes was ended early: there are too many to try")
    return found


def _value(interface: Interface, ran: Run, compared: list[Point]) -> list[str]:
    """Whether the value of the function, if it was returned, is wrong on the first inputs."""
    value, point = ran.answers[0].value, compared[0]
    if value is None or isinstance(value, str) or np.ndim(value):
        return []
    found, wanted = float(value), float(point.value)
    if abs(found - wanted) <= 1e-5 * abs(wanted) + 1e-9:
        return []
    text = f"the value of {interface.objective} itself is wrong at {point.what}"
    return [f"{text}: {found:.6g}, expected {wanted:.6g}"]
