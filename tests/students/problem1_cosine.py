import math


def value_and_grad(x1, w1, x2, w2):
    a, b = x1 * w1, x2 * w2
    s, c = math.sin(a), math.cos(b)
    e = 2 + s**2 + c
    de = -1 / e**2
    ds = 2 * s * de
    da = ds * math.cos(a)
    db = de * math.sin(b)  # The derivative of the cosine is minus the sine.
    return 1 / e, (da * w1, da * x1, db * w2, db * x2)
