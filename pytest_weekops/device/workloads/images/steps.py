"""Images and samplers of one launch. Imported where a driver is, and never by whoever makes references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.device.operation import HostWork
from pytest_weekops.device.workloads.images.sampler import GROUP, MODES
from pytest_weekops.device.workloads.parts import up

_FORMAT = cl.ImageFormat(cl.channel_order.RGBA, cl.channel_type.FLOAT)  # one that every device with images has


def drive(work: HostWork, n: int, *, linear: bool) -> list[Any]:
    """Read by each mode, and write where the nearest texel is read; images and samplers are freed in the end."""
    queue, context, region = work.queue, work.queue.context, (n, n, 1)
    flags, size = cl.mem_flags.READ_WRITE, (up(n * n, GROUP),)
    filtered = cl.filter_mode.LINEAR if linear else cl.filter_mode.NEAREST
    images = [cl.Image(context, flags, _FORMAT, shape=(n, n)) for _ in range(1 if linear else 2)]
    texels = np.empty((n, n, 4), dtype=np.float32)
    try:
        cl.enqueue_copy(queue, texels, work.buffers["x"], is_blocking=True)
        cl.enqueue_copy(queue, images[0], texels, origin=(0, 0, 0), region=region, is_blocking=True)
        events: list[Any] = []
        kernel = work.kernels["read_places"]
        for part, (mode, normalized) in enumerate(MODES):
            sampler = cl.Sampler(context, normalized, getattr(cl.addressing_mode, mode), filtered)
            at, first = work.buffers[f"at{normalized:d}"], np.int32(part * n * n)
            kernel.set_args(images[0], sampler, at, work.buffers["out"], np.int32(n * n), first)
            events.append(cl.enqueue_nd_range_kernel(queue, kernel, size, (GROUP,)))
            queue.finish()  # the sampler goes out of scope
        for written in images[1:]:
            stale = np.full_like(texels, np.nan)  # what an earlier launch left may be where this image is
            cl.enqueue_copy(queue, written, stale, origin=(0, 0, 0), region=region, is_blocking=True)
            kernel = work.kernels["write_texels"]
            kernel.set_args(work.buffers["x"], written, np.int32(n), np.int32(n * n))
            events.append(cl.enqueue_nd_range_kernel(queue, kernel, size, (GROUP,)))
            cl.enqueue_copy(queue, texels, written, origin=(0, 0, 0), region=region, is_blocking=True)
            behind = 16 * len(MODES) * n * n
            cl.enqueue_copy(queue, work.buffers["out"], texels, dst_offset=behind, is_blocking=True)
        queue.finish()
    finally:
        for image in images:
            image.release()
    return events
