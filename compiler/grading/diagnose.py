"""Which mistakes explain what a student returned.

A hypothesis is some slips. It is tested where the student's function returned something, on all
inputs; it speaks only if its gradients are the student's at every one of them, right ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from time import monotonic
from typing import Any

import numpy as np

from ...dsl.check import Checked
from ...dsl.errors import SpecError
from ...dsl.frozen import frozen
from ...dsl.graph import Graph, Node
from ...dsl.lower import lower
from ...dsl.shapes import Mismatch
from ...dsl.sizes import Size
from ..differentiate import zeros_like
from ..interpret import Interpreter
from ..nested import expand
from ..passes.shelter import shelter
from ..specialise import specialise
from .answers import Answers, Comparer
from .kinds import everywhere, slips
from .points import Point
from .walk import Setting, Slip, places

_IMPOSSIBLE = (Mismatch, SpecError, ValueError, IndexError, ArithmeticError, TypeError,
               KeyError, AssertionError, np.linalg.LinAlgError)  # fmt: skip
_MOST_WALKS = 4000
_MOST_SECONDS = 20.0
_BEAM = 10

Slips = tuple[Slip, ...]


@frozen()
class Diagnosis:
    """The mistakes that explain some gradients: one of the ``alternatives``, which all give the
    same numbers, each of one or more slips."""

    explains: tuple[str, ...]
    alternatives: tuple[Slips, ...]


class Trial:
    """One point: the student's numbers, and those of any hypothesis."""

    def __init__(self, graph: Graph, point: Point, found: Mapping[str, Any], setting: Setting):
        self.point = point
        self.names = [n for n in found if n in point.gradients]
        self.found = found
        self.comparer = Comparer.at(point)
        self.setting = setting
        self.interpreter = Interpreter(point.values, point.sizes)
        own = setting.graph
        targets = {**{n.name: n for n in own.landmarks}, **own.inputs}
        self.targets = {n: targets[n] for n in self.names if n in targets}
        self.names = list(self.targets)
        self.right = {n: np.asarray(point.gradients[n]) for n in self.names}
        self.known: dict[Slips, Mapping[str, Any] | None] = {}

    def gradients(self, hypothesis: Slips) -> Mapping[str, Any] | None:
        """What comes out with some mistakes, or nothing if that cannot be computed."""
        if hypothesis not in self.known:
            self.known[hypothesis] = self._gradients(hypothesis)
        return self.known[hypothesis]

    def _gradients(self, hypothesis: Slips) -> Mapping[str, Any] | None:
        try:
            found = self.setting.gradients(hypothesis, self.targets.values())
            nodes = [found.get(node) or zeros_like(node) for node in self.targets.values()]
            return dict(zip(self.targets, self._run(nodes), strict=True))
        except _IMPOSSIBLE:
            return None

    def _run(self, nodes: Sequence[Node]) -> list[Any]:
        return self.interpreter.run(nodes)

    def same(self, name: str, value: Any) -> bool:
        """Whether the student has these numbers."""
        own = self.found[name]
        return not isinstance(own, str) and self.comparer.same(name, own, value)

    def changed(self, name: str, value: Any) -> bool:
        return not self.comparer.same(name, value, self.right[name])


