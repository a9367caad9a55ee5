"""The page of every error code: what it means, a specification that has it, and the same mended.

``python -m gradc.dsl.errors.codes`` prints all pages as Markdown.
"""

from __future__ import annotations

import sys
from textwrap import dedent, fill, indent

from ..frozen import frozen


@frozen()
class Page:
    """``wrong`` and ``right`` are whole files; ``beside`` is the text of the file they use.

    A code that no text can show has no ``wrong`` and no ``right``.
    """

    title: str
    meaning: str
    wrong: str = ""
    right: str = ""
    beside: str = ""


BESIDE = "layers.grad"

GROUPS = {
    "G0": "Syntax",
    "G1": "Names, arguments and files",
    "G2": "Shapes and sizes",
    "G3": "Types and constants",
    "G4": "Differentiation",
    "G5": "Warnings and notes",
}


def _page(title: str, meaning: str, wrong: str = "", right: str = "", beside: str = "") -> Page:
    return Page(title, " ".join(meaning.split()), _file(wrong), _file(right), _file(beside))


def _file(text: str) -> str:
    return dedent(text).strip() + "\n" if text else ""


CODES: dict[str, Page] = {
    # ── G0xx: syntax ────────────────────────────────────────────────────────
    "G001": _page(
        "unexpected word or sign",
        """
        The file cannot be read further at this place. The message lists what could have stood
        there. Usual causes are a product written without `*`, a forgotten bracket or comma just
        before, and `==` where a definition needs `=`. Reading goes on at the next line that
        begins a declaration, so one run shows several of these errors.
        """,
        wrong="""
        input x: float
        output y = 2 x + 1
        """,
        right="""
        input x: float
        output y = 2 * x + 1
        """,
    ),
    "G002": _page(
        "a declaration or the file ends too early",
        """
        Something has to follow, but the next declaration begins or the file ends. Look for a
        missing right-hand side, an operator without its second operand, or a bracket that is
        never closed.
        """,
        wrong="""
        input x: float
        node a =
        output y = a + 1
        """,
        right="""
        input x: float
        node a = 2 * x
        output y = a + 1
        """,
    ),
    "G003": _page(
        "a character that means nothing",
        """
        This character is not part of the language. Often it comes from another language (`&`,
        `!`, `;`) or was copied from a formula (`×`, `≤`, `√`); the hint gives the spelling here.
        A number has digits after its point: `2.0` or `2`, not `2.`.
        """,
        wrong="""
        input x: float
        output y = if x ≥ 0 then x else 0
        """,
        right="""
        input x: float
        output y = if x >= 0 then x else 0
        """,
    ),
    "G004": _page(
        "a string that does not end",
        """
        A string begins and ends with `"`, both on the same line. Strings only stand after `use`
        and as options of a few functions.
        """,
        wrong="""
        use "layers.grad

        input x: float
        output y = double(x)
        """,
        right="""
        use "layers.grad"

        input x: float
        output y = double(x)
        """,
        beside="""
        def double(x) = 2 * x
        """,
    ),
    "G005": _page(
        "not a name",
        """
        Names are those of Python: letters of any alphabet, digits and `_`, not beginning with a
        digit. Raised and lowered digits (`x²`, `x₁`) cannot be part of a name. A power is
        written `x^2`, and a number in a name is an ordinary one: `x1`.
        """,
        wrong="""
        input x₁, x₂: float
        output y = x₁ * x₂
        """,
        right="""
        input x1, x2: float
        output y = x1 * x2
        """,
    ),
    "G006": _page(
        "a chain of comparisons",
        """
        A comparison has two sides. Write the two comparisons out and join them with `and`.
        """,
        wrong="""
        input x: float
        output y = if 0 < x < 1 then x else 0
        """,
        right="""
        input x: float
        output y = if 0 < x and x < 1 then x else 0
        """,
    ),
    "G007": _page(
        "a positional argument after a named one",
        """
        In a call the arguments without a name come first and those with a name (`axis=0`) last,
        as in Python.
        """,
        wrong="""
        input x: float[3, 4]
        output y = sum(axis=0, x)
        """,
        right="""
        input x: float[3, 4]
        output y = sum(x, axis=0)
        """,
    ),
    "G008": _page(
        "not an expectation",
        """
        An example expects the value of something that has a name (`y = 9`) or a gradient
        (`grad(x) = 6`). To expect anything else, give it a name with `node` and expect that.
        """,
        wrong="""
        input x: float
        output y = x^2

        example three {
          given x = 3
          expect sqrt(y) = 3
        }
        """,
        right="""
        input x: float
        node r = sqrt(y)
        output y = x^2
        output r

        example three {
          given x = 3
          expect r = 3, grad(x) = 6
        }

        objective y
        """,
    ),
    "G009": _page(
        "a file that is not UTF-8",
        """
        Specifications are text in the encoding UTF-8. The message gives the first byte that does
        not fit, counted from 0, and its line. Open the file in an editor and save it with the
        encoding UTF-8; if it opens as nonsense, it is probably not a text file.
        """,
    ),
    "G010": _page(
        "a reserved word as a name",
        """
        The words that build declarations and expressions, such as `size`, `data`, `next`, `if`,
        `in` and `pi`, cannot be names. Choose another name, for instance with a digit or an
        underscore added: `size_` or `n`.
        """,
        wrong="""
        input size: float
        output y = size^2
        """,
        right="""
        input side: float
        output y = side^2
        """,
    ),
    "G011": _page(
        "a range as a subscript",
        """
        `i in a..b` says what an index ranges over. The part of an array from `a` up to, but
        without, `b` is a slice and is written `x[a:b]`.
        """,
        wrong="""
        input x: float[5]
        output y = sum(x[i in 1..4])
        """,
        right="""
        input x: float[5]
        output y = sum(x[1:4])
        """,
    ),
    "G012": _page(
        "something that cannot be called",
        """
        Brackets followed by parentheses are a reduction over an index, `sum[i](x[i])`, and need
        the name of a reduction in front. An entry of an array times a parenthesis needs a `*`.
        """,
        wrong="""
        input W: float[2, 2]
        input a, b: float
        output y = W[0][1](a + b)
        """,
        right="""
        input W: float[2, 2]
        input a, b: float
        output y = W[0][1] * (a + b)
        """,
    ),
    "G013": _page(
        "a wrong number of decimals",
        """
        `round` in an example does the arithmetic as on paper, with that many decimals. It takes
        one natural number, from 0 to 15.
        """,
        wrong="""
        input x: float
        output y = sin(x)

        example one {
          given x = 1.00
          round 0.01
          expect y = 0.84
        }
        """,
        right="""
        input x: float
        output y = sin(x)

        example one {
          given x = 1.00
          round 2
          expect y = 0.84
        }
        """,
    ),
    # ── G1xx: names, arguments and files ────────────────────────────────────
    "G101": _page(
        "unknown name",
        """
        Nothing with this name is declared. Names are case-sensitive, and declarations may come in
        any order, so only the spelling matters. Inside a function only its parameters, its own
        nodes, sizes and other functions can be seen: pass what else it needs as an argument.
        """,
        wrong="""
        input rate: float
        output y = exp(-Rate)
        """,
        right="""
        input rate: float
        output y = exp(-rate)
        """,
    ),
    "G102": _page(
        "unknown function",
        """
        There is no function of this name, in this file or in the library. `gradc ops` lists the
        library. Functions have the names NumPy gives them; the larger of two values is
        `maximum(a, b)`, whereas `max(x)` is the largest entry of one array.
        """,
        wrong="""
        input x: float[3]
        output y = sum(sigmoidal(x))
        """,
        right="""
        input x: float[3]
        output y = sum(sigmoid(x))
        """,
    ),
    "G103": _page(
        "declared twice",
        """
        A name stands for one thing in a file: inputs, nodes, sizes and outputs share their names.
        A node is not a variable that can be set again, so give each step its own name. To return
        a node that exists, write `output NAME` alone.
        """,
        wrong="""
        input x: float
        node h = x^2
        node h = h + 1
        output y = sin(h)
        """,
        right="""
        input x: float
        node h = x^2
        node h1 = h + 1
        output y = sin(h1)
        """,
    ),
    "G104": _page(
        "definitions that go in a circle",
        """
        To compute one of these nodes, all the others are needed first, and in the end the node
        itself. The message shows the circle. Nodes are equations to be evaluated, not to be
        solved; replace one of them so that it depends on inputs.
        """,
        wrong="""
        input x: float
        node a = b + x
        node b = 2 * a
        output y = a
        """,
        right="""
        input x: float
        node a = -x
        node b = 2 * a
        output y = a + b
        """,
    ),
    "G105": _page(
        "a value that is called",
        """
        A name followed by a parenthesis is a call, but this name stands for a value. A product
        needs `*`, and a subscript square brackets: `x[0]`. A parenthesis at the start of the next
        line also belongs to the name before it, for a new line only separates words.
        """,
        wrong="""
        input a, b: float
        output y = a (b + 1)
        """,
        right="""
        input a, b: float
        output y = a * (b + 1)
        """,
    ),
    "G106": _page(
        "a function used as a value",
        """
        A function stands here without arguments. Functions are no values: they are called, and
        cannot be added, stored or passed on.
        """,
        wrong="""
        input x: float
        output y = 2 * sin
        """,
        right="""
        input x: float
        output y = 2 * sin(x)
        """,
    ),
    "G107": _page(
        "no output",
        """
        A file describes a function, and a function returns something. Write `output` instead of
        `node` for what is to be returned, or name a node with `output NAME`. A file of functions
        alone is for `use` in other files.
        """,
        wrong="""
        input x: float
        node y = x^2
        """,
        right="""
        input x: float
        output y = x^2
        """,
    ),
    "G109": _page(
        "an objective that is not an output",
        """
        `objective NAME` says which of the outputs is differentiated. The name must be declared
        as an output.
        """,
        wrong="""
        input x: float
        node loss = x^2
        output y = 2 * loss
        objective loss
        """,
        right="""
        input x: float
        output loss = x^2
        output y = 2 * loss
        objective loss
        """,
    ),
    "G110": _page(
        "a function that calls itself",
        """
        Every call is replaced by the function's body when compiling, so a function may not call
        itself, neither directly nor through others. Write the formula without the recursion, or
        the few steps out.
        """,
        wrong="""
        def power3(x) = x * power3(x)

        input x: float
        output y = power3(x)
        """,
        right="""
        def power3(x) = x * x * x

        input x: float
        output y = power3(x)
        """,
    ),
    "G111": _page(
        "unknown size",
        """
        A size must be known when the function is called. The shapes of the inputs give a size
        where it stands alone or linearly: `float[N]`, `float[2*N]`, `float[N+1]`. From
        `float[N*M]` neither can be told. Any other size is declared with `size N = 10`, or with
        `size N`, and is then an argument of the generated function.
        """,
        wrong="""
        input x: float[N]
        output y = sum(x) + sum(ones(M))
        """,
        right="""
        size M
        input x: float[N]
        output y = sum(x) + sum(ones(M))
        """,
    ),
    "G112": _page(
        "too many arguments",
        """
        The call has more arguments than the function has parameters. The message shows how the
        function is called; `gradc ops NAME` describes a function of the library.
        """,
        wrong="""
        input x, y: float
        output z = sin(x, y)
        """,
        right="""
        input x, y: float
        output z = sin(x) + sin(y)
        """,
    ),
    "G113": _page(
        "unknown argument name",
        """
        The function has no parameter of this name. The names are those of NumPy, for instance
        `axis` and `keepdims`; the message shows all of them.
        """,
        wrong="""
        input x: float[3, 4]
        output y = sum(x, dim=0)
        """,
        right="""
        input x: float[3, 4]
        output y = sum(x, axis=0)
        """,
    ),
    "G114": _page(
        "a missing argument",
        """
        The call leaves out a parameter that has no default. The message shows how the function
        is called.
        """,
        wrong="""
        def scaled(x, factor) = factor * x

        input x: float
        output y = scaled(x)
        """,
        right="""
        def scaled(x, factor=2) = factor * x

        input x: float
        output y = scaled(x)
        """,
    ),
    "G115": _page(
        "an argument given twice",
        """
        One parameter gets two values: by its name twice, or by its position and its name. The
        same holds for the `given` values of an example.
        """,
        wrong="""
        input x: float[3, 4]
        output y = sum(x, 0, axis=1)
        """,
        right="""
        input x: float[3, 4]
        output y = sum(x, axis=[0, 1])
        """,
    ),
    "G116": _page(
        "unknown type",
        """
        There are three types: `float`, `int` and `bool`, alone or with a shape. The precision is
        not part of the type: `float` is whatever floats the function is called with.
        """,
        wrong="""
        input x: double[3]
        output y = sum(x)
        """,
        right="""
        input x: float[3]
        output y = sum(x)
        """,
    ),
    "G117": _page(
        "a file that does not exist",
        """
        The file that `use` names is not there or cannot be read. The path is taken from the folder
        of the file in which the `use` stands, and the ending `.grad` is written out.
        """,
        wrong="""
        use "layer.grad"

        input x: float
        output y = double(x)
        """,
        right="""
        use "layers.grad"

        input x: float
        output y = double(x)
        """,
        beside="""
        def double(x) = 2 * x
        """,
    ),
    "G118": _page(
        "files that use each other",
        """
        This file uses a file that uses this one in turn, directly or through others. Put what
        both need into one of them, or into a third file.
        """,
        wrong="""
        use "layers.grad": twice

        def double(x) = 2 * x
        input x: float
        output y = twice(x)
        """,
        right="""
        def double(x) = 2 * x
        def twice(x) = double(double(x))
        input x: float
        output y = twice(x)
        """,
        beside="""
        use "model.grad": double

        def twice(x) = double(double(x))
        """,
    ),
    "G119": _page(
        "a function that a file does not have",
        """
        The list after `use "...":` names functions of that file. This one is not among them: check
        the spelling. Only functions can be listed; fixed sizes come along by themselves.
        """,
        wrong="""
        use "layers.grad": duoble

        input x: float
        output y = x
        """,
        right="""
        use "layers.grad": double

        input x: float
        output y = double(x)
        """,
        beside="""
        def double(x) = 2 * x
        """,
    ),
    "G120": _page(
        "a path that leads out of the folder",
        """
        A `use` only reaches files in the folder of the file in which it stands, and in folders
        below it. A path that leaves this folder, with `..` or from the root, is refused. Move the
        used file beside this one.
        """,
        wrong="""
        use "../layers.grad"

        input x: float
        output y = double(x)
        """,
        right="""
        use "layers.grad"

        input x: float
        output y = double(x)
        """,
        beside="""
        def double(x) = 2 * x
        """,
    ),
    "G121": _page(
        "an example speaks of something that does not exist",
        """
        `given` sets inputs and sizes, and `expect` compares inputs, nodes and outputs, all by the
        names they have in the file. There is nothing of this name.
        """,
        wrong="""
        input x: float
        output y = x^2

        example three {
          given x = 3
          expect z = 9
        }
        """,
        right="""
        input x: float
        output y = x^2

        example three {
          given x = 3
          expect y = 9
        }
        """,
    ),
    "G122": _page(
        "an example that leaves something out",
        """
        An example runs the function, so its `given` must set every input, and also every size
        that the shapes of the inputs do not give. The message names those that are missing.
        """,
        wrong="""
        input x, w: float
        output y = x * w

        example two {
          given x = 2
          expect y = 6
        }
        """,
        right="""
        input x, w: float
        output y = x * w

        example two {
          given x = 2, w = 3
          expect y = 6
        }
        """,
    ),
    "G123": _page(
        "two values of a size in one example",
        """
        In one example a size is the same number everywhere, and here it would have to be two. Give
        a size by its name once, or not at all where the shapes of the given arrays tell it.
        """,
        wrong="""
        size N
        input x: float
        output y = x / N

        example six {
          given x = 6, N = 2, N = 3
          expect y = 2
        }
        """,
        right="""
        size N
        input x: float
        output y = x / N

        example six {
          given x = 6, N = 3
          expect y = 2
        }
        """,
    ),
    "G124": _page(
        "random numbers outside of an example",
        """
        A specification is a function: the same inputs give the same result. Random numbers can
        only be made in `given`. Noise and masks are declared as `data` and passed in.
        """,
        wrong="""
        input x: float[3]
        output y = sum(x * normal([3]))
        """,
        right="""
        input x: float[3]
        data noise: float[3]
        output y = sum(x * noise)

        example fixed {
          given x = ones(3), noise = normal([3], seed=1)
        }
        """,
    ),
    "G125": _page(
        "a function without one `return`",
        """
        The body of a function in braces is made of nodes and one `return`, which says what the
        call stands for. There may be neither none nor several; a choice is written
        `return if c then a else b`.
        """,
        wrong="""
        def wave(x) {
          node s = sin(x)
          node y = s^2
        }

        input x: float
        output y = wave(x)
        """,
        right="""
        def wave(x) {
          node s = sin(x)
          return s^2
        }

        input x: float
        output y = wave(x)
        """,
    ),
    "G126": _page(
        "another number of results",
        """
        A call with several results stands behind as many names, and nowhere else:
        `node Q, R = qr(A)`. A result that is not needed gets a name too.
        """,
        wrong="""
        input A: float[3, 3]
        node Q = qr(A)
        output y = sum(Q)
        """,
        right="""
        input A: float[3, 3]
        node Q, R = qr(A)
        output y = sum(Q) + sum(R)
        """,
    ),
    "G127": _page(
        "a rule that does not fit its function",
        """
        `rule f(a, b) -> y { da = ... db = ... }` stands in the file of `f`, with the parameters
        of `f` and a name for each of its results, which are float. It has one entry for each
        float parameter: `da` is what goes on to `a`, where `dy` arrives.
        """,
        wrong="""
        def sharp(x) = floor(x)
        rule sharp(x) -> y { dz = dy }

        input x: float
        output f = sharp(x)^2
        """,
        right="""
        def sharp(x) = floor(x)
        rule sharp(x) -> y unchecked { dx = dy }

        input x: float
        output f = sharp(x)^2
        """,
    ),
    "G128": _page(
        "not a use of indices",
        """
        An index is introduced by a new name, alone or with its range as `i in 0..N`: on the left of
        one node, or in the brackets of `sum mean prod max min logsumexp any all`.
        """,
        wrong="""
        input x: float[N]
        output f = norm[i](x[i])
        """,
        right="""
        input x: float[N]
        output f = sum[i](x[i]^2)
        """,
    ),
    "G129": _page(
        "an index has the name of something else",
        """
        An index is a name of its own while its node or reduction lasts, so it cannot be that of an
        input, a node, a size or an index around it.
        """,
        wrong="""
        input x: float[N]
        input i: float
        output f = i * sum[i](x[i])
        """,
        right="""
        input x: float[N]
        input i: float
        output f = i * sum[k](x[k])
        """,
    ),
    "G130": _page(
        "an index without a range",
        """
        The range of an index is read off a subscript that is the index alone, as `x[i]`. Where
        there is none, as with `x[i+1]`, the range must be written.
        """,
        wrong="""
        input x: float[N]
        output f = sum[i](x[i+1] * 2)
        """,
        right="""
        input x: float[N]
        output f = sum[i in 0..N-1](x[i+1] * 2)
        """,
    ),
    "G131": _page(
        "not a range",
        """
        The range `i in a..b` is a, a+1, ..., b-1. Its bounds are sizes, the same for all entries,
        and a is not larger than b.
        """,
        wrong="""
        input A: float[N, N]
        node s[i] = sum[j in 0..i](A[i, j])
        output f = sum(s)
        """,
        right="""
        input A: float[N, N]
        node s[i] = sum[j](if j < i then A[i, j] else 0)
        output f = sum(s)
        """,
    ),
    "G132": _page(
        "a state and its next",
        """
        Each state of a loop has exactly one `next`, which says what it is after a step. What may
        keep its value says so: `next x = x`.
        """,
        wrong="""
        input x: float[T]
        scan t in 0..T {
          state s = 0.0
          emit ss = s + x[t]
        }
        output f = sum(ss)
        """,
        right="""
        input x: float[T]
        scan t in 0..T {
          state s = 0.0
          next s = s + x[t]
          emit ss = s + x[t]
        }
        output f = sum(ss)
        """,
    ),
    "G133": _page(
        "a loop that ends early",
        """
        `until` is one truth value, tested after each step. How many steps there are is known only
        when the loop runs, so that such a loop has final states, and no stacks (`emit`).
        """,
        wrong="""
        input a: float > 0
        scan k in 0..50 until abs(next r - r) < 1e-12 {
          state r = 1
          next r = (r + a / r) / 2
          emit rs = r
        }
        output f = r
        """,
        right="""
        input a: float > 0
        scan k in 0..50 until abs(next r - r) < 1e-12 {
          state r = 1
          next r = (r + a / r) / 2
        }
        output f = r
        """,
    ),
    "G134": _page(
        "a step that is not done yet",
        """
        A step can read what earlier steps have emitted: `hs[t-1]`. What it emits itself is known
        by the name of a node or as `next` of a state. For data as a subscript, as in
        `pose[parent[b]]`, this is checked when the loop runs. Such an `emit` has a written type.
        """,
        wrong="""
        input x: float[T]
        scan t in 0..T {
          emit h: float = if t > 0 then h[t] * x[t] else x[t]
        }
        output f = sum(h)
        """,
        right="""
        input x: float[T]
        scan t in 0..T {
          emit h: float = if t > 0 then h[t-1] * x[t] else x[t]
        }
        output f = sum(h)
        """,
    ),
    # ── G2xx: shapes and sizes ──────────────────────────────────────────────
    "G201": _page(
        "shapes do not broadcast",
        """
        The operation works entry by entry. As in NumPy, the shapes are compared from the last axis
        on: two sizes must be equal, or one of them the number 1; missing axes count as 1. Two
        different names are different sizes, even if they might have the same value in a call.
        """,
        wrong="""
        input x: float[3, 4]
        input b: float[3]
        output y = sum(x + b)
        """,
        right="""
        input x: float[3, 4]
        input b: float[3]
        output y = sum(x + expand_dims(b, 1))
        """,
    ),
    "G203": _page(
        "shapes do not fit a matrix product",
        """
        In `A @ B` the last axis of `A` must be as long as the first axis of `B` (the second to
        last, if `B` has three axes or more). A vector has one axis and needs no transpose:
        `W @ x` with `float[M, N]` and `float[N]` is `float[M]`. A product with a scalar is
        written `*`.
        """,
        wrong="""
        input W: float[3, 4]
        input x: float[3]
        output y = W @ x
        """,
        right="""
        input W: float[3, 4]
        input x: float[3]
        output y = W.T @ x
        """,
    ),
    "G204": _page(
        "an axis that does not exist",
        """
        The axes of an array are counted from 0, or from the end with -1, -2 and so on: a matrix
        has the axes 0 and 1. A scalar has none. In a list of axes each may stand once, and a
        transpose must name all of them. `cumsum` and `cumprod` of a matrix must be told which
        axis to run along.
        """,
        wrong="""
        input x: float[3, 4]
        output y = sum(x, axis=2)
        """,
        right="""
        input x: float[3, 4]
        output y = sum(x, axis=1)
        """,
    ),
    "G205": _page(
        "a reshape that changes the number of entries",
        """
        A reshape arranges the same entries in another shape, so the product of the sizes must
        stay the same, whatever the sizes are. One size may be -1 and is then computed, if the
        others divide the number of entries.
        """,
        wrong="""
        input x: float[3, 4]
        output y = reshape(x, [5, 2])
        """,
        right="""
        input x: float[3, 4]
        output y = reshape(x, [6, -1])
        """,
    ),
    "G206": _page(
        "a subscript out of range",
        """
        Subscripts count from 0, so the entries of a `float[3]` are 0, 1 and 2, and `x[-1]` is the
        last. The ends of a slice must lie in the array and in order: unlike NumPy, a slice that
        reaches too far is an error and is not shortened. A window of `windows`, or the kernel of a
        convolution, is no larger than the array.
        """,
        wrong="""
        input x: float[3]
        output y = x[3] + sum(x[1:5])
        """,
        right="""
        input x: float[3]
        output y = x[2] + sum(x[1:3])
        """,
    ),
    "G207": _page(
        "more subscripts than axes",
        """
        An array takes at most one subscript for each of its axes. A scalar takes none.
        """,
        wrong="""
        input x: float[3]
        output y = x[0, 1]
        """,
        right="""
        input x: float[3]
        output y = x[0] * x[1]
        """,
    ),
    "G208": _page(
        "a value of another shape than declared",
        """
        The type written after a node's name is checked against its value, and the shapes differ.
        Mend whichever is wrong, the type or the expression. The type may also be left out.
        """,
        wrong="""
        input x: float[N, D]
        node m: float[N] = mean(x, axis=0)
        output y = sum(m^2)
        """,
        right="""
        input x: float[N, D]
        node m: float[D] = mean(x, axis=0)
        output y = sum(m^2)
        """,
    ),
    "G209": _page(
        "arrays that cannot be joined",
        """
        `concat` joins arrays along an axis they have: all other axes must be equal. `stack` joins
        arrays of one shape along a new axis, and so do square brackets, `[a, b]`. Scalars have no
        axis and can only be stacked.
        """,
        wrong="""
        input a: float[2, 3]
        input b: float[2, 5]
        output y = concat(a, b)
        """,
        right="""
        input a: float[2, 3]
        input b: float[2, 5]
        output y = concat(a, b, axis=1)
        """,
    ),
    "G210": _page(
        "a wrong number of axes",
        """
        This function takes arrays with a certain number of axes: `dot` and `outer` take vectors,
        `.T` and `trace` take a matrix, `eye` one or two sizes, `pad` one pair of widths for each
        axis. A vector has no transpose, and `W @ x` and `x @ W` need none.
        """,
        wrong="""
        input x: float[3]
        output y = x.T @ x
        """,
        right="""
        input x: float[3]
        output y = x @ x
        """,
    ),
    "G211": _page(
        "a new size in the type of a node",
        """
        The type of a node is checked, so it can only use sizes that the inputs or a `size`
        declaration bring. Only the shapes of inputs introduce sizes.
        """,
        wrong="""
        input x: float[N]
        node a: float[M] = x
        output f = sum(a)
        """,
        right="""
        input x: float[N]
        node a: float[N] = x
        output f = sum(a)
        """,
    ),
    "G212": _page(
        "not a size",
        """
        A size is a natural number, also 0. It is written with natural numbers, names of sizes,
        and `+`, `-`, `*`, `//`; the values of inputs and nodes cannot be part of it, for shapes
        do not depend on values. Write `N // 2` where `N / 2` would be a fraction. The smaller of
        two sizes cannot be written, so that the diagonal of a `float[N, M]` has no type.
        """,
        wrong="""
        input x: float[N]
        output y = sum(x) + sum(ones(N / 2))
        """,
        right="""
        input x: float[N]
        output y = sum(x) + sum(ones(N // 2))
        """,
    ),
    "G213": _page(
        "an axis that cannot be squeezed",
        """
        `squeeze` removes axes of size 1, which hold no choice. To get rid of a longer axis, take
        one of its entries or reduce it, for example with `sum`.
        """,
        wrong="""
        input x: float[1, 4]
        output y = squeeze(x, axis=1)
        """,
        right="""
        input x: float[1, 4]
        output y = squeeze(x, axis=0)
        """,
    ),
    "G214": _page(
        "an argument that does not fit its parameter",
        """
        The function declares a type for this parameter, and the argument has another number of
        axes, a size that does not fit, or a type that is not converted (a float is no int). The
        sizes in the types of parameters are found anew in each call, and one name must get the
        same size throughout. In the library, the indices of `take` and `take_along_axis` are
        integers.
        """,
        wrong="""
        def length(v: float[D]) = sqrt(v @ v)

        input x: float[3, 4]
        output y = length(x)
        """,
        right="""
        def length(v: float[D]) = sqrt(v @ v)

        input x: float[3, 4]
        output y = length(x[0])
        """,
    ),
    "G215": _page(
        "a value in an example that does not fit",
        """
        The value given for an input, or expected of a node, has another shape or type than what
        is declared. Arrays that share a size must agree in it. An expectation may also be a scalar,
        which is compared with every entry; a given value may not: write `ones(3)` instead of 1.
        """,
        wrong="""
        input x: float[3]
        output y = sum(x)

        example ones {
          given x = 1
          expect y = 3, grad(x) = 1
        }
        """,
        right="""
        input x: float[3]
        output y = sum(x)

        example ones {
          given x = ones(3)
          expect y = 3, grad(x) = 1
        }
        """,
    ),
    "G216": _page(
        "not a subscript",
        """
        A subscript is an integer, a size or a slice. Fractions, truth values, texts and lists are
        not: an axis is reordered with `transpose`, and entries are chosen by a condition with
        `if`.
        """,
        wrong="""
        input x: float[4]
        output y = x[0.5]
        """,
        right="""
        input x: float[4]
        output y = (x[0] + x[1]) / 2
        """,
    ),
    "G217": _page(
        "a wrong step of a slice",
        """
        The third part of a slice, as the 2 in `x[0:8:2]`, is an integer written as a number. It
        cannot be 0, a size or a value. A negative step goes backwards: `x[::-1]`.
        """,
        wrong="""
        input x: float[8]
        output y = sum(x[::0])
        """,
        right="""
        input x: float[8]
        output y = sum(x[::2])
        """,
    ),
    "G218": _page(
        "subscripts that do not fit",
        """
        `einsum("ij,jk->ik", A, B)` gives each axis of each operand a letter: as many terms as
        operands, as many letters as axes. Letters that are not in the result are summed over;
        `...` stands for leading axes, the same ones in all operands that have it.
        """,
        wrong="""
        input A: float[3, 4]
        input B: float[4, 5]
        output y = sum(einsum("ij,jkl->ik", A, B))
        """,
        right="""
        input A: float[3, 4]
        input B: float[4, 5]
        output y = sum(einsum("ij,jk->ik", A, B))
        """,
    ),
    "G219": _page(
        "an index of two sizes",
        """
        All subscripts that are an index alone must agree on its range. Write the range where they
        should not: then each use is checked to lie within its axis.
        """,
        wrong="""
        input x: float[N]
        input y: float[M]
        output f = sum[i](x[i] * y[i])
        """,
        right="""
        input x: float[N]
        input y: float[M]
        output f = sum[i in 0..N](x[i] * y[i])
        """,
    ),
    "G220": _page(
        "a state that changes its type",
        """
        A state has the same kind and shape before and after every step. Only an integer literal as
        the first value takes the kind of `next`.
        """,
        wrong="""
        input x: float[N]
        scan t in 0..3 {
          state s = x
          next s = sum(s) * 0.5
        }
        output f = sum(s)
        """,
        right="""
        input x: float[N]
        scan t in 0..3 {
          state s = sum(x)
          next s = s * 0.5
        }
        output f = s
        """,
    ),
    # ── G3xx: types and constants ───────────────────────────────────────────
    "G301": _page(
        "a truth value is needed",
        """
        `and`, `or`, `not`, `any` and `all` work on truth values, type `bool`. Unlike in Python,
        numbers are not taken as truth values: compare them, for example with `!= 0`.
        """,
        wrong="""
        input x, y: float
        output z = if x and y then x * y else 0.0
        """,
        right="""
        input x, y: float
        output z = if x != 0 and y != 0 then x * y else 0.0
        """,
    ),
    "G302": _page(
        "a condition that is not bool",
        """
        The condition of `if c then a else b`, and of `where(c, a, b)`, must be a truth value, type
        `bool`. Compare the number with something, for example `x > 0`, or declare the mask as
        `bool`.
        """,
        wrong="""
        data mask: int[N]
        input x: float[N]
        output y = sum(if mask then x else 0)
        """,
        right="""
        data mask: int[N]
        input x: float[N]
        output y = sum(if mask != 0 then x else 0)
        """,
    ),
    "G303": _page(
        "an option that is not a constant",
        """
        Axes, shapes and flags decide the shape of the result, so they must be known when
        compiling. Write them as literals, such as `axis=0`, `axis=[0, 1]`, `keepdims=true`;
        shapes are lists of sizes, `[N, D]`. A function may hand on a parameter of its own as an
        option if its callers pass a literal.
        """,
        wrong="""
        data k: int
        input x: float[3, 4]
        output y = sum(x, axis=k)
        """,
        right="""
        input x: float[3, 4]
        output y = sum(x, axis=1)
        """,
    ),
    "G304": _page(
        "a value of another type than declared",
        """
        The type written after a node's name is checked against its value. Only integers and truth
        values become floats by themselves. There is no hidden rounding: a float, such as the
        result of `/` or `mean`, does not become an `int`.
        """,
        wrong="""
        data k: int
        input x: float
        node half: int = k / 2
        output y = x * half
        """,
        right="""
        data k: int
        input x: float
        node half: int = k // 2
        output y = x * half
        """,
    ),
    "G305": _page(
        "a text as a value",
        """
        Texts in double quotes are only used for the path after `use` and for the options of a few
        functions. Values are numbers and truth values; a category is an integer.
        """,
        wrong="""
        data label: int
        input x: float
        output y = if label == "yes" then x else 0
        """,
        right="""
        data label: int
        input x: float
        output y = if label == 1 then x else 0
        """,
    ),
    "G306": _page(
        "a domain that makes no sense",
        """
        A domain says which numbers an input may take: `> 0`, `<= 1` or `in 0..1`. It must contain
        something: float ranges include both ends, int ranges leave out the last number, as slices
        do. Truth values have no domain, and `==` and `!=` are none.
        """,
        wrong="""
        input p: float in 1..0
        output y = p^2
        """,
        right="""
        input p: float in 0..1
        output y = p^2
        """,
    ),
    "G307": _page(
        "an empty array literal",
        """
        From `[]` neither the type nor the shape of the entries can be told. Write `zeros(0)`, or
        `zeros(0, 3)`, for an array without entries.
        """,
        wrong="""
        input x: float[3]
        output y = sum(concat([], x))
        """,
        right="""
        input x: float[3]
        output y = sum(concat(zeros(0), x))
        """,
    ),
    "G308": _page(
        "a number that is too large",
        """
        The largest float is about 1.8e308, and this literal is beyond it. If infinity is meant,
        write `inf`.
        """,
        wrong="""
        input x: float
        output y = minimum(x, 1e400)
        """,
        right="""
        input x: float
        output y = minimum(x, inf)
        """,
    ),
    "G309": _page(
        "an option used as a value",
        """
        This parameter stands for an option, such as a list of axes, which is known when compiling
        and is no number of the function. It can be handed on to another call as an option, but
        not be computed with.
        """,
    ),
    "G310": _page(
        "not a constant",
        """
        The limit of a domain and the tolerance after `within` must be known when compiling: a
        number such as `1e-6`, with a sign where that makes sense. A tolerance is not negative,
        and the limit of a domain may also be a size.
        """,
        wrong="""
        input x: float
        output y = x / 3

        example one {
          given x = 1
          expect y = 0.3333 within x / 100
        }
        """,
        right="""
        input x: float
        output y = x / 3

        example one {
          given x = 1
          expect y = 0.3333 within 0.01
        }
        """,
    ),
    # ── G4xx: differentiation ───────────────────────────────────────────────
    "G401": _page(
        "an objective that is not a scalar float",
        """
        A gradient tells how one number changes, so the objective must be one float. Reduce an
        array to a number, for example with `sum`, `mean` or `norm`; the choice is part of the
        problem. Integers and truth values change in steps and have no gradient.
        """,
        wrong="""
        input x: float[3]
        output y = x^2
        objective y
        """,
        right="""
        input x: float[3]
        output y = sum(x^2)
        objective y
        """,
    ),
    "G402": _page(
        "no objective",
        """
        The gradient is that of the objective, and this file has none. If exactly one output is a
        scalar float, it is that one. With several, choose with `objective NAME`; with none, add
        one.
        """,
        wrong="""
        input x: float
        output a = x^2
        output b = x^3

        example two {
          given x = 2
          expect grad(x) = 4
        }
        """,
        right="""
        input x: float
        output a = x^2
        output b = x^3
        objective a

        example two {
          given x = 2
          expect grad(x) = 4
        }
        """,
    ),
    "G403": _page(
        "no gradient for an int or a bool",
        """
        Only floats have gradients. Integers and truth values change in steps, and nothing is
        differentiated through them. Declare the input as `float` if it may take any value.
        """,
        wrong="""
        data k: int
        input x: float
        output y = k * x

        example two {
          given k = 2, x = 3
          expect grad(k) = 3
        }
        """,
        right="""
        input k, x: float
        output y = k * x

        example two {
          given k = 2, x = 3
          expect grad(k) = 3
        }
        """,
    ),
    "G404": _page(
        "no derivative to take",
        """
        `grad(y, x)` is the derivative of one number, the scalar float `y`, with respect to a float
        `x`. An array has many derivatives: reduce it first.
        """,
        wrong="""
        input x: float[N]
        node y = x^2
        output g = grad(y, x)
        """,
        right="""
        input x: float[N]
        node y = sum(x^2)
        output g = grad(y, x)
        """,
    ),
    "G405": _page(
        "the derivative with respect to an expression",
        """
        The second argument of `grad` is a name: an input, a node or a parameter. Only then is it
        clear which paths count. Give the expression a name of its own.
        """,
        wrong="""
        input x: float
        output g = grad(sin(2 * x), 2 * x)
        """,
        right="""
        input x: float
        node a = 2 * x
        output g = grad(sin(a), a)
        """,
    ),
    "G406": _page(
        "forward mode for a large array",
        """
        `mode="forward"` makes one pass for each entry of the array, so it is for scalars and for
        arrays of a fixed size of at most 64 entries. Reverse mode makes one pass in all.
        """,
        wrong="""
        input x: float[N]
        node y = sum(x^2)
        output g = grad(y, x, mode="forward")
        """,
        right="""
        input x: float[N]
        node y = sum(x^2)
        output g = grad(y, x)
        """,
    ),
    "G407": _page(
        "a rule that is not linear",
        """
        Reverse mode takes any rule. Forward mode (`jvp`, `hvp`, `jacobian` of wide functions,
        `grad(..., mode="forward")`) uses the transpose of the rule, which exists where each entry
        is linear in the gradient that arrives, and so does a rule of several results.
        """,
        wrong="""
        def parts(x) { return 2 * x, 3 * x }
        rule parts(x) -> (y, z) { dx = clip(dy, -1, 1) + 3 * dz }

        input x: float
        node a, b = parts(x)
        output f = a * b
        """,
        right="""
        def part(x) = 2 * x
        rule part(x) -> y unchecked { dx = clip(2 * dy, -1, 1) }

        input x: float
        output f = part(x)^2
        """,
    ),
    # ── G5xx: warnings and notes ────────────────────────────────────────────
    "G501": _page(
        "an operand can leave the domain",
        """
        Outside its domain the operation gives `nan` or an infinity, and at its edge (`sqrt` at 0)
        an infinite slope. Interval reasoning could not show that the operand stays inside. Declare
        the domain of an input, `input x: float > 0`; use a function without the edge (`norm`,
        `xlogy`, `logaddexp`); add a small number; or choose by `if x > 0 then log(x) else 0`.
        """,
        wrong="""
        input x: float
        output y = log(x)
        """,
        right="""
        input x: float > 0
        output y = log(x)
        """,
    ),
    "G502": _page(
        "both operands grow",
        """
        Broadcasting makes both arrays larger, as `[N]` with `[N, 1]`, which gives `[N, N]`. That is
        right for a table of all pairs, but more often an axis was forgotten somewhere and the
        result is not what was meant. If it is meant, write `# gradc: allow G502` on the line.
        """,
        wrong="""
        input y: float[N]
        input p: float[N, 1]
        output loss = mean((y - p)^2)
        """,
        right="""
        input y: float[N]
        input p: float[N, 1]
        output loss = mean((y - squeeze(p, axis=1))^2)
        """,
    ),
    "G503": _page(
        "an input that the objective does not depend on",
        """
        No path leads from this input to the objective, so its gradient is always zero. Perhaps a
        name was mistaken in an expression. If the input gets no gradient on purpose, declare it as
        `data`.
        """,
        wrong="""
        input x, w, b: float
        output y = x * w
        """,
        right="""
        input x, w, b: float
        output y = x * w + b
        """,
    ),
    "G504": _page(
        "a function replaces one of the library",
        """
        The file defines a function that the library has as well, and in this file the name means
        the file's own. This is only a note, and not an error with `--strict` either. Rename the
        function if it was not meant.
        """,
        wrong="""
        def norm(x) = sum(abs(x))

        input x: float[3]
        output y = norm(x)
        """,
        right="""
        def norm1(x) = sum(abs(x))

        input x: float[3]
        output y = norm1(x)
        """,
    ),
    "G505": _page(
        "a node that nothing needs",
        """
        No output depends on this node, so the generated code does not compute it. Perhaps another
        name was meant where it should have been used. Remove the node, or return it with
        `output`.
        """,
        wrong="""
        input x: float
        node a = sin(x)
        node b = cos(x)
        output y = a^2
        """,
        right="""
        input x: float
        node a = sin(x)
        node b = cos(x)
        output y = a^2 + b
        """,
    ),
    "G506": _page(
        "an input without a gradient",
        """
        Only floats have gradients: an `input` of integers or truth values gets none. What never
        gets one is declared as `data`.
        """,
        wrong="""
        input x: float
        input k: int
        output f = x * k
        """,
        right="""
        input x: float
        data k: int
        output f = x * k
        """,
    ),
    "G507": _page(
        "a gradient that is zero",
        """
        What `grad` differentiates does not depend on the name it is asked for, so the result is
        zero. Often another name was meant.
        """,
        wrong="""
        input x, z: float
        node y = x^2
        output g = grad(y, z) + z * x
        """,
        right="""
        input x, z: float
        node y = x^2 * z
        output g = grad(y, z) + z * x
        """,
    ),
    "G508": _page(
        "a gradient that is always zero",
        """
        The input reaches the objective, but only through operations that are constant between
        jumps: rounding, comparisons, `sign`, `argmax`. Its gradient is zero everywhere. Declare it
        as `data` if that is meant; a `rule` can give the function a derivative of its own.
        """,
        wrong="""
        input x: float
        output y = floor(x)
        """,
        right="""
        def stairs(x) = floor(x)
        rule stairs(x) -> y unchecked { dx = dy }

        input x: float
        output y = stairs(x)
        """,
    ),
}


