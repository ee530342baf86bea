/* queue: what host steps have the device do between fills, copies, maps and events: out[i] = in[i] * FACTOR + salt.
 *
 * Variant       one kernel for all four operations of this kind; the host's calls are what is exercised
 * Shapes        in and out of count elements, any count >= 1; in may be out
 * Layout        flat
 * Oracle        the same steps on the host, exact: arithmetic of uint wraps
 * Origin        OpenCL 1.2, sections 5.2 (buffers), 5.9 to 5.12 (events, markers, order)
 * Build options none
 * Work-group    (64, 1, 1), as many groups as cover count
 * Local memory  0 bytes
 * Precondition  count < 2**31 - 64
 * Numerics      none
 *
 * No loop.
 */
#define ITEMS 64 /* device/workloads/queues/steps.py launches by it */
#define FACTOR 2654435761u

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void mix_in(__global const uint *in, __global uint *out,
                                                                        const int count, const uint salt)
{
    const int i = get_global_id(0);
    if (i < count)
        out[i] = in[i] * FACTOR + salt;
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void add_up(__global const uint *a, __global const uint *b,
                                                                        __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i < count)
        out[i] = a[i] + b[i];
}
