/* nbody: the acceleration of each of count bodies by all of them, softened gravity in float32, eight bodies per work-item.
 *
 * Variant       the one there is: an item has its eight bodies in the lanes of vectors and walks through all bodies
 * Shapes        bodies of count x 4: place and mass (x, y, z, m); out of count x 3; any count >= 1
 * Layout        row-major: bodies[4*i], out[3*i]
 * Oracle        float64 sums on the host
 * Origin        Nyland, Harris and Prins, Fast N-body simulation with CUDA (GPU Gems 3, chapter 31, 2007): 20 operations
 *               per pair, softening instead of a case for a body and itself
 * Build options none
 * Work-group    any; the launcher takes (16, 1, 1) and as many whole groups as cover count / 8, rounded up
 * Local memory  0 bytes
 * Precondition  softening > 0 (it is squared already); bodies and out do not overlap
 * Numerics      rsqrt may be off by 2 ulp (OpenCL C 1.2, section 7.4); sums over PART bodies are added to the total, since a
 *               single sum over all would lose more
 *
 * Without the hint, Intel's compiler makes vectors of vectors. The loops take count iterations and count / PART beside;
 * the launcher refuses what would reach 65,535, where llvmpipe stops.
 */
#define WIDTH 8 /* device/workloads/nbody.py launches by it */
#define PART 256
#define LOAD(lane, name)                                                                                               \
    {                                                                                                                  \
        const float4 body = all[min(first + lane, last)];                                                              \
        x.name = body.x;                                                                                               \
        y.name = body.y;                                                                                               \
        z.name = body.z;                                                                                               \
    }
#define STORE(lane, name)                                                                                              \
    if (first + lane < count) {                                                                                        \
        out[3 * (first + lane)] = ax.name;                                                                             \
        out[3 * (first + lane) + 1] = ay.name;                                                                         \
        out[3 * (first + lane) + 2] = az.name;                                                                         \
    }

__kernel __attribute__((vec_type_hint(float8))) void nbody(__global const float *bodies, __global float *out,
                                                           const int count, const float softening)
{
    __global const float4 *all = (__global const float4 *)bodies;
    const int first = get_global_id(0) * WIDTH, last = count - 1;
    if (first > last)
        return;
    float8 x, y, z;
    LOAD(0, s0)
    LOAD(1, s1)
    LOAD(2, s2)
    LOAD(3, s3)
    LOAD(4, s4)
    LOAD(5, s5)
    LOAD(6, s6)
    LOAD(7, s7)
    float8 ax = (float8)(0.0f), ay = (float8)(0.0f), az = (float8)(0.0f);

    for (int base = 0; base < count; base += PART) {
        const int end = min(base + PART, count);
        float8 px = (float8)(0.0f), py = (float8)(0.0f), pz = (float8)(0.0f);
        for (int j = base; j < end; ++j) {
            const float4 body = all[j];
            const float8 dx = body.x - x, dy = body.y - y, dz = body.z - z;
            const float8 inverse = rsqrt(dx * dx + dy * dy + dz * dz + softening);
            const float8 scale = body.w * inverse * inverse * inverse;
            px += scale * dx;
            py += scale * dy;
            pz += scale * dz;
        }
        ax += px;
        ay += py;
        az += pz;
    }
    STORE(0, s0)
    STORE(1, s1)
    STORE(2, s2)
    STORE(3, s3)
    STORE(4, s4)
    STORE(5, s5)
    STORE(6, s6)
    STORE(7, s7)
}
