/* spmv: y = A x in float32, A sparse in compressed rows, one row per work-item.
 *
 * Variant       the scalar one: an item sums one row, in four parts at a time
 * Shapes        A of rows x rows with starts[rows] elements in all, x and y of rows, any number of elements in a row, none
 *               included
 * Layout        CSR: the elements of row i are values[starts[i]] to values[starts[i+1] - 1], in the columns columns[...]
 * Oracle        the same sums in float64 on the host
 * Origin        Bell and Garland, Implementing sparse matrix-vector multiplication on throughput-oriented processors
 *               (2009), its CSR kernel (scalar)
 * Build options none
 * Work-group    any; the launcher takes (64, 1, 1) and as many whole groups as cover the rows
 * Local memory  0 bytes
 * Precondition  starts[0] is 0, starts do not fall, all columns are below rows; no row has more than 262,140 elements
 * Numerics      four partial sums over a row, added in pairs; the last one to three elements are added one by one
 *
 * A row of the longest kind that the launcher makes (4096) takes 1024 iterations; llvmpipe stops at 65,535.
 */
__kernel void spmv(__global const int *starts, __global const int *columns, __global const float *values,
                   __global const float *x, __global float *y, const int rows)
{
    const int row = get_global_id(0);
    if (row >= rows)
        return;
    const int end = starts[row + 1];
    int at = starts[row];
    float sum0 = 0.0f, sum1 = 0.0f, sum2 = 0.0f, sum3 = 0.0f;
    for (; at + 4 <= end; at += 4) {
        sum0 += values[at] * x[columns[at]];
        sum1 += values[at + 1] * x[columns[at + 1]];
        sum2 += values[at + 2] * x[columns[at + 2]];
        sum3 += values[at + 3] * x[columns[at + 3]];
    }
    float sum = (sum0 + sum1) + (sum2 + sum3);
    for (; at < end; ++at)
        sum += values[at] * x[columns[at]];
    y[row] = sum;
}
