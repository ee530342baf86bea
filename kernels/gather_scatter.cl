/* gather_scatter: out[to[i]] = in[from[i]], both from and to in no order, eight elements per work-item.
 *
 * Variant       an item's elements are a group apart, so that neighbouring items read neighbouring indices; with WIDE 1 the
 *               places are the upper halves of 64-bit indices, so that whoever cuts an index to 32 bits takes another place
 * Shapes        in, out, from and to of count elements, any count >= 1; the launcher takes count = n * n for a size n
 * Layout        flat
 * Oracle        the same copy on the host, bit for bit: nothing is computed
 * Origin        GUPS of the HPC Challenge (Luszczek et al. 2006), with two permutations instead of updates, so that the
 *               result is one only
 * Build options WIDE  0 for int indices, 1 for long ones (default 0)
 * Work-group    (64, 1, 1), as many groups as cover count / 8, rounded up
 * Local memory  0 bytes
 * Precondition  from and to are permutations of 0 ... count - 1, with WIDE the halves of their indices are; count < 2**31 -
 *               1024; in and out do not overlap
 * Numerics      none
 *
 * The loop takes eight iterations; llvmpipe stops at 65,535.
 */
#define GROUP 64 /* device/workloads/gather_scatter.py launches by it */
#define WIDTH 8  /* elements per item, by which it launches too */

#ifndef WIDE
#define WIDE 0
#endif
#if WIDE
typedef long index_t;
#define PLACE(index) ((index) >> 32)
#else
typedef int index_t;
#define PLACE(index) (index)
#endif

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void gather_scatter(__global const float *in,
                                                                                __global const index_t *from,
                                                                                __global const index_t *to,
                                                                                __global float *out, const int count)
{
    const int first = get_group_id(0) * (GROUP * WIDTH) + get_local_id(0);
    for (int k = 0; k < WIDTH; ++k) {
        const int i = first + k * GROUP;
        if (i < count)
            out[PLACE(to[i])] = in[PLACE(from[i])];
    }
}
