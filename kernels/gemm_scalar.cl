/* gemm_scalar: C = alpha * A * B + beta * C in float32, one output per work-item.
 *
 * Variant       the one that every compiler survives: no vectors, no local memory, no macros that matter
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1
 * Layout        row-major: A[i * k + l], B[l * ldb + j], C[i * ldc + j]
 * Oracle        float64 product on the host
 * Origin        the definition
 * Build options none
 * Work-group    any; the launch gives the driver its choice
 * Local memory  0 bytes
 * Precondition  global size >= (n, m); items beyond the edge do nothing
 * Numerics      sums of 256 products along k, added up; the compiler may contract a * b + c
 */
#define SUM_DEPTH 256 /* one sum over all of k would be off by more than policies allow at k = 3072 */

__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int ldb, const int ldc, const float alpha, const float beta)
{
    const int j = get_global_id(0);
    const int i = get_global_id(1);
    if (i >= m || j >= n)
        return;
    float sum = 0.0f;
    for (int base = 0; base < k; base += SUM_DEPTH) {
        const int last = min(base + SUM_DEPTH, k);
        float part = 0.0f;
        for (int l = base; l < last; ++l)
            part += A[i * k + l] * B[l * ldb + j];
        sum += part;
    }
    /* beta = 0 must not read C: it may hold NaN, and 0 * NaN is NaN (BLAS reference, sgemm). */
    C[i * ldc + j] = beta == 0.0f ? alpha * sum : alpha * sum + beta * C[i * ldc + j];
}
