/* transpose: out = in^T in float32, by tiles.
 *
 * Variant       with BLOCKS 0, for GPUs: a group of 8 x 8 items loads a tile of 64 x 64 by its rows, in vectors of eight, and
 *               stores it by its columns, eight elements per item, so that neighbouring items read and write neighbouring
 *               words on both sides. With BLOCKS 1, for CPUs: an item has a tile of 256 x 256, by blocks of 16 x 16, whose
 *               rows are whole lines of a cache on both sides (transpose_blocks.clh)
 * Shapes        in and out of n x n elements, any n >= 1; the edge's tiles are cut
 * Layout        row-major: in[row*n + column], out[column*n + row]
 * Oracle        the transposed input, bit for bit: nothing is computed
 * Origin        Ruetsch and Micikevicius, Optimizing Matrix Transpose in CUDA (2009), its padded tile
 * Build options BLOCKS  1 or 0, as above
 * Work-group    (8, 8, 1), as many groups as there are tiles, one per tile; with BLOCKS (1, 1, 1)
 * Local memory  16,640 bytes: rows of 65 words, so that the items of a column meet different banks; with BLOCKS none
 * Precondition  n <= 46,340: an int counts the elements; in and out do not overlap
 * Numerics      none
 *
 * Vectors are read through pointers that promise the alignment of a float and no more, since a row begins anywhere; never
 * with vload, on which Clover's compiler aborts. Without the hint, Intel's compiler makes vectors of vectors, four times
 * as slow. The loops take eight iterations and at most eight in each, with BLOCKS less than 9000; llvmpipe stops at
 * 65,535.
 */
#ifndef BLOCKS
#define BLOCKS 0
#endif
typedef float8 vec __attribute__((aligned(4)));
#if BLOCKS
#include "transpose_blocks.clh"
#else
#define TILE 64 /* device/workloads/transpose.py launches by it */
#define LINES 8 /* rows of items in a group, by which it launches too */
#define WIDTH 8 /* elements of a vector, and that */
#define PITCH (TILE + 1)
#define DOWN(c) theirs[(c) * PITCH]

__kernel __attribute__((reqd_work_group_size(TILE / WIDTH, LINES, 1))) __attribute__((vec_type_hint(float8))) void
transpose(__global const float *in, __global float *out, const int n)
{
    __local float tile[TILE * PITCH];
    const int x = get_local_id(0) * WIDTH, y = get_local_id(1);
    const int column = get_group_id(0) * TILE, row = get_group_id(1) * TILE; /* of the tile in in */

    for (int r = y; r < TILE && row + r < n; r += LINES) {
        __global const float *from = in + (row + r) * n + column + x;
        __local float *mine = tile + r * PITCH + x;
        if (column + x + WIDTH <= n)
            *(__local vec *)mine = *(__global const vec *)from;
        else /* the last columns, and none at all beyond them */
            for (int c = 0; c < n - column - x; ++c)
                mine[c] = from[c];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int r = y; r < TILE && column + r < n; r += LINES) {
        __global float *to = out + (column + r) * n + row + x;
        __local const float *theirs = tile + x * PITCH + r;
        if (row + x + WIDTH <= n)
            for (int c = 0; c < WIDTH; ++c) /* not as a vector made of eight: Oclgrind takes those for unwritten */
                to[c] = DOWN(c);
        else
            for (int c = 0; c < n - row - x; ++c)
                to[c] = DOWN(c);
    }
}
#endif
