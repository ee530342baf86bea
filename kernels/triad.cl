/* triad: a = b + s * c in float32, one element per work-item.
 *
 * Variant       the one there is: memory bounds it, and every compiler makes of it what the memory allows
 * Shapes        a, b, c of count elements, any count >= 1; the launcher takes count = n * n for a size n
 * Layout        flat: element i of each array stands at [i]
 * Oracle        float64 b + s * c on the host
 * Origin        McCalpin, STREAM (1995), its fourth kernel
 * Build options none
 * Work-group    any; the launcher takes (256, 1, 1) and as many whole groups as cover count
 * Local memory  0 bytes
 * Precondition  count < 2**31; a, b and c do not overlap
 * Numerics      two roundings per element, one where the compiler contracts b + s * c
 *
 * No loop: llvmpipe stops a work-item after 65,535 iterations, and none here ever counts.
 */
__kernel void triad(__global const float *b, __global const float *c, __global float *a, const int count, const float s)
{
    const int i = get_global_id(0);
    if (i < count) /* the last group reaches beyond the arrays */
        a[i] = b[i] + s * c[i];
}
