/* abft_sums: signed sums of stretches of a result against what they must be, within a bound; one chained verdict each.
 *
 * Purpose       the guard of float workloads: stretch i is bad unless |sum_j out[i, j] signs[j] - expected[i]| <= bound[i]
 * Shapes        out of count floats in rows of `columns`, the last one as long as is left; signs of columns floats, each
 *               1 or -1; expected, bound and verdict of ceil(count / columns)
 * Layout        flat
 * Oracle        tests/device/test_invariants.py: stretch_sums of core/guard/invariants.py
 * Origin        Huang and Abraham, Algorithm-Based Fault Tolerance for Matrix Operations (1984), with a random +-1 vector
 * Build options ITEMS    work-items per stretch: 1 on CPU drivers, a power of two on GPUs (default 1)
 *               ROWS     stretches per work-group (default 8)
 *               VW       floats per load, 1, 4, 8 or 16; columns must be a multiple of it (default 1)
 *               CONTROL  see abft_rows.clh (default 0)
 * Work-group    (ITEMS, 1, 1), required
 * Local memory  4 * ITEMS bytes where ITEMS > 1
 * Precondition  count < 2^31
 * Numerics      float32; the comparison is written so that NaN is bad
 */
#define SUMMED float
#include "group_sum.clh"
#include "abft_rows.clh"

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_sums(__global const float *out, const int columns, const int count, __global const float *signs,
                        __global const float *expected, __global const float *bound, const int serial,
                        __global int *verdict)
{
    const int item = get_local_id(0);
    const int rows = (count - 1) / columns + 1;
    const int first = get_group_id(0) * ROWS;
    const int last = min(first + ROWS, rows);
    SHARED_SUMS
    for (int i = first; i < last; ++i) {
        float sum = row_part(out + i * columns, signs, min(columns, count - i * columns), item);
        GROUP_SUM(sum, item)
        if (item == 0) {
            CHAINED(verdict, i, fabs(sum - expected[i]) <= bound[i])
        }
    }
}
