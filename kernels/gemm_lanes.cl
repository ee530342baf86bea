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
 * Loop iterations per work-item: k and one for each 256 of it, below llvmpipe's 65,535. The body is
 * unpacked_block.clh.
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
#include "unpacked_block.clh"
