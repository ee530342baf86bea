"""Seeded problem data: the same bytes in every worker, on every platform, from (seed, session, shape)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]


def gemm_inputs(*, m: int, n: int, k: int, seed: int, session: int = 1) -> tuple[F32, F32]:
    """A (m x k) and B (k x n), float32, C order, entries N(0, 1), from PCG64 seeded with (seed, session)."""
    import numpy as np

    generator = np.random.default_rng([seed, session])
    a = generator.standard_normal((m, k), dtype=np.float32)
    b = generator.standard_normal((k, n), dtype=np.float32)
    return a, b


def gemm_addend(*, m: int, n: int, seed: int, session: int = 1) -> F32:
    """C before the launch (m x n), float32, N(0, 1); only read where beta is not 0."""
    import numpy as np

    return np.random.default_rng([seed, session, 1]).standard_normal((m, n), dtype=np.float32)


def triad_inputs(*, n: int, seed: int, session: int = 1) -> tuple[F32, F32]:
    """B and c of ``a = b + s * c`` (n x n each), float32, C order, N(0, 1), from PCG64 seeded with (seed, session)."""
    import numpy as np

    generator = np.random.default_rng([seed, session])
    b = generator.standard_normal((n, n), dtype=np.float32)
    return b, generator.standard_normal((n, n), dtype=np.float32)
