/* abft_sample: a few rows and columns of C against their reference sums, one verdict per line and sign vector.
 *
 * Purpose       the T5 guard's check where a policy samples: row i is bad unless |sum_j C[i, j] w[j] - (A (B w))[i]| is
 *               within its bound, column j unless |sum_i v[i] C[i, j] - ((v^T A) B)[j]| is within its own
 * Shapes        C m x n with rows ldc floats apart; w and row_ref vectors x n and vectors x m, v and col_ref vectors x m
 *               and vectors x n; row_bound m, col_bound n; places rows + columns; verdict (rows + columns) x vectors
 * Origin        Huang and Abraham, Algorithm-Based Fault Tolerance for Matrix Operations (1984): both of its checksums,
 *               on lines drawn at random
 * Build options ITEMS  work-items per line: 1 on CPU drivers, a power of two on GPUs (default 1)
 * Work-group    (ITEMS, 1, 1), required; one group per line and sign vector
 * Local memory  4 * ITEMS bytes where ITEMS > 1
 * Numerics      float32, four partial sums per work-item; the comparison is written so that NaN is bad
 *
 * places holds the rows' numbers, then the columns'. verdict[line * vectors + turn] becomes serial where that sum is good
 * and -serial where it is bad, so that a check that did not run is never taken for a good result. No vector types:
 * Clover's compiler does not survive their loads.
 */
#include "group_sum.clh"

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_sample(__global const float *C, __global const float *w, __global const float *v,
                          __global const float *row_ref, __global const float *col_ref,
                          __global const float *row_bound, __global const float *col_bound,
                          __global const int *places, const int rows, const int vectors, const int m, const int n,
                          const int ldc, const int serial, __global int *verdict)
{
    const int item = get_local_id(0);
    const int line = get_group_id(0) / vectors;
    const int turn = get_group_id(0) % vectors;
    const int is_row = line < rows;
    const int place = places[line];
    const int count = is_row ? n : m;
    const int step = is_row ? 1 : ldc;
    const int whole = count / (4 * ITEMS) * (4 * ITEMS);
    __global const float *c = C + (is_row ? place * ldc : place);
    __global const float *x = (is_row ? w : v) + turn * count;
    float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
    for (int i = item; i < whole; i += 4 * ITEMS) {
        s0 += c[i * step] * x[i];
        s1 += c[(i + ITEMS) * step] * x[i + ITEMS];
        s2 += c[(i + 2 * ITEMS) * step] * x[i + 2 * ITEMS];
        s3 += c[(i + 3 * ITEMS) * step] * x[i + 3 * ITEMS];
    }
    for (int i = whole + item; i < count; i += ITEMS)
        s0 += c[i * step] * x[i];
    float r = (s0 + s1) + (s2 + s3);
    SHARED_SUMS
    GROUP_SUM(r, item)
    if (item == 0) {
        const float ref = is_row ? row_ref[turn * m + place] : col_ref[turn * n + place];
        const float bound = is_row ? row_bound[place] : col_bound[place];
        verdict[get_group_id(0)] = fabs(r - ref) <= bound ? serial : -serial;
    }
}
