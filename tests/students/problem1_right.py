import math


def gradient(x1, w1, x2, w2):
    a, b = x1 * w1, x2 * w2
    e = 2 + math.sin(a) ** 2 + math.cos(b)
    de = -1 / e**2
    da = de * 2 * math.sin(a) * math.cos(a)
    db = -de * math.sin(b)
    return da * w1, da * x1, db * w2, db * x2
