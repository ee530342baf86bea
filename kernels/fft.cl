/* fft: batched forward transforms of complex float32 rows, one row after the other in a work-group's local memory.
 *
 * Variant       Stockham's, radix 4 and one step of radix 2 where the length asks for it; a group keeps its table of twiddle
 *               factors for ROWS rows
 * Shapes        in and out of batch x length complex numbers; length a power of two from 1 to MOST, any batch >= 1
 * Layout        row-major, real and imaginary part beside each other: in[2*(row*length + i)]
 * Oracle        numpy.fft.fft in float64 on the host
 * Origin        Stockham (1966) in the form of Govindaraju et al., High performance discrete Fourier transforms on graphics
 *               processors (2008)
 * Build options none
 * Work-group    (max(1, length / 4), 1, 1), one butterfly per item and step, and a group per ROWS rows of the batch
 * Local memory  24,576 bytes: two rows that take turns, and the table
 * Precondition  batch * length < 2**30; in and out do not overlap
 * Numerics      factors are cos and sin of angles up to pi / 2, each off by some ulp; two roundings or one per product
 *
 * No barrier stands in a branch. The loops take ROWS * 9 iterations at most; llvmpipe stops at 65,535.
 */
#define MOST 1024 /* device/workloads/fft.py keeps to it */
#define ROWS 16   /* rows per group, by which it launches */
#define TWO_PI 6.28318530717958647692f

/* (xr, xi) times cos - i sin of the table's place t */
#define TURN_RE(xr, xi, t) ((xr) * cosines[t] + (xi) * sines[t])
#define TURN_IM(xr, xi, t) ((xi) * cosines[t] - (xr) * sines[t])
#define OUT(i, r, s)                                                                                                   \
    {                                                                                                                  \
        target[2 * (i)] = (r);                                                                                         \
        target[2 * (i) + 1] = (s);                                                                                     \
    }

__kernel void fft(__global const float *in, __global float *out, const int length, const int batch)
{
    __local float re[2 * MOST], im[2 * MOST], cosines[MOST], sines[MOST];
    const int j = get_local_id(0), items = get_local_size(0), quarter = length / 4;
    const int first = get_group_id(0) * ROWS, last = min(first + ROWS, batch);

    const float angle = j * (TWO_PI / length), c = cos(angle), s = sin(angle);
    cosines[j] = c;
    sines[j] = s;
    if (quarter > 0) { /* the second and the third quarter of the circle */
        cosines[j + quarter] = -s;
        sines[j + quarter] = c;
        cosines[j + 2 * quarter] = -c;
        sines[j + 2 * quarter] = -s;
    }

    for (int row = first; row < last; ++row) {
        __global const float *source = in + 2 * row * length;
        __global float *target = out + 2 * row * length;
        for (int i = j; i < length; i += items) {
            re[i] = source[2 * i];
            im[i] = source[2 * i + 1];
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        int at = 0, span = 1; /* where the row is, and the length of what is transformed already */
        for (; 4 * span <= length; span *= 4) {
            const int k = j & (span - 1), t = k * (quarter / span), a = at + j;
            const float r0 = re[a], i0 = im[a];
            const float r1 = TURN_RE(re[a + quarter], im[a + quarter], t);
            const float i1 = TURN_IM(re[a + quarter], im[a + quarter], t);
            const float r2 = TURN_RE(re[a + 2 * quarter], im[a + 2 * quarter], 2 * t);
            const float i2 = TURN_IM(re[a + 2 * quarter], im[a + 2 * quarter], 2 * t);
            const float r3 = TURN_RE(re[a + 3 * quarter], im[a + 3 * quarter], 3 * t);
            const float i3 = TURN_IM(re[a + 3 * quarter], im[a + 3 * quarter], 3 * t);
            const int b = MOST - at + 4 * (j - k) + k;
            re[b] = (r0 + r2) + (r1 + r3);
            im[b] = (i0 + i2) + (i1 + i3);
            re[b + span] = (r0 - r2) + (i1 - i3);
            im[b + span] = (i0 - i2) - (r1 - r3);
            re[b + 2 * span] = (r0 + r2) - (r1 + r3);
            im[b + 2 * span] = (i0 + i2) - (i1 + i3);
            re[b + 3 * span] = (r0 - r2) - (i1 - i3);
            im[b + 3 * span] = (i0 - i2) + (r1 - r3);
            at = MOST - at;
            barrier(CLK_LOCAL_MEM_FENCE);
        }

        if (span < length) { /* a last step of radix 2 */
            for (int i = j; i < span; i += items) {
                const float r0 = re[at + i], i0 = im[at + i];
                const float r1 = TURN_RE(re[at + span + i], im[at + span + i], i);
                const float i1 = TURN_IM(re[at + span + i], im[at + span + i], i);
                OUT(i, r0 + r1, i0 + i1)
                OUT(i + span, r0 - r1, i0 - i1)
            }
        } else {
            for (int i = j; i < length; i += items)
                OUT(i, re[at + i], im[at + i])
        }
        barrier(CLK_LOCAL_MEM_FENCE); /* the next row is loaded into what was read here */
    }
}
