/* gemm_packed: C = alpha * A * B + beta * C in float32 on packed panels.
 *
 * Variant       for CPU drivers: two pre-kernels copy A and B into panels, so that the inner loop reads memory in order
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1
 * Layout        row-major A[i * k + l], B[l * ldb + j], C[i * ldc + j];
 *               Ap[(i / MR) * k * MR + l * MR + i % MR], Bp[(j / NR) * k * NR + l * NR + j % NR], zeros at the edges
 * Oracle        float64 product on the host
 * Origin        Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008); BLIS
 * Build options MR  rows of the register block, 1 to 14 (default 6)
 *               NV  vectors per row of it, 1 to 4 (default 2)
 *               VW  floats per vector, 4, 8 or 16 (default 8); NR = NV * VW
 *               MT  row panels per work-item, 1 to 32 (default 8)
 *               NT  column panels per work-item, 1 to 32 (default 4); the panels' loops count too, see below
 *               KC  depth of one k block, a multiple of UNROLL, 64 to 512 (default 256)
 *               USE_FMA  1: fma(), 0: a * b + c (compilers that emulate fma are slow at it)
 * Work-group    (1, 1, 1), required: one item is one block of MT * MR x NT * NR outputs
 * Local memory  0 bytes
 * Precondition  ldc is a multiple of NR; C has a multiple of MR rows; both pre-kernels ran before
 * Numerics      sums in blocks of KC along k, added in float32 in C
 *
 * Loop iterations per work-item: k / KC * (1 + NT * (1 + MT)) + MT * NT * k / UNROLL, at k = 4096 and the defaults 33,360,
 * half of what llvmpipe allows.
 *
 *            Bp: panels of NR columns        for each k block: a panel of Bp (KC x NR) stays in L1
 *          [ | | | | | | ]                   while MT panels of Ap (MR x KC each) pass by from L2
 *   Ap [=] C C C C
 *      [=] C C C C   <- one work-item
 */
#ifndef MR
#define MR 6
#endif
#ifndef NV
#define NV 2
#endif
#ifndef VW
#define VW 8
#endif
#ifndef MT
#define MT 8
#endif
#ifndef NT
#define NT 4
#endif
#ifndef KC
#define KC 256
#endif
#ifndef USE_FMA
#define USE_FMA 1
#endif
#define UNROLL 4
#if KC % UNROLL != 0
#error "KC must be a multiple of 4, the depth to which the inner loop is unrolled"
#endif
#if MT * NT * (4096 / UNROLL) + (4096 + KC - 1) / KC * (1 + NT * (1 + MT)) >= 65535
#error "MT * NT is too large: a work-item would exceed llvmpipe's 65,535 loop iterations at k = 4096"
#endif
#include "register_block.clh"
#define PACK_DEPTH 512 /* k steps per work-item of the pre-kernels */

/* Ap: item (p, q) copies steps q * PACK_DEPTH ... of row panel p. */
__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void pack_a(__global const float *A, __global float *Ap, const int m, const int k)
{
    const int p = get_global_id(0);
    const int first = get_global_id(1) * PACK_DEPTH;
    const int last = min(first + PACK_DEPTH, k);
    const int rows = min(MR, m - p * MR);
    __global const float *a = A + p * MR * k;
    __global float *out = Ap + p * k * MR;
    /* Written in order: the other way round, each line of Ap is fetched and written MR times. */
    for (int l = first; l < last; ++l)
        for (int i = 0; i < MR; ++i)
            out[l * MR + i] = i < rows ? a[i * k + l] : 0.0f;
}

#define COPY_VEC(i, j) out[j] = in[j];

/* Bp: item (q, s) copies steps s * PACK_DEPTH ... of column panel q; B is padded to ldb with zeros. */
__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void pack_b(__global const float *B, __global float *Bp, const int k, const int ldb)
{
    const int q = get_global_id(0);
    const int first = get_global_id(1) * PACK_DEPTH;
    const int last = min(first + PACK_DEPTH, k);
    for (int l = first; l < last; ++l) {
        __global const vec *in = (__global const vec *)(B + l * ldb + q * NR);
        __global vec *out = (__global vec *)(Bp + q * k * NR + l * NR);
        EACH_VEC(COPY_VEC, 0)
    }
}

#define STEP_ROW(i)                                                                                                   \
    {                                                                                                                 \
        const float a##i = a[i];                                                                                      \
        EACH_VEC(MADD_VEC, i)                                                                                         \
    }
#define STEP                                                                                                          \
    {                                                                                                                 \
        LOAD_B                                                                                                        \
        EACH_ROW(STEP_ROW)                                                                                            \
        a += MR;                                                                                                      \
        b += NV;                                                                                                      \
    }
/* Later k blocks add to the first one's result. */
#define STORE_VEC(i, j) PUT((__global vec *)(C + (p * MR + i) * ldc + q * NR) + j, acc##i##_##j, scale)
#define STORE_ROW(i) EACH_VEC(STORE_VEC, i)

__attribute__((reqd_work_group_size(1, 1, 1)))
__kernel void gemm(__global const float *Ap, __global const float *Bp, __global float *C, const int m, const int n,
                   const int k, const int ldc, const float alpha, const float beta)
{
    const int panels_m = (m + MR - 1) / MR;
    const int panels_n = (n + NR - 1) / NR;
    const int p_first = get_global_id(1) * MT, p_last = min(p_first + MT, panels_m);
    const int q_first = get_global_id(0) * NT, q_last = min(q_first + NT, panels_n);

    for (int base = 0; base < k; base += KC) {
        const int depth = min(KC, k - base);
        const int whole = depth / UNROLL * UNROLL;
        for (int q = q_first; q < q_last; ++q)
            for (int p = p_first; p < p_last; ++p) {
                __global const float *a = Ap + (p * k + base) * MR;
                __global const vec *b = (__global const vec *)(Bp + (q * k + base) * NR);
                const float scale = base == 0 ? beta : 1.0f;
                EACH_ROW(DECLARE_ROW)
                for (int l = 0; l < whole; l += UNROLL) {
                    STEP STEP STEP STEP
                }
                for (int l = whole; l < depth; ++l) {
                    STEP
                }
                EACH_ROW(STORE_ROW)
            }
    }
}
