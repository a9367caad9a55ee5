import math


def backward(x1, w1, x2, w2):
    a, b = x1 * w1, x2 * w2
    s, c = math.sin(a), math.cos(b)
    e = 2 + s**2 + c
    de = -1 / e**2
    ds2 = de
    ds = 2 * s * ds2
    da = ds  # The cosine is missing.
    db = -de * math.sin(b)
    return {
        "de": de, "ds2": ds2, "ds": ds, "da": da,
        "x1": da * w1, "w1": da * x1, "x2": db * w2, "w2": db * x2,
    }  # fmt: skip
