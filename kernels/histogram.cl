/* histogram: how many of the keys fall into each of 256 bins, by their uppermost eight bits.
 *
 * Variant       the one there is: a histogram per work-group by local atomics, added to the whole by global ones
 * Shapes        x of count keys, any count >= 1; bins of 256 counts, which are 0 before the launch
 * Layout        flat: key i stands at x[i], the count of bin b at bins[b]
 * Oracle        exact counts on the host
 * Origin        Podlozhnyuk, Histogram calculation in CUDA (2007), its 256 bins
 * Build options none
 * Work-group    (64, 1, 1), and one group per 4096 keys
 * Local memory  1024 bytes
 * Precondition  count < 2**31 - 2**16
 * Numerics      whole numbers only
 *
 * No item takes more than 72 iterations; llvmpipe stops at 65,535.
 */
#define BINS 256 /* these three: workloads/histogram.py launches by them */
#define ITEMS 64
#define STEPS 64

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void histogram(__global const uint *x, __global uint *bins, const int count)
{
    __local uint mine[BINS];
    const int item = get_local_id(0);
    const int base = get_group_id(0) * ITEMS * STEPS;
    for (int bin = item; bin < BINS; bin += ITEMS)
        mine[bin] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int step = 0; step < STEPS; ++step) {
        const int i = base + step * ITEMS + item;
        if (i < count)
            atomic_inc(&mine[x[i] >> 24]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int bin = item; bin < BINS; bin += ITEMS)
        atomic_add(&bins[bin], mine[bin]);
}
