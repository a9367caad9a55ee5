"""What the functions of one generated module share: names, and what they need from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..dsl.graph import Graph, Input, Node, topological
from ..dsl.intervals import Interval
from ..dsl.loops import is_plain, with_steps
from ..dsl.shapes import Kind, Type
from .compilation import Compilation
from .names import Names, legal
from .ranges import looked_up, ranges
from .render import Renderer, Uses

# What generated code may import, under these names where they are free.
MODULES = ("np", "math", "warnings")
# What functions made of other functions call.
_CALLED = ("forward", "backward", "jvp", "hvp")
GLOBALS = (
    "Any", "Array", "ArrayLike", "Cache", "GRADC_VERSION", "Gradients",
    "Hessian", "HessianRow", "INPUTS", "Jacobian", "JacobianRow", "NDArray",
    "NamedTuple", "OUTPUTS", "Outputs", "SPEC_SHA256", "Scalar", "TypeAlias",
)  # fmt: skip


@dataclass
class Setting:
    """``scalar`` modules compute with Python floats and ``math``, the others with NumPy;
    ``arrays`` says whether functions take or return any."""

    compilation: Compilation
    scalar: bool
    arrays: bool
    uses: Uses = field(default_factory=Uses)
    renamed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seen: Graph | None = None  # The graph whose intervals are known.
        self._known: Mapping[Node, Interval] = {}
        interface = self.compilation.interface
        called = _CALLED if self.compilation.options.emit else ()
        free = Names([*GLOBALS, *called])
        self.parameters: dict[str, str] = {}
        sizes = (*interface.sizes, *interface.open_sizes, *interface.blocks)
        given = (*(i.name for i in interface.inputs), *sizes)
        for name in given:
            self.parameters[name] = free.fresh(legal(name))
            self.note(name, self.parameters[name])
        fields = Names()
        self.outputs = {name: fields.fresh(legal(name)) for name in interface.outputs}
        for name, written in self.outputs.items():
            self.note(name, written)
        for node in self.compilation.forward.landmarks:
            if "." not in node.name:
                self.note(node.name, legal(node.name))
        # The user's names win over those of imported modules.
        spec = {legal(node.label) for node in self.compilation.forward.landmarks}
        taken = Names(spec | set(self.parameters.values()))
        self.modules = {module: taken.fresh(module) for module in MODULES}
        self.dtype = taken.fresh("dtype")
        for module, name in (*self.modules.items(), ("dtype", self.dtype)):
            self.note(module, name)

    def note(self, name: str, written: str) -> None:
        if name != written:
            self.renamed[name] = written

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.compilation.interface.inputs

    @property
    def sizes(self) -> dict[str, str]:
        interface = self.compilation.interface
        names = (*interface.sizes, *interface.open_sizes, *interface.blocks)
        return {name: self.parameters[name] for name in names}

    def names(self, *more: str) -> Names:
        """The names of a function's scope, those it must not shadow taken."""
        taken = [*GLOBALS, *self.modules.values(), *self.parameters.values(), self.dtype]
        return Names([*taken, *more])

    def renderer(self, graph: Graph) -> Renderer:
        """A renderer for a function of this module, with intervals where its code depends on
        them."""
        nodes = with_steps(graph.nodes)
        asked = self.scalar or any(node.op.direct or is_plain(node) for node in nodes)
        if asked and graph is not self._seen:
            needed = topological(looked_up(graph.nodes), self._known)
            self._seen, self._known = graph, ranges(needed, self._known)
        known = self._known if asked else {}
        options = self.compilation.options
        return Renderer(self.scalar, known, {}, self.modules, self.sizes, self.dtype,
                        options.threads, methods=options.level > 1)  # fmt: skip

    def merge(self, uses: Uses) -> None:
        """Adds what one function refers to, to what the module must provide."""
        self.uses.kernels |= uses.kernels
        self.uses.number_kernels |= uses.number_kernels
        self.uses.modules |= uses.modules

    def module(self, name: str) -> str:
        self.uses.modules.add(name)
        return self.modules.get(name, name)

    def kernel(self, name: str) -> str:
        self.uses.kernels.add(name)
        return name

    @property
    def plain(self) -> bool:
        """Whether all that functions take and return are Python's numbers."""
        return not self.arrays

    @property
    def quick(self) -> bool:
        """Whether every tenth of a microsecond counts."""
        return self.scalar and self.compilation.options.level > 1

    @property
    def hands_on_dtype(self) -> bool:
        """Whether ``_inputs`` says the dtype of results: numbers have none to take over."""
        floats = [i.type for i in self.inputs if i.type.is_float]
        return self.scalar and self.arrays and bool(floats) and not any(t.rank for t in floats)

    def held(self, type_: Type) -> str:
        """The Python type of a value inside the module."""
        return str(type_.kind) if self.scalar and not type_.rank else self.annotation(type_)

    def kept(self, node: Node) -> str:
        """The Python type of a value that the cache keeps."""
        if is_plain(node):
            return f"list[{node.type.kind}]" if node.type.rank else str(node.type.kind)
        return self.held(node.type)

    def annotation(self, type_: Type) -> str:
        """The Python type of a value that is taken or returned."""
        if type_.rank:
            return "Array"
        if self.plain:
            return str(type_.kind)
        if type_.kind is Kind.FLOAT:
            return "Scalar"
        np = self.module("np")
        return f"{np}.integer[Any] | int" if type_.kind is Kind.INT else f"{np}.bool | bool"

    def accepted(self, type_: Type) -> str:
        """The Python type of an argument."""
        return str(type_.kind) if self.plain else "ArrayLike"
