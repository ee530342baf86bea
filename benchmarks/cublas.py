"""cuBLAS's float32 SGEMM through ctypes: python benchmarks/cublas.py N LAUNCHES, on NVIDIA's first device.

Needs the CUDA runtime's libcudart and libcublas on the library path. The math mode is cuBLAS's default, which
multiplies float32 in float32. Prints one JSON object: the median milliseconds of a launch, synchronised as an OpenCL
launch is, and the largest error against NumPy.
"""

from __future__ import annotations

import ctypes
import json
import statistics
import sys
import time
from typing import Any

import numpy as np

TO_DEVICE, TO_HOST, NOT_TRANSPOSED = 1, 2, 0
VERSIONS = (13, 12, 11)


def library(name: str) -> ctypes.CDLL:
    """The newest of the known versions."""
    for version in VERSIONS:
        try:
            return ctypes.CDLL(f"lib{name}.so.{version}")
        except OSError:
            continue
    sys.exit(f"no lib{name} of CUDA {', '.join(map(str, VERSIONS))} is on the library path")


def call(function: Any, *arguments: Any) -> None:
    """Call; end the program where the answer is not success."""
    if status := function(*arguments):
        sys.exit(f"{function.__name__} answered {status}")


def main(size: int, launches: int) -> int:
    """Time it."""
    cudart, cublas = library("cudart"), library("cublas")
    generator = np.random.default_rng(3)
    a, b = (generator.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    c = np.zeros((size, size), dtype=np.float32)
    handle = ctypes.c_void_p()
    call(cublas.cublasCreate_v2, ctypes.byref(handle))
    held = []
    for matrix in (a, b, c):
        held.append(ctypes.c_void_p())
        call(cudart.cudaMalloc, ctypes.byref(held[-1]), ctypes.c_size_t(matrix.nbytes))
        source = matrix.ctypes.data_as(ctypes.c_void_p)
        call(cudart.cudaMemcpy, held[-1], source, ctypes.c_size_t(matrix.nbytes), TO_DEVICE)
    one, zero, n = ctypes.c_float(1.0), ctypes.c_float(0.0), ctypes.c_int(size)
    times = []
    for _ in range(launches + 3):
        start = time.perf_counter()
        # Columns first: C^T = B^T A^T is the row-major product.
        call(
            cublas.cublasSgemm_v2,
            *(handle, NOT_TRANSPOSED, NOT_TRANSPOSED, n, n, n, ctypes.byref(one)),
            *(held[1], n, held[0], n, ctypes.byref(zero), held[2], n),
        )
        call(cudart.cudaDeviceSynchronize)
        times.append(1e3 * (time.perf_counter() - start))
    call(cudart.cudaMemcpy, c.ctypes.data_as(ctypes.c_void_p), held[2], ctypes.c_size_t(c.nbytes), TO_HOST)
    print(json.dumps({"ms": statistics.median(times[3:]), "error": float(np.max(np.abs(c - a @ b)))}))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
