/* gemm_tile24: C = alpha * A * B + beta * C in float32, 24 x 24 tiles in local memory.
 *
 * Variant       made for Polaris-class GPUs: 12 x 12 work-items, 2 x 2 outputs each
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1; edges are padded with zeros in local memory
 * Layout        row-major: A[i * k + l], B[l * ldb + j], C[i * ldc + j]
 * Oracle        float64 product on the host
 * Origin        classic two-level tiling (NVIDIA OpenCL best practices; CNugteren, myGEMM, kernel 3)
 * Build options PAD      columns of padding per row of a tile, 0 to 4 (default 1, so that rows lie in different banks)
 *               USE_FMA  1: fma(), 0: a * b + c (default 0)
 * Work-group    (12, 12, 1), required; groups cover C in (24, 24) blocks
 * Local memory  2 * 24 * (24 + PAD) * 4 = 4800 bytes at PAD = 1
 * Precondition  the device allows 144 work-items per group
 * Numerics      sums of 24 products along k, added up; the compiler may contract a * b + c
 *
 *        B: k x n          As = 24 x 24 of A, Bs = 24 x 24 of B, both moved along k together;
 *      +--[Bs]--+          item (x, y) owns rows y, y + 12 and columns x, x + 12 of the C block.
 *   A [As]  [C block]
 */
#define TILE 24
#include "gemm_tile.clh"
