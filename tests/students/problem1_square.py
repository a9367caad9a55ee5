import math


def backward(x1, w1, x2, w2):
    a, b = x1 * w1, x2 * w2
    s, c = math.sin(a), math.cos(b)
    e = 2 + s**2 + c
    de = -1 / e**2
    da = de * s * math.cos(a)  # d(s²)/ds is 2s.
    db = de * -math.sin(b)
    return {"dx1": da * w1, "dw1": da * x1, "dx2": db * w2, "dw2": db * x2}
