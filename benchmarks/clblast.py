"""CLBlast's SGEMM with its default parameters: python benchmarks/clblast.py N LAUNCHES, in a worker's environment.

Needs libclblast.so.1 (Debian's libclblast1). Prints one JSON object: the median milliseconds of a launch, and the
largest error against NumPy. The platform is the one that OCL_ICD_VENDORS leaves.
"""

from __future__ import annotations

import ctypes
import json
import statistics
import sys
import time

import numpy as np
import pyopencl as cl

ROW_MAJOR, NOT_TRANSPOSED = 101, 111


def main(size: int, launches: int) -> int:
    """Time it."""
    library = ctypes.CDLL("libclblast.so.1")
    (platform,) = cl.get_platforms()
    context = cl.Context(platform.get_devices()[:1])
    queue = cl.CommandQueue(context)
    generator = np.random.default_rng(3)
    a, b = (generator.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    c = np.zeros((size, size), dtype=np.float32)
    buffers = [cl.Buffer(context, flags, hostbuf=matrix) for matrix in (a, b, c)]
    whole, handle, one, zero = ctypes.c_size_t(size), ctypes.c_void_p, ctypes.c_float(1.0), ctypes.c_float(0.0)
    none = ctypes.c_size_t(0)
    pointer = ctypes.c_void_p(queue.int_ptr)
    times = []
    for _ in range(launches + 1):
        start = time.perf_counter()
        status = library.CLBlastSgemm(
            *(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, whole, whole, whole, one),
            *(handle(buffers[0].int_ptr), none, whole),
            *(handle(buffers[1].int_ptr), none, whole, zero),
            *(handle(buffers[2].int_ptr), none, whole),
            *(ctypes.byref(pointer), None),
        )
        queue.finish()
        times.append(1e3 * (time.perf_counter() - start))
        if status:
            sys.exit(f"CLBlastSgemm answered {status}")
    cl.enqueue_copy(queue, c, buffers[2], is_blocking=True)
    print(json.dumps({"ms": statistics.median(times[1:]), "error": float(np.max(np.abs(c - a @ b)))}))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
