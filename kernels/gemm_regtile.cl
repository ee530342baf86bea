/* gemm_regtile: C = alpha * A * B + beta * C in float32, a register block per work-item on tiles in local memory.
 *
 * Variant       for GPUs: LANES x LINES items share a tile of A and one of B; each owns MR x NV * 4 outputs, so that one load
 *               from local memory serves four or eight multiplications, where tile24's serves one
 * Shapes        A m x k, B k x n, C m x n, any m, n, k >= 1; edges are padded with zeros in local memory
 * Layout        row-major: A[i * k + l], B[l * ldb + j], C[i * ldc + j]
 * Oracle        float64 product on the host
 * Origin        Volkov and Demmel, Benchmarking GPUs to Tune Dense Linear Algebra (2008): register blocks on shared tiles;
 *               Nath, Tomov and Dongarra (2010): the next tiles are fetched while these are multiplied
 * Build options MR     rows per work-item, 4 or 8 (default 8)
 *               NV     vectors of four columns per work-item, 1, 2 or 4 (default 1)
 *               VW     floats per vector, 4 and nothing else
 *               LANES  work-items per row of the group, 8, 16 or 32 (default 32)
 *               LINES  rows of work-items, 8, 16 or 32 (default 8)
 *               KB     depth of the tiles, 8, 16 or 32 (default 16)
 *               PAD    floats of padding per line of A's tile, 0 or 4 (default 4)
 *               KC     products along k that are summed in registers before they are added to C: 256, 512 or 1024
 *                      (default 512)
 *               USE_FMA  1: fma(), 0: a * b + c (default 0)
 * Work-group    (LANES, LINES, 1), required; a group covers MR * LINES x NV * 4 * LANES outputs, by default 64 x 128
 * Local memory  4 * KB * (MR * LINES + PAD + NV * 4 * LANES) bytes, by default 12,544
 * Precondition  ldb and ldc are multiples of NV * 4 * LANES, both buffers padded to it, B with zeros; C has a multiple of
 *               MR * LINES rows; MR * KB is a multiple of LANES, NV * KB one of LINES
 * Numerics      sums of KC products along k, added in float32 in C; the compiler may contract a * b + c
 *
 *            Bs: KB x NV * 4 * LANES           item (x, y) owns rows 4 y ... 4 y + 3 of every 4 * LINES, and columns
 *          +------[Bs]------+                  4 x ... 4 x + 3 of every 4 * LANES: neighbours read neighbouring vectors
 *   A [As] [    C block     ]                  As lies transposed, so that a vector of it is four rows
 */
#ifndef MR
#define MR 8
#endif
#ifndef NV
#define NV 1
#endif
#ifndef VW
#define VW 4
#endif
#ifndef LANES
#define LANES 32
#endif
#ifndef LINES
#define LINES 8
#endif
#ifndef KB
#define KB 16
#endif
#ifndef PAD
#define PAD 4
#endif
#ifndef KC
#define KC 512
#endif
#ifndef USE_FMA
#define USE_FMA 0
#endif
#if VW != 4
#error "VW must be 4"
#endif
#if MR != 4 && MR != 8
#error "MR must be 4 or 8"
#endif
#if PAD != 0 && PAD != 4
#error "PAD must be 0 or 4, or the vectors of A's tile would not be aligned"
#endif
#if KC % KB != 0
#error "KC must be a multiple of KB"
#endif
#if MR * KB % LANES != 0 || NV * KB % LINES != 0
#error "the group cannot share the loads of a tile evenly: LANES must divide MR * KB, and LINES NV * KB"
#endif
#include "register_block.clh"

#define ITEMS (LANES * LINES)
#define TILE_M (MR * LINES)
#define PITCH (TILE_M + PAD)        /* floats per line of A's tile */
#define WIDTH (NV * LANES)          /* vectors per line of B's tile */
#define A_LOADS (MR * KB / LANES)   /* floats of A's tile that each item fetches */
#define B_LOADS (NV * KB / LINES)   /* vectors of B's tile that each item fetches */

