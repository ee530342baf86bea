/* sort_pairs: keys in ascending order, each with its value, by their digits; equal keys keep their order.
 *
 * Variant       the one there is: digits of four bits, the last one first, eight passes over memory; each item has a stretch
 *               of keys of its own, and what goes where follows from prefix sums over the counts of all items
 * Shapes        x and out of 2 * count words, count keys and then their values, any count >= 1; counts of DIGITS * items, an
 *               int each
 * Layout        flat: key i stands at [i], its value at [count + i]; item t's count of digit d at counts[d * items + t]
 * Oracle        numpy's stable argsort on the host, keys and values by it
 * Origin        Hollerith's sorting by digits; Satish, Harris and Garland, Designing efficient sorting algorithms for
 *               manycore GPUs (2009), without their sorting within a group
 * Build options none
 * Work-group    (64, 1, 1), and as many whole groups as cover count / 128, rounded up
 * Local memory  4096 bytes
 * Precondition  count < 2**30 - 2**16; out does not overlap x
 * Numerics      whole numbers only
 *
 * No item takes more than 160 iterations in a kernel; llvmpipe stops at 65,535.
 */
#define PAIRS 1
#include "scan_blocks.clh"
#include "sort_digits.clh"
