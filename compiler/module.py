"""A compilation as the text of a Python module."""

from __future__ import annotations

import re

from ..dsl.kernels import (
    ARRAY_CHECKS,
    ARRAYS,
    SCALAR_CHECKS,
    SCALARS,
    kernels,
    of_number,
)
from .compilation import Compilation
from .directional import Directional
from .functions import Functions
from .header import header, module_docstring, needs_noqa
from .passes import has_arrays
from .python import INDENT, exploded, fits, quoted
from .setting import MODULES, Setting


def module_text(compilation: Compilation, spec: str, command: str, version: str) -> str:
    """The module. ``spec`` and ``command`` are the path and the command line of its header."""
    graphs = [
        compilation.graphs.both,
        *([compilation.graphs.at_once] if compilation.graphs.at_once else []),
    ]
    arrays = has_arrays(graphs)
    writer = _Module(Setting(compilation, compilation.unrolled or not arrays, arrays))
    return writer.text(spec, command, version)


_KERNEL = re.compile(r"\b_[a-z]\w*(?=\()")


class _Module:
    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.compilation = setting.compilation
        self.interface = self.compilation.interface
        self.functions = Functions(setting)

    def tuple_class(self, name: str, doc: str, fields: list[tuple[str, str]]) -> list[str]:
        lines = [f"class {name}(NamedTuple):", f'{INDENT}"""{doc}"""']
        return lines + ([""] if fields else []) + [f"{INDENT}{n}: {t}" for n, t in fields]

    def classes(self) -> list[list[str]]:
        blocks = []
        if len(self.interface.outputs) > 1:
            fields = [
                (written, self.setting.annotation(self.compilation.output_type(name)))
                for name, written in self.setting.outputs.items()
            ]
            blocks.append(self.tuple_class("Outputs", "The outputs.", fields))
        gradients = [
            (self.setting.parameters[n], self.setting.annotation(self.interface.input(n).type))
            for n in self.functions.wrt
        ]
        doc = "The gradient of each input, in its shape."
        blocks.append(self.tuple_class("Gradients", doc, gradients))
        doc = "What ``forward`` keeps for ``backward``."
        blocks.append(self.tuple_class("Cache", doc, self.functions.cache_fields()))
        return blocks

    def constants(self, version: str) -> list[str]:
        inputs = []
        for i in self.setting.inputs:
            kind = "input" if i.differentiated else "data"
            name, parts = quoted(i.name), [quoted(kind), quoted(str(i.type))]
            entry = f"{name}: ({', '.join(parts)})"
            if not fits(f"{INDENT}{entry},"):
                entry = "\n".join(exploded(f"{name}: (", parts, ")", INDENT)).strip()
            inputs.append(entry)
        outputs = [f"{quoted(n)}: {quoted(str(self.compilation.output_type(n)))}"
                   for n in self.interface.outputs]  # fmt: skip
        lines = (
            exploded("INPUTS = {", inputs, "}")
            if inputs
            else ["INPUTS: dict[str, tuple[str, str]] = {}"]
        )
        lines += exploded("OUTPUTS = {", outputs, "}")
        sha = self.interface.source.sha256
        return [*lines, f'SPEC_SHA256 = "{sha}"', f'GRADC_VERSION = "{version}"']

    def number_kernel_blocks(self) -> list[list[str]]:
        """Those of numbers, under other names where the module has those of arrays."""
        if self.setting.scalar:
            return self.kernel_blocks(SCALARS)
        blocks = self.kernel_blocks(SCALARS, self.setting.uses.number_kernels)
        return [[_KERNEL.sub(lambda m: of_number(m[0]), line) for line in b] for b in blocks]

    def kernel_blocks(
        self, files: tuple[str, ...], used: set[str] | None = None
    ) -> list[list[str]]:
        """The kernels of some files that the module uses, with what they mention there."""
        available = kernels(files)
        if self.setting.scalar and files == ARRAYS:  # Those of numbers compute.
            available = {n: k for n, k in available.items() if n not in kernels(SCALARS)}
        wanted = (self.setting.uses.kernels if used is None else used) & available.keys()
        stack = list(wanted)
        while stack:
            needed = (available[stack.pop()].mentioned & available.keys()) - wanted
            wanted |= needed
            stack += needed
        blocks = []
        for name, kernel in available.items():
            if name in wanted:
                source = kernel.source
                for module in MODULES:
                    if f"{module}." in source:
                        written = self.setting.module(module)
                        source = source.replace(f"{module}.", f"{written}.")
                blocks.append(source.splitlines())
        return blocks

    def checks(self) -> list[list[str]]:
        """What ``--emit check`` adds, the kernels that only it uses among it."""
        if "check" not in self.compilation.options.emit:
            return []
        from .checking import Checking  # It evaluates graphs, with NumPy.

        checking = Checking(self.functions)
        last = [checking.check(), checking.main()]
        files = SCALAR_CHECKS if self.setting.plain else ARRAY_CHECKS
        return [*self.kernel_blocks(files), *last]

    def imports(self, code: str) -> list[str]:
        lines = ["from __future__ import annotations", ""]
        standard = []
        for module in ("math", "random", "sys", "warnings"):
            if module in self.setting.uses.modules:
                name = self.setting.modules.get(module, module)
                standard.append(f"import {module}" + (f" as {name}" if name != module else ""))
        if _mentions(code, "Callable"):
            abstract = "Callable, Iterable" if _mentions(code, "Iterable") else "Callable"
            standard.append(f"from collections.abc import {abstract}")
        if _mentions(code, "ThreadPoolExecutor"):
            standard.append("from concurrent.futures import ThreadPoolExecutor")
        typing = [n for n in ("Any", "NamedTuple", "TypeAlias") if _mentions(code, n)]
        standard.append(f"from typing import {', '.join(typing)}")
        lines += standard
        if not self.setting.plain:
            np = self.setting.module("np")
            names = [n for n in ("ArrayLike", "NDArray") if _mentions(code, n)]
            lines += ["", f"import numpy as {np}", f"from numpy.typing import {', '.join(names)}"]
        return lines

    def aliases(self, code: str) -> list[str]:
        lines = []
        if not self.setting.plain:
            np = self.setting.module("np")
            lines.append("Array: TypeAlias = NDArray[Any]")
            if _mentions(code, "Scalar"):
                lines.append(f"Scalar: TypeAlias = {np}.floating[Any]")
            if "_each" in self.setting.uses.kernels:
                lines.append(f"_POOL = ThreadPoolExecutor({self.compilation.options.threads})")
        if _mentions(code, "_new"):
            lines.append("# The fields of a named tuple in order: faster than a call of its class.")
            lines.append("_new = tuple.__new__")
        return lines

    def text(self, spec: str, command: str, version: str) -> str:
        functions = [*self.functions.write(), *Directional(self.functions).write()]
        checks = self.checks()
        own = self.number_kernel_blocks()
        if not self.setting.plain:
            own += self.kernel_blocks(ARRAYS)
        blocks = [*self.classes(), *own, *functions, *checks]
        body = "\n\n\n".join("\n".join(block) for block in blocks)
        code = _without_words(body)
        aliases = self.aliases(code)
        code = "\n".join([*map(_without_words, aliases), code])
        rest = "\n".join([*aliases, body])
        parts, kept = self.functions.parts, self.functions.kept
        top = header(self.setting, spec, command, version, parts, kept, needs_noqa(rest))
        constants = self.constants(version)
        text = ["\n".join([*top, *module_docstring(self.setting)]), ""]
        text += ["\n".join(self.imports(code)), ""]
        if aliases:
            text += ["\n".join(aliases), ""]
        text += ["\n".join(constants), "", "", body]
        return "\n".join(text) + "\n"


def _mentions(code: str, word: str) -> bool:
    return word in code and re.search(rf"\b{word}\b", code) is not None


def _without_words(body: str) -> str:
    """Code without docstrings and comments, in which words of the user stand."""
    return re.sub(r'""".*?"""|#[^\n]*', "", body, flags=re.DOTALL)
