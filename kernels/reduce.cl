/* reduce: one pass of a sum in float32, a number per work-group; as many passes as leave one number.
 *
 * Variant       the one there is: vectors first, then their lanes, then a tree over the group in local memory
 * Shapes        x of count elements, any count >= 1; out of ceil(count / (ITEMS * STEPS * WIDTH)) elements
 * Layout        flat: element i stands at [i]
 * Oracle        float64 sum on the host
 * Origin        Blelloch, Prefix sums and their applications (1990); SHOC (Danalis et al. 2010) has it as Reduction
 * Build options SIDE_BY_SIDE  1: neighbouring items read neighbouring vectors, for GPUs; 0: each item reads a stretch of
 *                             its own, for CPUs
 * Work-group    (64, 1, 1), and as many groups as out has elements
 * Local memory  256 bytes
 * Precondition  count < 2**31 - 2**16; x starts where a float8 may (every buffer does) and out does not overlap it
 * Numerics      47 roundings on an element's way through a pass, at most
 *
 * On CPUs an item with all of its elements keeps four sums: one alone waits for each addition. Without the hint, Intel's
 * compiler makes vectors of vectors, a tenth as fast. Vectors are read through pointers, never with vload: Clover's
 * compiler aborts on vload. No item takes more than 39 iterations; llvmpipe stops at 65,535.
 */
#define ITEMS 64 /* these three: workloads/reduce.py launches by them */
#define STEPS 32
#define WIDTH 8
#ifndef SIDE_BY_SIDE
#define SIDE_BY_SIDE 0
#endif
#include "group_sum.clh"

typedef float8 vec;

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __attribute__((vec_type_hint(float8))) void
reduce(__global const float *x, __global float *out, const int count)
{
    SHARED_SUMS
    const int item = get_local_id(0);
    const int group = get_group_id(0);
    vec lanes = (vec)(0.0f);
    float sum = 0.0f;
#if !SIDE_BY_SIDE
    if ((group * ITEMS + item + 1) * STEPS * WIDTH <= count) {
        __global const vec *mine = (__global const vec *)x + (group * ITEMS + item) * STEPS;
        vec lanes1 = (vec)(0.0f), lanes2 = (vec)(0.0f), lanes3 = (vec)(0.0f);
        for (int step = 0; step < STEPS; step += 4) {
            lanes += mine[step];
            lanes1 += mine[step + 1];
            lanes2 += mine[step + 2];
            lanes3 += mine[step + 3];
        }
        lanes = (lanes + lanes1) + (lanes2 + lanes3);
    } else
#endif
        for (int step = 0; step < STEPS; ++step) {
            const int place = SIDE_BY_SIDE ? (group * STEPS + step) * ITEMS + item : (group * ITEMS + item) * STEPS + step;
            const int first = place * WIDTH;
            if (first + WIDTH <= count)
                lanes += *(__global const vec *)(x + first);
            else /* the last elements, and none at all beyond them */
                for (int i = first; i < count; ++i)
                    sum += x[i];
        }
    sum += lanes.s0; /* one by one: Oclgrind dies of the shuffles that pairs become */
    sum += lanes.s1;
    sum += lanes.s2;
    sum += lanes.s3;
    sum += lanes.s4;
    sum += lanes.s5;
    sum += lanes.s6;
    sum += lanes.s7;
    GROUP_SUM(sum, item)
    if (item == 0)
        out[group] = sum;
}
