/* peak_local: vectors read from local memory, each of an item's reads from another place; 32-bit words.
 *
 * Variant       the one there is: eight accumulators, so that no read waits for the one before it
 * Shapes        out of one vector per item; ramp of one vector, 0, 1, .. WIDTH - 1
 * Layout        the tile holds TILE + 64 vectors; item i reads TILE of them from the i-th on, so no index is wrapped
 * Oracle        the same whole numbers on the host: exact
 * Origin        own; SHOC (Danalis et al. 2010) has the measure in its DeviceMemory
 * Build options WIDTH  words in a vector: 1, 4, 8 or 16
 * Work-group    (64, 1, 1), any number of groups
 * Local memory  (TILE + 64) * 4 * WIDTH bytes: 768 to 12288
 * Precondition  rounds >= 1; depth is TILE, and an argument so that no compiler spells all reads out
 * Numerics      none: whole numbers modulo 2**32
 *
 * Each read is subtracted from what was there, which cannot be reordered. Neither loop takes more than 64 iterations.
 */
#define ITEMS 64 /* these two: device/peak/local.py counts by them */
#define TILE 128
#include "peak_words.clh"

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void peak_local(__global const words *ramp, __global words *out, const uint key, const int rounds,
                         const int depth)
{
    __local words tile[TILE + ITEMS];
    const int item = get_local_id(0);
    const uint group = get_group_id(0) & 3;
    for (int place = item; place < depth + ITEMS; place += ITEMS)
        tile[place] = ramp[0] + ((uint)place * 2654435761u + key + group);
    barrier(CLK_LOCAL_MEM_FENCE);
    words s0 = (words)(0u), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (int round = 0; round < rounds; ++round)
        for (int step = item; step < item + depth; step += 8) {
            s0 = tile[step] - s0;
            s1 = tile[step + 1] - s1;
            s2 = tile[step + 2] - s2;
            s3 = tile[step + 3] - s3;
            s4 = tile[step + 4] - s4;
            s5 = tile[step + 5] - s5;
            s6 = tile[step + 6] - s6;
            s7 = tile[step + 7] - s7;
        }
    words mixed = s0;
    mixed = mixed * 31u + s1;
    mixed = mixed * 31u + s2;
    mixed = mixed * 31u + s3;
    mixed = mixed * 31u + s4;
    mixed = mixed * 31u + s5;
    mixed = mixed * 31u + s6;
    mixed = mixed * 31u + s7;
    out[get_global_id(0)] = mixed;
}
