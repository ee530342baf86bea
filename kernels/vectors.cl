/* vectors: vectors of each width loaded and stored, in each memory, and put together from halves of others.
 *
 * Variant       two kernels: vectors_ has vectors of 32 bytes and less, vectors_wide_ those of 64 and 128, in which a
 *               driver is known to fail
 * Shapes        x of count words, out of 17 rows of 8 * count words, or of 11 rows of 16 * count
 * Layout        flat: the 8 (16) words of item i of row r are result r of what lies at i % (count - 31), or at the
 *               multiple of the width that belongs to i
 * Oracle        the words themselves, moved by the host
 * Origin        OpenCL C 1.2, sections 6.1.2, 6.1.7 and 6.12.7
 * Build options WIDE: the second kernel, which a driver is known to fail over, in place of the first
 * Work-group    (64, 1, 1), and as many whole groups as cover count
 * Local memory  8 * 64 or 16 * 64 words
 * Precondition  count >= 32, and 176 * count < 2**31 - 2**16
 * Numerics      exact
 */
#define GROUP 64 /* device/workloads/exact.py launches by it */
#define ONE_OF_A_GROUP __attribute__((reqd_work_group_size(GROUP, 1, 1)))
#define ROW (out + WORDS * (row++ * count + i))

#ifdef WIDE
#define WORDS 16 /* of a row to an item */
#define VECTOR uint16
#define LOAD vload16
#define STORE vstore16
#define NAME vectors_wide_
#else
#define WORDS 8
#define VECTOR uint8
#define LOAD vload8
#define STORE vstore8
#define NAME vectors_
#endif

__kernel ONE_OF_A_GROUP void NAME(__global const uint *x, __global uint *out, const int count)
{
    __local uint held[WORDS * GROUP];
    uint kept[WORDS];
    const int lane = get_local_id(0), i = min((int)get_global_id(0), count - 1);
    const int at = i % (count - 31);
    const VECTOR v = LOAD(0, x + at), w = LOAD(i % (count / WORDS), x);
    STORE(v, lane, held);
    barrier(CLK_LOCAL_MEM_FENCE);
    const VECTOR beside = LOAD(lane ^ 1, held);
    if (get_global_id(0) >= count)
        return;
    __global const ulong *longs = (__global const ulong *)(x + (at & ~1));
    int row = 0;
    STORE(v, 0, ROW);
    STORE(w, 0, ROW);
    STORE(LOAD(0, (__global const float *)(x + at)), 0, (__global float *)ROW);
    STORE(w, 0, kept);
    {
        __global uint *to = ROW;
        for (int k = 0; k < WORDS; ++k)
            to[k] = kept[(k + i) % WORDS];
    }
    STORE(beside, 0, ROW);
    STORE(3 * v + w, 0, ROW);
    STORE((VECTOR)(w.hi, v.odd), 0, ROW);
#ifdef WIDE
    const ulong16 wider = vload16(0, longs);
    vstore8(vload8(0, longs), 0, (__global ulong *)ROW);
    vstore8(wider.lo, 0, (__global ulong *)ROW);
    vstore8(wider.hi, 0, (__global ulong *)ROW);
    vstore16((uint16)(vload8(0, x + at), vload8(1, x + at)), 0, ROW);
#else
    __global const uchar *bytes = (__global const uchar *)(x + at) + 1;
    __global const ushort *shorts = (__global const ushort *)(x + at) + 1;
    {
        __global uint *to = ROW;
        vstore4(vload4(0, x + at), 0, to);
        vstore4(vload4(1, x + at), 1, to);
    }
    {
        __global uint *to = ROW;
        vstore3(vload3(0, x + at), 0, to);
        vstore3(vload3(1, x + at), 1, to);
        vstore2(vload2(3, x + at), 3, to);
    }
    {
        __global uint *to = ROW;
        vstore2(vload2(0, x + at), 3, to);
        vstore2(vload2(1, x + at), 2, to);
        vstore2(vload2(2, x + at), 1, to);
        vstore2(vload2(3, x + at), 0, to);
    }
    {
        __global uchar *to = (__global uchar *)ROW;
        vstore16(vload16(0, bytes), 0, to);
        vstore16(vload16(1, bytes), 1, to);
    }
    {
        __global uchar *to = (__global uchar *)ROW;
        vstore8(vload8(0, bytes), 0, to);
        vstore8(vload8(1, bytes), 1, to);
        vstore4(vload4(4, bytes), 4, to);
        vstore4(vload4(5, bytes), 5, to);
        vstore3(vload3(8, bytes), 8, to);
        vstore3(vload3(9, bytes), 9, to);
        vstore2(vload2(15, bytes), 15, to);
    }
    vstore16(vload16(0, shorts), 0, (__global ushort *)ROW);
    {
        __global ushort *to = (__global ushort *)ROW;
        vstore8(vload8(0, shorts), 0, to);
        vstore4(vload4(2, shorts), 2, to);
        vstore2(vload2(6, shorts), 6, to);
        vstore2(vload2(7, shorts), 7, to);
    }
    vstore4(vload4(0, longs), 0, (__global ulong *)ROW);
    {
        __global ulong *to = (__global ulong *)ROW;
        vstore2(vload2(0, longs), 1, to);
        vstore2(vload2(1, longs), 0, to);
    }
    vstore8(max(v, w), 0, ROW);
#endif
}
