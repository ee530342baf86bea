/* nbody: the acceleration of each of count bodies by all of them, softened gravity in float32, four bodies per work-item.
 *
 * Variant       the one there is: an item has its four bodies in the lanes of vectors and walks through all bodies
 * Shapes        bodies of count x 4: place and mass (x, y, z, m); out of count x 3; any count >= 1
 * Layout        row-major: bodies[4*i], out[3*i]
 * Oracle        float64 sums on the host
 * Origin        Nyland, Harris and Prins, Fast N-body simulation with CUDA (GPU Gems 3, chapter 31, 2007): 20 operations
 *               per pair, softening instead of a case for a body and itself
 * Build options none
 * Work-group    any; the launcher takes (64, 1, 1) and as many whole groups as cover count / 4, rounded up
 * Local memory  0 bytes
 * Precondition  softening > 0 (it is squared already); bodies and out do not overlap
 * Numerics      rsqrt may be off by 2 ulp (OpenCL C 1.2, section 7.4); sums over PART bodies are added to the total, since a
 *               single sum over all would lose more
 *
 * The loops take count iterations and count / PART beside; the launcher refuses what would reach 65,535, where llvmpipe
 * stops.
 */
#define WIDTH 4 /* device/workloads/nbody.py launches by it */
#define PART 256
#define STORE(lane, name)                                                                                              \
    if (first + lane < count) {                                                                                        \
        out[3 * (first + lane)] = ax.name;                                                                             \
        out[3 * (first + lane) + 1] = ay.name;                                                                         \
        out[3 * (first + lane) + 2] = az.name;                                                                         \
    }

__kernel void nbody(__global const float *bodies, __global float *out, const int count, const float softening)
{
    __global const float4 *all = (__global const float4 *)bodies;
    const int first = get_global_id(0) * WIDTH, last = count - 1;
    if (first > last)
        return;
    const float4 b0 = all[first], b1 = all[min(first + 1, last)], b2 = all[min(first + 2, last)],
                 b3 = all[min(first + 3, last)];
    const float4 x = (float4)(b0.x, b1.x, b2.x, b3.x), y = (float4)(b0.y, b1.y, b2.y, b3.y),
                 z = (float4)(b0.z, b1.z, b2.z, b3.z);
    float4 ax = (float4)(0.0f), ay = (float4)(0.0f), az = (float4)(0.0f);

    for (int base = 0; base < count; base += PART) {
        const int end = min(base + PART, count);
        float4 px = (float4)(0.0f), py = (float4)(0.0f), pz = (float4)(0.0f);
        for (int j = base; j < end; ++j) {
            const float4 body = all[j];
            const float4 dx = body.x - x, dy = body.y - y, dz = body.z - z;
            const float4 inverse = rsqrt(dx * dx + dy * dy + dz * dz + softening);
            const float4 scale = body.w * inverse * inverse * inverse;
            px += scale * dx;
            py += scale * dy;
            pz += scale * dz;
        }
        ax += px;
        ay += py;
        az += pz;
    }
    STORE(0, x)
    STORE(1, y)
    STORE(2, z)
    STORE(3, w)
}
