"""Tail probabilities without scipy, which takes a second to import."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, comb, erfc, exp, gcd, inf, lgamma, log, log1p, pi, sqrt

import numpy as np

from exporter.profile.arrays import Floats

TAIL = 2.2  # n d^2 from which scipy, too, takes twice the one-sided tail
EXACT_UP_TO = 10_000  # as scipy.stats.ks_2samp(method="auto")


def normal_two_sided(z: float) -> float:
    """P(|Z| > z) of a standard normal."""
    return erfc(abs(z) / sqrt(2))


def chi_square(x: float, freedom: int) -> float:
    """P(X > x) of a chi-square distribution: regularised upper incomplete gamma (series, or Lentz' fraction)."""
    if x == inf:
        return 0.0
    a, x = freedom / 2, x / 2
    if a <= 0 or x <= 0:
        return 1.0
    front = exp(a * log(x) - x - lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        while term > total * 1e-17:
            a += 1
            term *= x / a
            total += term
        return 1 - total * front
    b = x + 1 - a
    c, d = 1e300, 1 / b
    h = d
    for i in range(1, 100_000):
        b += 2
        d = 1 / (i * (a - i) * d + b)
        c = b + i * (a - i) / c
        h *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return h * front


def ks_two_sample(distance: float, n: int, m: int) -> float:
    """P(D >= distance): counted exactly for samples up to 10,000, else asymptotic."""
    if max(n, m) <= EXACT_UP_TO:
        return ks_exact(distance, n, m)
    return ks_asymptotic(distance, round(n * m / (n + m)))


def ks_exact(distance: float, n: int, m: int) -> float:
    """Share of lattice paths from (0,0) to (n,m) that touch |i/n - j/m| >= distance.

    Paths are counted row by row while inside; each way out is a first exit, weighted with the
    ways on from there. Only positive terms are added, so small p-values keep their digits
    (1 - P(inside) loses them below 1e-10).
    """
    n, m = max(n, m), min(n, m)
    need = round(distance * n * m)  # |i m - j n| is a whole number
    if need <= 0:
        return 1.0
    logs = _log_factorials(n + m)
    whole = logs[n + m] - logs[n] - logs[m]
    paths, scale, first, last = np.zeros(m + 1), 0.0, 0, 1
    paths[0] = 1.0
    out = 0.0
    for i in range(n + 1):
        begin, end = (
            max(0, (i * m - need) // n + 1),
            min(m + 1, -((-i * m - need) // n)),
        )  # |i m - j n| < need
        gone = [(first + k, x) for k, x in enumerate(paths[first : min(begin, last)])] if i else []
        paths[: min(begin, m + 1)] = 0
        np.cumsum(paths[begin:end], out=paths[begin:end])
        if end <= m and end > begin:
            gone.append((end, paths[end - 1]))
        for k, ways in gone:
            if ways > 0:
                on = logs[n - i + m - k] - logs[n - i] - logs[m - k]
                out += exp(log(ways) + scale + on - whole)
        first, last = begin, end
        if end <= begin:
            break
        if paths[end - 1] > 1e200:
            paths[begin:end] *= 1e-200
            scale += 200 * log(10)
    return min(1.0, out)


def ks_asymptotic(distance: float, n: int) -> float:
    """P(D_n >= distance) of the one-sample statistic: Pelz and Good (1976); in the tail twice the one-sided one."""
    z = sqrt(n) * distance
    if z < 0.2:
        return 1.0
    if z * z >= TAIL:
        return min(1.0, 2 * _one_sided(distance, n))
    return min(1.0, max(0.0, 1 - _pelz_good(z, n)))


def _one_sided(d: float, n: int) -> float:
    """P(D+ >= d), Smirnov's sum, in logarithms: exact, and as precise at 1e-200 as at 0.01."""
    j = np.arange(int(n * (1 - d)) + 1)
    logs = _log_factorials(n)
    with np.errstate(divide="ignore"):
        terms = (
            logs[n]
            - logs[j]
            - logs[n - j]
            + (j - 1) * np.log(d + j / n)
            + (n - j) * np.log1p(-(d + j / n))
        )
    terms = terms[np.isfinite(terms)]
    top = float(terms.max())
    return float(d * exp(top) * np.exp(terms - top).sum())


@lru_cache(maxsize=4)
def _log_factorials(n: int) -> Floats:
    logs: Floats = np.cumsum(np.log(np.arange(1, n + 1, dtype=np.longdouble))).astype(np.float64)
    return np.append(0.0, logs)


def _pelz_good(z: float, n: int) -> float:
    z2, p2 = z * z, pi * pi
    z4, z6, p4, p6 = z2**2, z2**3, p2**2, p2**3
    k0 = k1 = k2 = k3 = k2b = k3b = 0.0
    for k in range(ceil(16 * z / pi), -1, -1):
        h = (k + 0.5) ** 2
        e = exp(-p2 * h / (2 * z2))
        k0 += e
        k1 += (p2 * h - z2) * e
        k2 += (6 * z6 + 2 * z4 + p2 * (2 * z4 - 5 * z2) * h + p4 * (1 - 2 * z2) * h * h) * e
        k3 += (
            -30 * z6
            - 90 * z6 * z2
            + p2 * (135 * z4 - 96 * z6) * h
            + p4 * (212 * z4 - 60 * z2) * h * h
            + p6 * (5 - 30 * z2) * h**3
        ) * e
        if k:
            q = k * k
            e = exp(-p2 * q / (2 * z2))
            k2b += q * e
            k3b += (3 * p2 * q * z2 - p4 * q * q) * e
    s = sqrt(2 * pi)
    return float(
        s / z * k0
        + s / (6 * z4 * sqrt(n)) * k1
        + (s / (72 * z6 * z) * k2 - s * p2 / (36 * z2 * z) * k2b) / n
        + (s / (6480 * z6 * z4) * k3 + s / (216 * z6) * k3b) / n**1.5
    )


def student_two_sided(t: float, freedom: int) -> float:
    """P(|T| > t) of Student's distribution: the incomplete beta function, whichever end is near."""
    a, squared = freedom / 2, t * t / freedom
    if squared in (0, inf):
        return 0.0 if squared else 1.0
    log_far, far = -log1p(squared), squared / (1 + squared)
    front = exp(a * log_far + log(far) / 2 - _log_beta_half(a))
    if t * t < 3:  # near the middle, where the fraction of the other end converges
        return 1 - 2 * front * _beta_fraction(far, 0.5, a)
    return front * _beta_fraction(1 - far, a, 0.5) / a


def _log_beta_half(a: float) -> float:
    """The logarithm of B(a, 1/2); for a large a by its series, for differences of lgamma lose digits."""
    if a < 30:
        return lgamma(a) + lgamma(0.5) - lgamma(a + 0.5)
    return log(pi) / 2 - log(a) / 2 + 1 / (8 * a) - 1 / (192 * a**3) + 1 / (640 * a**5)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Lentz' continued fraction of the incomplete beta function."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    h = d
    for i in range(1, 100_000):
        step = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i))
        d, c = 1 / (1 + step * d), 1 + step / c
        h *= d * c
        step = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1))
        d, c = 1 / (1 + step * d), 1 + step / c
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return h


def rank_sum_exact(u: int, n: int, m: int) -> float:
    """P(U <= u) of the Mann-Whitney statistic without ties, for u up to n m / 2.

    The ways to reach each value are the coefficients of a Gaussian binomial, which is built up
    factor by factor: a running sum of every i-th term, less what lies beyond.
    """
    if u < 0:
        return 0.0
    n, m = min(n, m), max(n, m)
    ways = np.zeros(u + 1)
    ways[0] = 1
    for i in range(1, n + 1):
        rows = -(-len(ways) // i)
        grid = np.zeros(rows * i)
        grid[: len(ways)] = ways
        ways = np.cumsum(grid.reshape(rows, i), axis=0).ravel()[: u + 1]
        if m + i <= u:
            ways[m + i :] -= ways[: u + 1 - m - i].copy()
    return min(1.0, float(ways.sum()) / comb(n + m, n))


def cramer_von_mises_limit(x: float) -> float:
    """P(W > x) of the limit of the Cramer-von Mises statistic: Smirnov's integrals, far into the tail.

    Each is taken between two roots of the sine; the substitution by a cosine takes away the poles
    at both ends, and equal steps of its angle converge like a Fourier series.
    """
    if x < 0.003:  # below it lies less than 1e-17
        return 1.0
    last = ceil(sqrt(pi * pi + 80 / x) / (2 * pi)) + 1
    angle = (np.arange(256) + 0.5) * (pi / 256)
    across = pi / 2 * np.cos(angle)
    u = (2 * np.arange(1, last + 1)[:, None] - 0.5) * pi + across
    told = np.exp(-x / 2 * u * u) / np.sqrt(u * np.cos(across)) * np.sin(angle)
    signs = np.where(np.arange(last) % 2, -1.0, 1.0)
    return min(1.0, max(0.0, float(signs @ told.sum(axis=1)) * pi / 256))


def cramer_von_mises_exact(need: int, n: int, m: int) -> float:
    """Share of lattice paths from (0,0) to (n,m) whose squared distances from the diagonal reach *need*.

    The distance at (i, j) is i L/n - j L/m with L the least common multiple. What has reached the
    need is counted with all its ways on and followed no further.
    """
    if need <= 0:
        return 1.0
    whole = n * m // gcd(n, m)
    out, row = 0, [{0: 1}] + [{} for _ in range(m)]
    for i in range(n + 1):
        left: dict[int, int] = {}
        for j in range(m + 1):
            step = (i * whole // n - j * whole // m) ** 2
            cell: dict[int, int] = {}
            gone = 0
            for part in (row[j], left):
                for told, ways in part.items():
                    if told + step >= need:
                        gone += ways
                    else:
                        cell[told + step] = cell.get(told + step, 0) + ways
            out += gone * comb(n - i + m - j, n - i)
            row[j] = left = cell
    return out / comb(n + m, n)


def hypergeometric(good: int, bad: int, drawn: int) -> tuple[Floats, int]:
    """Chances of how many good ones are drawn, and the first count of them; beyond are none above 1e-300."""
    rows = good + bad
    low, high = max(0, drawn - bad), min(good, drawn)
    mean = drawn / rows * good
    spread = sqrt(mean * (bad / rows) * (rows - drawn) / max(rows - 1, 1))
    reach = ceil(40 * spread) + 200
    first, last = max(low, int(mean) - reach), min(high, int(mean) + reach)
    x = np.arange(first, last, dtype=np.float64)
    steps = np.log((good - x) / (x + 1)) + np.log((drawn - x) / (bad - drawn + x + 1))
    logs = np.concatenate(([0.0], np.cumsum(steps)))
    chances = np.exp(logs - logs.max())
    return chances / chances.sum(), first
