/* peak_arithmetic: chains of x = x * m + a in one type, side by side, and a digest of where they all arrived.
 *
 * Variant       CHAINS of vectors of WIDTH in each item; one chain of width 1 is the dependent one
 * Shapes        out of one vector of 32-bit words per item; ramp of one such vector, 0, 1, .. WIDTH - 1
 * Layout        flat
 * Oracle        whole numbers on the host: exact in every type
 * Origin        own; clpeak (Bhat) measures the same with one chain per vector
 * Build options SCALAR  float, double, half or uint
 *               WIDTH   numbers in a vector: 1, 4, 8 or 16
 *               CHAINS  chains that do not wait for each other: 1, 4, 8 or 12
 *               FUSED   1: fma, for drivers that do not contract x * m + a
 *               DOT     with uint: steps are x = x + the dot product of the bytes of x and m; 1: by the function of
 *                       cl_khr_integer_dot_product, for width 1; 0: written out
 *               MIXER   an odd number in the digest; another one makes another program
 * Work-group    (64, 1, 1), any number of groups
 * Local memory  0 bytes
 * Precondition  for floating point m = a = 1 and ramp + item + key + 8 * loops + CHAINS is exact: 2048 in half
 * Numerics      exact: whole numbers that each type holds; uint counts modulo 2**32
 *
 * The compiler sees neither m nor a. The steps are spelled out by the preprocessor, because Clover and rusticl keep
 * unrolled loops as loops; the one loop takes at most 512 iterations, llvmpipe stops at 65,535.
 */
#ifndef SCALAR
#define SCALAR float
#endif
#ifndef WIDTH
#define WIDTH 4
#endif
#ifndef CHAINS
#define CHAINS 4
#endif
#ifndef FUSED
#define FUSED 0
#endif
#ifndef MIXER
#define MIXER 31
#endif
#ifdef HALF
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
#ifdef DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#if WIDTH == 1
#define VEC SCALAR
#define WORDS uint
#else
#define VEC JOIN(SCALAR, WIDTH)
#define WORDS JOIN(uint, WIDTH)
#endif
#define TO_VEC JOIN(convert_, VEC)
#define TO_WORDS JOIN(convert_, WORDS)

#if CHAINS == 1
#define EACH(F) F(0)
#elif CHAINS == 4
#define EACH(F) F(0) F(1) F(2) F(3)
#elif CHAINS == 8
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7)
#else
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#endif
#define START(j) VEC x##j = first + (VEC)((SCALAR)(j));
#if FUSED
#define STEP(j) x##j = fma(x##j, m, a);
#elif defined(DOT)
#if DOT
#define DOT_OF(x) dot_4x8packed_uu_uint(x, m)
#else
#define BYTE(x, k) ((x) >> 8 * (k) & 0xFFu)
#define DOT_OF(x) (BYTE(x, 0) * BYTE(m, 0) + BYTE(x, 1) * BYTE(m, 1) + BYTE(x, 2) * BYTE(m, 2) + BYTE(x, 3) * BYTE(m, 3))
#endif
#define STEP(j) x##j += DOT_OF(x##j);
#else
#define STEP(j) x##j = x##j * m + a;
#endif
#define MIX(j) mixed = mixed * (uint)MIXER + TO_WORDS(x##j);

__attribute__((reqd_work_group_size(64, 1, 1)))
__kernel void peak_arithmetic(__global const WORDS *ramp, __global WORDS *out, const uint multiplier, const uint addend,
                              const uint key, const int loops)
{
    const int item = get_global_id(0);
    const VEC m = (VEC)((SCALAR)multiplier);
    const VEC a = (VEC)((SCALAR)addend);
    const VEC first = TO_VEC(ramp[0] + ((uint)(item & 63) + key));
    EACH(START)
    for (int loop = 0; loop < loops; ++loop) {
        EACH(STEP) EACH(STEP) EACH(STEP) EACH(STEP)
        EACH(STEP) EACH(STEP) EACH(STEP) EACH(STEP)
    }
    WORDS mixed = (WORDS)(0u);
    EACH(MIX)
    out[item] = mixed;
}
