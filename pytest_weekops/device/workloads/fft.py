"""Batched transforms of Fourier's: complex rows of a power of two, each in a work-group's local memory."""

from __future__ import annotations

import math

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import STRETCH, Draw, Sums
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape, rms

_LONGEST, _ROWS = 256, 32  # of fft.cl
_MOST = 32_767  # whose square is below 2**30


def batch_of(n: int) -> tuple[int, int]:
    """Rows and their length: the largest power of two up to n and 256, and as many as make n * n numbers about."""
    length = 1 << min(n.bit_length() - 1, _LONGEST.bit_length() - 1)
    return max(1, round(n * n / length)), length


class Fft:
    """The forward transform of each row of batch x length complex numbers, n * n in all or about that."""

    unit: Unit = "GFLOPS"

    def launch(self, shape: Shape) -> Launch:
        """``fft(in, out, length, batch)``, a group of length / 4 items per 32 rows."""
        if shape.n > _MOST:
            raise DeviceError(f"fft at n = {shape.n} has more elements than an int counts. Give a smaller size.")
        batch, length = batch_of(shape.n)
        items = max(1, length // 4)
        return Launch(
            kernel="fft",
            arguments=("in", "out", np.int32(length), np.int32(batch)),
            inputs={"in": Buffer((batch, 2 * length))},
            output="out",
            output_shape=(batch, 2 * length),
            global_size=(-(-batch // _ROWS) * items,),
            local_size=(items,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Real and imaginary parts N(0, 1), beside each other."""
        batch, length = batch_of(shape.n)
        return {"in": np.random.default_rng([seed, session]).standard_normal((batch, 2 * length), dtype=np.float32)}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """numpy.fft.fft of each row in float64."""
        parts = inputs["in"].astype(np.float64)
        result = np.fft.fft(parts.view(np.complex128), axis=1)
        return np.ascontiguousarray(result).view(np.float64)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """U log2(length) rms(out), u = 2**-24, and rms(out) = sqrt(length) rms(in) by Parseval.

        The relative L2 error of a transform in log2(length) steps is at most their number times a small multiple of u,
        which holds the twiddle factors' own error (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition,
        theorem 24.2); where roundings are random, it grows with the square root of the number.
        """
        length = batch_of(shape.n)[1]
        return UNIT_ROUNDOFF * max(1.0, math.log2(length)) * math.sqrt(length) * rms(inputs["in"])

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Sums:  # noqa: ARG002
        """Signed sums of stretches of each row, from its input: what is linear in X = F x is linear in x.

        With s the signs of real and imaginary parts in turn, a stretch sums up to Re((s_re - i s_im) . X), and that is
        Re(v . x), v being the transform of the signs with zeros around the stretch; F is symmetric.
        """
        batch, length = batch_of(shape.n)
        columns = min(STRETCH, 2 * length)
        signs, parts = draw.signs(columns), 2 * length // columns
        probes = np.zeros((parts, length), dtype=np.complex128)
        for part, probe in enumerate(probes):
            probe[part * columns // 2 : (part + 1) * columns // 2] = signs[::2] - 1j * signs[1::2]
        x = np.ascontiguousarray(inputs["in"], dtype=np.float64).view(np.complex128)
        sums = (x @ np.fft.fft(probes, axis=1).T).real
        # By Parseval; all of it may lie in one stretch.
        most = np.sqrt(parts * length * np.mean(np.square(inputs["in"], dtype=np.float64), axis=1))
        unit = self.error_unit(shape, inputs)
        return Sums(2 * batch * length, signs, sums.reshape(-1), unit, np.repeat(most, parts))

    def flops(self, shape: Shape) -> float:
        """5 length log2(length) per row, as the field counts it whatever the radix; one for each copied number."""
        batch, length = batch_of(shape.n)
        return batch * length * max(1.0, 5.0 * math.log2(length))

    def bytes_moved(self, shape: Shape) -> float:
        """Each complex number read and written once."""
        batch, length = batch_of(shape.n)
        return 16.0 * batch * length
