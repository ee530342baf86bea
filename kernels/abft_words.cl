/* abft_words: weighted sums of a result's words, row by row, against what they must be; one chained verdict per row.
 *
 * Purpose       the guard of exact workloads: row i is bad unless sum_j out[i, j] weights[j] = expected[i] modulo 2^32
 * Shapes        out of count words in rows of `columns`, the last one as long as is left; weights of columns words, each
 *               odd; expected and verdict of ceil(count / columns)
 * Layout        flat
 * Oracle        tests/device/test_invariants.py: word_sums of core/guard/invariants.py
 * Origin        Huang and Abraham, Algorithm-Based Fault Tolerance for Matrix Operations (1984), modulo 2^32 as in
 *               checksums of integers: an odd weight has an inverse, so that no single wrong word keeps its row's sum
 * Build options ITEMS    work-items per row: 1 on CPU drivers, a power of two on GPUs (default 1)
 *               ROWS     rows per work-group (default 8); ROWS * columns / ITEMS stays below llvmpipe's limit
 *               VW       words per load, 1, 4, 8 or 16; columns must be a multiple of it (default 1)
 *               CONTROL  see abft_rows.clh (default 0)
 * Work-group    (ITEMS, 1, 1), required
 * Local memory  4 * ITEMS bytes where ITEMS > 1
 * Precondition  count < 2^31
 * Numerics      whole numbers only
 */
#define SUMMED uint
#include "group_sum.clh"
#include "abft_rows.clh"

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_words(__global const uint *out, const int columns, const int count, __global const uint *weights,
                         __global const uint *expected, const int serial, __global int *verdict)
{
    const int item = get_local_id(0);
    const int rows = (count - 1) / columns + 1;
    const int first = get_group_id(0) * ROWS;
    const int last = min(first + ROWS, rows);
    SHARED_SUMS
    for (int i = first; i < last; ++i) {
        uint sum = row_part(out + i * columns, weights, min(columns, count - i * columns), item);
        GROUP_SUM(sum, item)
        if (item == 0) {
            CHAINED(verdict, i, sum == expected[i])
        }
    }
}
