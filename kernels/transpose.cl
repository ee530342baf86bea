/* transpose: out = in^T in float32, by tiles of 32 x 32 in local memory.
 *
 * Variant       the one there is: a group of 32 x 8 items loads a tile by its rows and stores it by its columns, so that
 *               neighbouring items read and write neighbouring words on both sides
 * Shapes        in and out of n x n elements, any n >= 1; the edge's tiles are cut
 * Layout        row-major: in[row*n + column], out[column*n + row]
 * Oracle        the transposed input, bit for bit: nothing is computed
 * Origin        Ruetsch and Micikevicius, Optimizing Matrix Transpose in CUDA (2009), its padded tile
 * Build options none
 * Work-group    (32, 8, 1), as many groups as there are tiles, one per tile
 * Local memory  4224 bytes: rows of 33 words, so that the items of a column meet different banks
 * Precondition  n <= 46,340: an int counts the elements; in and out do not overlap
 * Numerics      none
 *
 * Each loop takes four iterations; llvmpipe stops at 65,535.
 */
#define TILE 32 /* device/workloads/transpose.py launches by it */
#define LINES 8 /* rows of items in a group, by which it launches too */
#define PITCH (TILE + 1)

__kernel __attribute__((reqd_work_group_size(TILE, LINES, 1))) void transpose(__global const float *in,
                                                                              __global float *out, const int n)
{
    __local float tile[TILE * PITCH];
    const int x = get_local_id(0), y = get_local_id(1);
    const int column = get_group_id(0) * TILE, row = get_group_id(1) * TILE; /* of the tile in in */

    for (int r = y; r < TILE; r += LINES)
        if (row + r < n && column + x < n)
            tile[r * PITCH + x] = in[(row + r) * n + column + x];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = y; r < TILE; r += LINES)
        if (column + r < n && row + x < n)
            out[(column + r) * n + row + x] = tile[x * PITCH + r];
}
