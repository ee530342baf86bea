/* spmv: y = A x in float32, A sparse in compressed rows.
 *
 * Variant       an item sums ROWS rows, element by element: one row on GPUs; on CPUs many, one behind the other,
 *               by an item that is alone in its group, so that no compiler makes vectors of rows of different lengths
 * Shapes        A of rows x rows with starts[rows] elements in all, x and y of rows, any number of elements in a row, none
 *               included
 * Layout        CSR: the elements of row i are values[starts[i]] to values[starts[i+1] - 1], in the columns columns[...]
 * Oracle        the same sums in float64 on the host
 * Origin        Bell and Garland, Implementing sparse matrix-vector multiplication on throughput-oriented processors
 *               (2009), its CSR kernel (scalar)
 * Build options ROWS  rows of an item, 1
 * Work-group    any; the launcher takes (64, 1, 1) for one row per item, else (1, 1, 1), and as many whole groups as cover
 *               the rows
 * Local memory  0 bytes
 * Precondition  starts[0] is 0, starts do not fall, all columns are below rows; no row has more than 65,534 elements
 * Numerics      a row's products are added one by one
 *
 * With one row per item, Intel's compiler needs the hint: it makes vectors of rows, whose loops then all take as long as
 * the longest. A row of the longest kind that the launcher makes (4096) takes as many iterations; llvmpipe stops at 65,535.
 */
#ifndef ROWS
#define ROWS 1
#endif
#if ROWS > 1
#define ALONE __attribute__((reqd_work_group_size(1, 1, 1)))
#else
#define ALONE __attribute__((vec_type_hint(float4)))
#endif

__kernel ALONE void spmv(__global const int *restrict starts, __global const int *restrict columns,
                         __global const float *restrict values, __global const float *restrict x,
                         __global float *restrict y, const int rows)
{
    const int first = get_global_id(0) * ROWS;
    for (int row = first; row < min(first + ROWS, rows); ++row) {
        const int end = starts[row + 1];
        float sum = 0.0f;
        for (int at = starts[row]; at < end; ++at)
            sum += values[at] * x[columns[at]];
        y[row] = sum;
    }
}