def page(code: str) -> str:
    """The page of a code as plain text. Raises ``KeyError`` for a code that does not exist."""
    found = CODES[code]
    parts = [f"{code}: {found.title}", fill(found.meaning, 80, break_on_hyphens=False)]
    for heading, text in _examples(code, found):
        parts += [f"{heading}:", indent(text.rstrip(), "  ")]
    return "\n\n".join(parts) + "\n"


def _examples(code: str, found: Page) -> list[tuple[str, str]]:
    examples = [
        (f"This gives {code}", found.wrong),
        ("This does not", found.right),
        (f"Both stand in model.grad, beside {BESIDE}", found.beside),
    ]
    return [(heading, text) for heading, text in examples if text]


def markdown() -> str:
    """All pages as one document, with an anchor ``g203`` for each code."""
    lines = [
        "<!-- Generated by `python -m gradc.dsl.errors.codes > docs/errors.md`. -->",
        "",
        "# Error codes",
        "",
        "Every message of gradc carries a code. `gradc explain-error G203` prints the page of one.",
        "",
        *(f"- [{code}](#{code.lower()}): {found.title}" for code, found in CODES.items()),
    ]
    group = ""
    for code, found in CODES.items():
        if code[:2] != group:
            group = code[:2]
            lines += ["", f"## {GROUPS[group]} ({group}xx)"]
        lines += ["", f'<a id="{code.lower()}"></a>', "", f"### {code}: {found.title}", ""]
        lines += fill(found.meaning, 100, break_on_hyphens=False).split("\n")
        for heading, text in _examples(code, found):
            lines += ["", f"{heading}:", "", "```grad", text.rstrip(), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(markdown().encode("utf-8"))
