/* gemm_lanes: C = alpha * A * B + beta * C in float32, MR x NV outputs per work-item, LANES items side by side.
 *
 * Variant       for drivers that put neighbouring work-items into the lanes of one vector register, such as llvmpipe:
 *               with one item per group, as in gemm_block, they leave all lanes but one idle
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1
 * Layout        row-major: A[i * k + l], B[l * ldb + j], C[i * ldc + j]; item x of a group owns columns x, x + LANES, ...
 * Oracle        float64 product on the host
 * Origin        register blocking (Goto and van de Geijn 2008), one lane per column
 * Build options MR     rows per work-item, 1 to 14 (default 8)
 *               NV     columns per work-item, 1 to 8 (default 8)
 *               LANES  work-items per group, 4 to 64 (default 8); a group covers NV * LANES columns, at most 64
 *               USE_FMA  1: fma(), 0: a * b + c (default 0)
 * Work-group    (LANES, 1, 1), required
 * Local memory  0 bytes
 * Precondition  ldb and ldc are multiples of NV * LANES, both buffers padded to it; C has a multiple of MR rows
 * Numerics      sums of 256 products along k, added up; the compiler may contract a * b + c
 *
 * Loop iterations per work-item: k and one for each 256 of it, below llvmpipe's 65,535.
 */
#ifndef MR
#define MR 8
#endif
#ifndef NV
#define NV 8
#endif
#ifndef LANES
#define LANES 8
#endif
#ifndef USE_FMA
#define USE_FMA 0
#endif
#define VW 1
#include "register_block.clh"

#define LOAD_COLUMN(i, j) const float b##j = b[j * LANES];
#define STEP_ROW(i)                                                                                                   \
    {                                                                                                                 \
        /* Rows beyond the edge read row 0 instead: their sums land in the padding of C. */                           \
        const float a##i = A[(row + i < m ? row + i : 0) * k + l];                                                    \
        EACH_VEC(MADD_VEC, i)                                                                                         \
    }
/* beta = 0 must not read C: it may hold NaN, and 0 * NaN is NaN. */
#define STORE_VEC(i, j)                                                                                               \
    {                                                                                                                 \
        __global float *c = C + (row + i) * ldc + col + j * LANES;                                                    \
        *c = beta == 0.0f ? alpha * sum##i##_##j : alpha * sum##i##_##j + beta * *c;                                  \
    }
#define STORE_ROW(i) EACH_VEC(STORE_VEC, i)

__attribute__((reqd_work_group_size(LANES, 1, 1)))
__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int ldb, const int ldc, const float alpha, const float beta)
{
    const int col = get_group_id(0) * (NV * LANES) + get_local_id(0);
    const int row = get_global_id(1) * MR;
    EACH_ROW(DECLARE_SUMS)
    for (int base = 0; base < k; base += SUM_DEPTH) {
        const int last = min(base + SUM_DEPTH, k);
        EACH_ROW(DECLARE_ROW)
        for (int l = base; l < last; ++l) {
            __global const float *b = B + l * ldb + col;
            EACH_VEC(LOAD_COLUMN, 0)
            EACH_ROW(STEP_ROW)
        }
        EACH_ROW(ADD_ROW)
    }
    EACH_ROW(STORE_ROW)
}
