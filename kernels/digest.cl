/* Digest of a result: 32 bits per row and work-item, the same where every bit of C is the same.
 *
 * Shapes:    C (rows x columns, row-major, `pitch` elements from row to row, as 32-bit words); elements from `count` on
 *            do not exist, so that a flat array is looked at in rows of any length. out: rows * ITEMS words.
 * Computes:  out[i * ITEMS + item] = serial + sum of mix(C[i * pitch + j], j) over the item's columns, modulo 2^32.
 * Oracle:    tests/device/test_looks.py, in numpy.
 * Origin:    the mix is the finalizer of MurmurHash3 (Appleby), shortened; a bijection of each word, so that a row in
 *            which one element changed never keeps its sum.
 * Options:   ITEMS  work-items that share a row, side by side in memory: 1 on a CPU, 64 on a GPU.
 *            ROWS   rows of a work-group, one after the other; ROWS * columns / ITEMS stays below llvmpipe's limit.
 * Group:     (ITEMS, 1, 1); groups: ceil(rows / ROWS). Local memory: none.
 * Numerics:  whole numbers only.
 */
#ifndef ITEMS
#define ITEMS 1
#endif
#ifndef ROWS
#define ROWS 1
#endif

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void digest(__global const uint *C, const int rows, const int columns, const int pitch, const int count,
                     const uint serial, __global uint *out)
{
    const int item = get_local_id(0);
    const int first = get_group_id(0) * ROWS;
    const int last = min(first + ROWS, rows);
    for (int i = first; i < last; ++i) {
        const int end = min(columns, count - i * pitch);
        uint sum = serial;
        for (int j = item; j < end; j += ITEMS) {
            uint x = C[i * pitch + j] ^ ((uint)j * 0x9E3779B9u);
            x *= 0x85EBCA6Bu;
            x ^= x >> 13;
            sum += x * 0xC2B2AE35u;
        }
        out[i * ITEMS + item] = sum;
    }
}
