/* triad: a = b + s * c in float32, eight neighbouring elements per work-item.
 *
 * Variant       the one there is: vectors, because PoCL leaves one element per item scalar and then computes, instead
 *               of waiting for memory
 * Shapes        a, b, c of count elements, any count >= 1; the launcher takes count = n * n for a size n
 * Layout        flat: element i of each array stands at [i]
 * Oracle        float64 b + s * c on the host
 * Origin        McCalpin, STREAM (1995), its fourth kernel
 * Build options none
 * Work-group    any; the launcher takes (64, 1, 1) and as many whole groups as cover count / 8, rounded up
 * Local memory  0 bytes
 * Precondition  count < 2**31 - 1024; a, b and c do not overlap and start where a float8 may (every buffer does)
 * Numerics      two roundings per element, one where the compiler contracts b + s * c
 *
 * Vectors are read through pointers, never with vload: Clover's compiler aborts on vload. The one loop takes at most
 * seven iterations; llvmpipe stops at 65,535.
 */
#define WIDTH 8 /* device/operation.py launches by it */
typedef float8 vec;

__kernel void triad(__global const float *b, __global const float *c, __global float *a, const int count, const float s)
{
    const int first = get_global_id(0) * WIDTH;
    if (first + WIDTH <= count)
        *(__global vec *)(a + first) = *(__global const vec *)(b + first) + s * *(__global const vec *)(c + first);
    else /* the last elements, and none at all in the items beyond the arrays */
        for (int i = first; i < count; ++i)
            a[i] = b[i] + s * c[i];
}
