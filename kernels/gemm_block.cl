/* gemm_block: C = alpha * A * B + beta * C in float32, MR x NR outputs per work-item in registers.
 *
 * Variant       for CPU drivers and small sizes: no local memory, nothing is packed
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1
 * Layout        row-major: A[i * k + l], B[l * ldb + j], C[i * ldc + j]
 * Oracle        float64 product on the host
 * Origin        register blocking (Goto and van de Geijn 2008, the micro-kernel alone)
 * Build options MR  rows per work-item, 1 to 14 (default 4)
 *               NV  vectors per row of the block, 1 to 4 (default 2)
 *               VW  floats per vector, 4, 8 or 16 (default 8); NR = NV * VW
 *               USE_FMA  1: fma(), 0: a * b + c (default 0)
 * Work-group    (1, 1, 1), required: one item is one block, and the driver spreads groups over its cores
 * Local memory  0 bytes
 * Precondition  ldb and ldc are multiples of NR, both buffers padded to it; C has a multiple of MR rows
 * Numerics      sums of 256 products along k, added up; the compiler may contract a * b + c
 *
 * Vectors are read through pointers, never with vload: Clover's compiler aborts on vload.
 */
#ifndef MR
#define MR 4
#endif
#ifndef NV
#define NV 2
#endif
#ifndef VW
#define VW 8
#endif
#ifndef USE_FMA
#define USE_FMA 0
#endif
#include "register_block.clh"

#define STEP_ROW(i)                                                                                                   \
    {                                                                                                                 \
        /* Rows beyond the edge read row 0 instead: their sums land in the padding of C. */                           \
        const float a##i = A[(row + i < m ? row + i : 0) * k + l];                                                    \
        EACH_VEC(MADD_VEC, i)                                                                                         \
    }
/* beta = 0 must not read C: it may hold NaN, and 0 * NaN is NaN. */
#define STORE_VEC(i, j)                                                                                               \
    {                                                                                                                 \
        __global vec *c = (__global vec *)(C + (row + i) * ldc + col) + j;                                            \
        *c = beta == 0.0f ? alpha * sum##i##_##j : alpha * sum##i##_##j + beta * *c;                                  \
    }
#define STORE_ROW(i) EACH_VEC(STORE_VEC, i)

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int ldb, const int ldc, const float alpha, const float beta)
{
    const int col = get_global_id(0) * NR;
    const int row = get_global_id(1) * MR;
    EACH_ROW(DECLARE_SUMS)
    for (int base = 0; base < k; base += SUM_DEPTH) {
        const int last = min(base + SUM_DEPTH, k);
        EACH_ROW(DECLARE_ROW)
        for (int l = base; l < last; ++l) {
            __global const vec *b = (__global const vec *)(B + l * ldb + col);
            LOAD_B
            EACH_ROW(STEP_ROW)
        }
        EACH_ROW(ADD_ROW)
    }
    EACH_ROW(STORE_ROW)
}
