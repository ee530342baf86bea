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
#include "sort_digits.clh"
#endif
