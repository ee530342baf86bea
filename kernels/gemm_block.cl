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
 * Vectors are read through pointers, never with vload: Clover's compiler aborts on vload. The body is
 * unpacked_block.clh.
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
#define LANES 1
#include "register_block.clh"
#include "unpacked_block.clh"
