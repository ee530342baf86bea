/* stencil2d: each element of out is the weighted sum of nine neighbours of in, float32, eight columns per work-item.
 *
 * Variant       the one there is: an item walks down RUN rows of eight columns, in vectors; what neighbouring rows share
 *               is left to the cache
 * Shapes        in of (n+2) x (n+2), with a halo of one element on each side; out of n x n; weights of 9; any n >= 1
 * Layout        row-major: out[i*n + j] = sum over a, b of weights[3*a + b] * in[(i+a)*(n+2) + j + b], a and b from 0 to 2
 * Oracle        the same sum in float64 on the host
 * Origin        SHOC's Stencil2D (Danalis et al. 2010), with nine weights of their own, so that no mirror image is right
 * Build options none
 * Work-group    any; the launcher takes (64, 1, 1) and as many whole groups as cover n / 8 by n / RUN, rounded up
 * Local memory  0 bytes
 * Precondition  n <= 46,338: an int counts the elements of in; in and out do not overlap
 * Numerics      nine products and eight sums per element in one order, contracted where the compiler likes to
 *
 * The weights are in constant memory. Vectors are read through pointers that promise the alignment of a float and no
 * more, since a row of in begins anywhere; never with vload, on which Clover's compiler aborts.
 * The loops take at most RUN and seven iterations; llvmpipe stops at 65,535.
 */
#define WIDTH 8 /* device/workloads/stencil2d.py launches by it */
#define RUN 4   /* rows per item, by which it launches too */
typedef float8 vec __attribute__((aligned(4)));

#define ROW(type, at, w)                                                                                               \
    (weights[w] * *(__global const type *)(at) + weights[(w) + 1] * *(__global const type *)((at) + 1) +               \
     weights[(w) + 2] * *(__global const type *)((at) + 2))
#define NINE(type, at) (ROW(type, at, 0) + ROW(type, (at) + pitch, 3) + ROW(type, (at) + 2 * pitch, 6))

__kernel __attribute__((vec_type_hint(float8))) void stencil2d(__global const float *in, __constant float *weights,
                                                               __global float *out, const int n)
{
    const int pitch = n + 2;
    const int column = get_global_id(0) * WIDTH, first = get_global_id(1) * RUN, last = min(first + RUN, n);

    if (column + WIDTH <= n)
        for (int i = first; i < last; ++i)
            *(__global vec *)(out + i * n + column) = NINE(vec, in + i * pitch + column);
    else /* the last columns, and none at all in the items beyond them */
        for (int i = first; i < last; ++i)
            for (int j = column; j < n; ++j)
                out[i * n + j] = NINE(float, in + i * pitch + j);
}
