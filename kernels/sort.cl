/* sort: keys in ascending order, by their digits.
 *
 * Variant       with BUCKETS 0, for GPUs: each item has a stretch of keys of its own, so that no atomics are needed; what
 *               goes where follows from prefix sums over the counts of all items; digits of four bits, the last one first,
 *               eight passes over memory. With BUCKETS 1, for CPUs: one such pass by the first eight bits, after which an
 *               item sorts each bucket by its other three digits, in its cache (sort_buckets.clh)
 * Shapes        x and out of count keys, any count >= 1; counts of DIGITS * items, an int each
 * Layout        flat: key i stands at [i]; item t's count of digit d at counts[d * items + t]
 * Oracle        the sorted keys on the host
 * Origin        Hollerith's sorting by digits; Satish, Harris and Garland, Designing efficient sorting algorithms for
 *               manycore GPUs (2009), without their sorting within a group; McIlroy, Bostic and McIlroy, Engineering radix
 *               sort (1993), for the first digit first
 * Build options BUCKETS  1 or 0, as above
 * Work-group    (64, 1, 1), and as many whole groups as cover count / 128, rounded up; with BUCKETS (1, 1, 1), an item for
 *               each 16,384 keys, then one for each bucket
 * Local memory  4096 bytes
 * Precondition  count < 2**31 - 2**16; out does not overlap x
 * Numerics      whole numbers only; keys of the same digit keep their order
 *
 * With BUCKETS 0 no item takes more than 160 iterations in a kernel; llvmpipe stops at 65,535. With 1 an item takes four
 * for each key of its bucket, so that llvmpipe never gets that.
 */
#ifndef BUCKETS
#define BUCKETS 0
#endif
#include "scan_blocks.clh"

#if BUCKETS
#include "sort_buckets.clh"
#else
#define DIGITS 16 /* these two: workloads/sort.py launches by them */
#define KEYS 128

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __attribute__((vec_type_hint(int4))) void
count_digits(__global const uint *x, __global int *counts, const int count, const int shift)
{
    __local int mine[DIGITS * ITEMS];
    const int item = get_local_id(0), thread = get_global_id(0), items = get_global_size(0);
    const int begin = thread * KEYS;
    const int end = min(begin + KEYS, count);
    for (int digit = 0; digit < DIGITS; ++digit)
        mine[digit * ITEMS + item] = 0;
    for (int i = begin; i < end; ++i)
        ++mine[(x[i] >> shift & DIGITS - 1) * ITEMS + item];
    for (int digit = 0; digit < DIGITS; ++digit)
        counts[digit * items + thread] = mine[digit * ITEMS + item];
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __attribute__((vec_type_hint(int4))) void
place(__global const uint *x, __global const int *places, __global uint *out, const int count, const int shift)
{
    __local int next[DIGITS * ITEMS];
    const int item = get_local_id(0), thread = get_global_id(0), items = get_global_size(0);
    const int begin = thread * KEYS;
    const int end = min(begin + KEYS, count);
    for (int digit = 0; digit < DIGITS; ++digit) {
        const int i = digit * items + thread;
        next[digit * ITEMS + item] = i > 0 ? places[i - 1] : 0;
    }
    for (int i = begin; i < end; ++i) {
        const uint key = x[i];
        out[next[(key >> shift & DIGITS - 1) * ITEMS + item]++] = key;
    }
}
#endif