/* Neighbouring items fetch neighbouring words, of A along k, of B along n; beyond the edges they fetch zeros. */
#define FETCH(base)                                                                                                   \
    _Pragma("unroll") for (int part = 0; part < A_LOADS; ++part)                                                      \
    {                                                                                                                 \
        const int at = item + part * ITEMS;                                                                           \
        const int r = row + at / KB, l = (base) + at % KB;                                                            \
        next_a[part] = r < m && l < k ? A[r * k + l] : 0.0f;                                                          \
    }                                                                                                                 \
    _Pragma("unroll") for (int part = 0; part < B_LOADS; ++part)                                                      \
    {                                                                                                                 \
        const int at = item + part * ITEMS;                                                                           \
        const int l = (base) + at / WIDTH;                                                                            \
        next_b[part] = l < k ? ((__global const vec *)(B + l * ldb + col))[at % WIDTH] : (vec)(0.0f);                 \
    }

#define A_OF_ROW0 rows0.s0
#define A_OF_ROW1 rows0.s1
#define A_OF_ROW2 rows0.s2
#define A_OF_ROW3 rows0.s3
#define A_OF_ROW4 rows1.s0
#define A_OF_ROW5 rows1.s1
#define A_OF_ROW6 rows1.s2
#define A_OF_ROW7 rows1.s3
#define STEP_ROW(i)                                                                                                   \
    {                                                                                                                 \
        const float a##i = A_OF_ROW##i;                                                                               \
        EACH_VEC(MADD_VEC, i)                                                                                         \
    }
#define LOAD_COLUMNS(i, j) const vec b##j = Bs[l * WIDTH + j * LANES + x];
/* Later blocks of k add to the first one's result. */
#define ROW(i) (row + i / 4 * 4 * LINES + 4 * y + i % 4)
#define STORE_VEC(i, j)                                                                                               \
    PUT((__global vec *)(C + ROW(i) * ldc + col) + j * LANES + x, acc##i##_##j, scale)                                \
    acc##i##_##j = (vec)(0.0f);
#define STORE_ROW(i) EACH_VEC(STORE_VEC, i)

__attribute__((reqd_work_group_size(LANES, LINES, 1)))
__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int ldb, const int ldc, const float alpha, const float beta)
{
    __local vec As[KB * PITCH / 4];
    __local vec Bs[KB * WIDTH];
    const int x = get_local_id(0), y = get_local_id(1);
    const int item = y * LANES + x;
    const int row = get_group_id(1) * TILE_M;
    const int col = get_group_id(0) * (NR * LANES);
    float next_a[A_LOADS];
    vec next_b[B_LOADS];
    EACH_ROW(DECLARE_ROW)

    FETCH(0)
    for (int base = 0; base < k; base += KB) {
        #pragma unroll
        for (int part = 0; part < A_LOADS; ++part) {
            const int at = item + part * ITEMS;
            ((__local float *)As)[at % KB * PITCH + at / KB] = next_a[part];
        }
        #pragma unroll
        for (int part = 0; part < B_LOADS; ++part)
            Bs[item + part * ITEMS] = next_b[part];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (base + KB < k) {
            FETCH(base + KB)
        }
        #pragma unroll
        for (int l = 0; l < KB; ++l) {
            const vec rows0 = As[l * (PITCH / 4) + y];
#if MR == 8
            const vec rows1 = As[l * (PITCH / 4) + LINES + y];
#endif
            EACH_VEC(LOAD_COLUMNS, 0)
            EACH_ROW(STEP_ROW)
        }
        const int done = min(base + KB, k);
        if (done % KC == 0 || done == k) {
            const float scale = done <= KC ? beta : 1.0f;
            EACH_ROW(STORE_ROW)
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