class Diagnoser:
    def __init__(self, program: Checked, points: Sequence[Point], answers: Answers) -> None:
        graph = expand(shelter(lower(program.graph)))
        self.graph = graph
        # Small and random ones tell most hypotheses apart at little cost.
        self.trials = sorted(_trials(graph, points, answers), key=_cost)
        self.walks = 0
        self.started = monotonic()
        self.places = places(graph)
        self.slips = slips(graph) if self.trials else []

    def diagnose(self, wrong: Iterable[str]) -> list[Diagnosis]:
        """The fewest mistakes that explain all wrong gradients; else those that explain some."""
        if not self.tells_apart:
            return []
        names = [n for n in wrong if n in self.trials[0].names]
        if not names:
            return []
        singles: list[Slips] = [(slip,) for slip in self.slips]
        singles += everywhere(self.slips)
        whole = self._whole(singles)
        if whole:
            return [Diagnosis(tuple(names), tuple(whole))]
        return self._several(names, singles)

    @property
    def tells_apart(self) -> bool:
        """Whether there are several inputs, so that numbers do not agree by chance."""
        values = [t.point.values.values() for t in self.trials]
        return len({tuple(np.asarray(v).tobytes() for v in given) for given in values}) > 1

    @property
    def out_of_time(self) -> bool:
        return self.walks > _MOST_WALKS or monotonic() - self.started > _MOST_SECONDS

    # ── One mistake ─────────────────────────────────────────────────────────

    def _whole(self, hypotheses: Iterable[Slips]) -> list[Slips]:
        """Those that give exactly what the student has."""
        return [h for h in hypotheses if self._holds(h)]

    def _holds(self, hypothesis: Slips, but: Iterable[str] = ()) -> bool:
        """Whether it gives the student's numbers at all points, for all names except some, which it
        must leave alone."""
        return all(self._holds_at(trial, hypothesis, set(but)) for trial in self.trials)

    def _holds_at(self, trial: Trial, hypothesis: Slips, but: set[str]) -> bool:
        if self.out_of_time:
            return False
        self.walks += 1
        found = trial.gradients(hypothesis)
        if found is None:
            return False
        return all(
            not trial.changed(n, v) if n in but else trial.same(n, v) for n, v in found.items()
        )

    def _explained(self, hypothesis: Slips) -> frozenset[str]:
        """The names that it alone explains: it changes them to what the student has."""
        left: set[str] | None = None
        for trial in self.trials:
            if self.out_of_time:
                return frozenset()
            self.walks += 1
            found = trial.gradients(hypothesis)
            if found is None:
                return frozenset()
            same = {n for n, v in found.items() if trial.same(n, v)}
            left = same if left is None else left & same
            if not left:
                return frozenset()
        return frozenset(left or ())

    # ── Several ─────────────────────────────────────────────────────────────

    def _several(self, wrong: list[str], singles: list[Slips]) -> list[Diagnosis]:
        """Mistakes put together: those that explain most first, then any two."""
        right = self._explained(())
        partial = [(h, self._explained(h)) for h in singles]
        useful = [(h, e) for h, e in partial if e & set(wrong)]
        useful.sort(key=lambda pair: -len(pair[1]))
        for count in (2, 3):
            whole = self._whole(_joined([h for h, _ in useful][: _BEAM * 4], count))
            if whole:
                return self._apart(wrong, whole)
        whole = []
        for best, _ in useful[:_BEAM]:
            more = [joined(best, h) for h in singles if apart(best, h)]
            whole += [h for h in more if self._first_holds(h) and self._holds(h)]
        if whole:
            return self._apart(wrong, whole)
        whole = list(self._any_two(singles))
        if whole:
            return self._apart(wrong, whole)
        return self._some(wrong, useful, right)

    def _first_holds(self, hypothesis: Slips) -> bool:
        return self._holds_at(self.trials[0], hypothesis, set())

    def _any_two(self, singles: list[Slips]) -> Iterator[Slips]:
        """Pairs at two places, as many as there is time for."""
        changing = [h for h in singles if len(h) == 1 and self._changes(h)]
        for a, b in combinations(changing, 2):
            if self.out_of_time:
                return
            both = joined(a, b)
            if apart(a, b) and self._first_holds(both) and self._holds(both):
                yield both

    def _changes(self, hypothesis: Slips) -> bool:
        trial = self.trials[0]
        found = None if self.out_of_time else trial.gradients(hypothesis)
        return found is not None and any(trial.changed(n, v) for n, v in found.items())

    def _apart(self, wrong: list[str], whole: list[Slips]) -> list[Diagnosis]:
        """Joint explanations, of the fewest slips; a diagnosis for all wrong gradients."""
        fewest = min(len(h) for h in whole)
        best = [h for h in dict.fromkeys(whole) if len(h) == fewest]
        return [Diagnosis(tuple(wrong), tuple(best))]

    def _some(
        self, wrong: list[str], useful: list[tuple[Slips, frozenset[str]]], right: frozenset[str]
    ) -> list[Diagnosis]:
        """Single mistakes that explain some gradients and leave the others alone."""
        groups: dict[frozenset[str], list[Slips]] = {}
        for hypothesis, explained in useful:
            new = explained & set(wrong)
            rest = set(wrong) - new
            if self._holds(hypothesis, rest):
                groups.setdefault(new, []).append(hypothesis)
        found: list[Diagnosis] = []
        left = set(wrong)
        for names in sorted(groups, key=lambda g: (-len(g), sorted(g))):
            if names <= left:
                found.append(Diagnosis(tuple(n for n in wrong if n in names), tuple(groups[names])))
                left -= names
        return found


def _cost(trial: Trial) -> tuple[int, bool]:
    return sum(np.size(v) for v in trial.point.values.values()), trial.point.given


def apart(a: Slips, b: Slips) -> bool:
    """Whether two hypotheses are about different edges."""
    return not {(s.place, s.position) for s in a} & {(s.place, s.position) for s in b}


def joined(a: Slips, b: Slips) -> Slips:
    return tuple(sorted((*a, *b), key=lambda s: (s.place, -1 if s.position is None else s.position)))  # noqa: E501  # fmt: skip


def _joined(hypotheses: list[Slips], count: int) -> Iterator[Slips]:
    for several in combinations(hypotheses, count):
        if all(apart(a, b) for a, b in combinations(several, 2)):
            both: Slips = ()
            for one in several:
                both = joined(both, one)
            yield both


def _trials(graph: Graph, points: Sequence[Point], answers: Answers) -> Iterator[Trial]:
    """A trial for each point where the student's function returns something and the walk without
    a mistake is right."""
    settings: dict[tuple[tuple[str, int], ...], Setting] = {}
    for point, found in zip(points, answers.by_point, strict=True):
        if found is None:
            continue
        key = tuple(sorted(point.sizes.items()))
        if key not in settings:
            numbers = {name: Size.of(size) for name, size in point.sizes.items()}
            settings[key] = Setting(specialise(graph, numbers), point.sizes)
        trial = Trial(graph, point, found, settings[key])
        own = trial.gradients(())
        if own is not None and not any(trial.changed(n, v) for n, v in own.items()):
            yield trial
