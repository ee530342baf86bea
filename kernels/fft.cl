/* fft: batched forward transforms of complex float32 rows, four rows side by side in a work-group's local memory.
 *
 * Variant       Stockham's, radix 4 and one step of radix 2 where the length asks for it; the rows are the lanes of vectors,
 *               and a group keeps its table of twiddle factors for ROWS of them
 * Shapes        in and out of batch x length complex numbers; length a power of two from 1 to MOST, any batch >= 1
 * Layout        row-major, real and imaginary part beside each other: in[2*(row*length + i)]
 * Oracle        numpy.fft.fft in float64 on the host
 * Origin        Stockham (1966) in the form of Govindaraju et al., High performance discrete Fourier transforms on graphics
 *               processors (2008)
 * Build options none
 * Work-group    (max(1, length / 4), 1, 1), one butterfly per item and step, and a group per ROWS rows of the batch
 * Local memory  18,432 bytes: four rows twice, which take turns, and the table
 * Precondition  batch * length < 2**30; in and out do not overlap
 * Numerics      factors are cospi and sin of angles up to pi / 2, each off by 4 ulp at most and the latter by the angle's
 *               rounding; two roundings or one per product
 *
 * Not cos beside sin: of both, Clover on llvmpipe makes code for 40 s, of these two for 4 s; and of sincos it aborts.
 * No barrier stands in a branch. The loops take ROWS * 3 iterations at most; llvmpipe stops at 65,535.
 */
#define MOST 256 /* device/workloads/fft.py keeps to it */
#define ROWS 32  /* rows per group, by which it launches */
#define TWO_PI 6.28318530717958647692f
typedef float4 vec; /* of as many rows */

/* (xr, xi) times cos - i sin of the table's place t */
#define TURN_RE(xr, xi, t) ((xr) * cosines[t] + (xi) * sines[t])
#define TURN_IM(xr, xi, t) ((xi) * cosines[t] - (xr) * sines[t])
#define GET(lane)                                                                                                      \
    {                                                                                                                  \
        __global const float *from = in + 2 * (min(row + lane, last - 1) * length + i);                                \
        ((__local float *)(re + i))[lane] = from[0];                                                                   \
        ((__local float *)(im + i))[lane] = from[1];                                                                   \
    }
#define PUT(lane, place)                                                                                               \
    if (row + lane < last) {                                                                                           \
        __global float *to = out + 2 * ((row + lane) * length + (place));                                              \
        to[0] = real.s##lane;                                                                                          \
        to[1] = imaginary.s##lane;                                                                                     \
    }
#define OUT(place, x, y)                                                                                               \
    {                                                                                                                  \
        const vec real = x, imaginary = y;                                                                             \
        PUT(0, place)                                                                                                  \
        PUT(1, place)                                                                                                  \
        PUT(2, place)                                                                                                  \
        PUT(3, place)                                                                                                  \
    }

__kernel __attribute__((vec_type_hint(float4))) void fft(__global const float *in, __global float *out,
                                                         const int length, const int batch)
{
    __local vec re[2 * MOST], im[2 * MOST];
    __local float cosines[MOST], sines[MOST];
    const int j = get_local_id(0), items = get_local_size(0), quarter = length / 4;
    const int first = get_group_id(0) * ROWS, last = min(first + ROWS, batch);

    const float c = cospi(j * (2.0f / length)), s = sin(j * (TWO_PI / length));
    cosines[j] = c;
    sines[j] = s;
    if (quarter > 0) { /* the second and the third quarter of the circle */
        cosines[j + quarter] = -s;
        sines[j + quarter] = c;
        cosines[j + 2 * quarter] = -c;
        sines[j + 2 * quarter] = -s;
    }

    for (int row = first; row < last; row += 4) {
        for (int i = j; i < length; i += items) {
            GET(0)
            GET(1)
            GET(2)
            GET(3)
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        int at = 0, span = 1; /* where the rows are, and the length of what is transformed already */
        for (; 4 * span <= length; span *= 4) {
            const int k = j & (span - 1), t = k * (quarter / span), a = at + j;
            const vec r0 = re[a], i0 = im[a];
            const vec r1 = TURN_RE(re[a + quarter], im[a + quarter], t);
            const vec i1 = TURN_IM(re[a + quarter], im[a + quarter], t);
            const vec r2 = TURN_RE(re[a + 2 * quarter], im[a + 2 * quarter], 2 * t);
            const vec i2 = TURN_IM(re[a + 2 * quarter], im[a + 2 * quarter], 2 * t);
            const vec r3 = TURN_RE(re[a + 3 * quarter], im[a + 3 * quarter], 3 * t);
            const vec i3 = TURN_IM(re[a + 3 * quarter], im[a + 3 * quarter], 3 * t);
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
                const vec r0 = re[at + i], i0 = im[at + i];
                const vec r1 = TURN_RE(re[at + span + i], im[at + span + i], i);
                const vec i1 = TURN_IM(re[at + span + i], im[at + span + i], i);
                OUT(i, r0 + r1, i0 + i1)
                OUT(i + span, r0 - r1, i0 - i1)
            }
        } else {
            for (int i = j; i < length; i += items)
                OUT(i, re[at + i], im[at + i])
        }
        barrier(CLK_LOCAL_MEM_FENCE); /* the next rows are loaded into what was read here */
    }
}
