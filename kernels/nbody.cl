/* nbody: the acceleration of each of count bodies by all of them, softened gravity in float32, eight bodies per work-item.
 *
 * Variant       the one there is: an item has its eight bodies in the lanes of vectors and walks through all bodies
 * Shapes        bodies of 4 x pitch: the rows x, y, z and mass; out of count x 3; any count from 1 to pitch
 * Layout        row-major: bodies[axis*pitch + i], out[3*i + axis]
 * Oracle        float64 sums on the host
 * Origin        Nyland, Harris and Prins, Fast N-body simulation with CUDA (GPU Gems 3, chapter 31, 2007): 20 operations
 *               per pair, softening instead of a case for a body and itself
 * Build options none
 * Work-group    any; the launcher takes (16, 1, 1) and as many whole groups as cover count / 8, rounded up
 * Local memory  0 bytes
 * Precondition  pitch is a multiple of WIDTH, and there are numbers beyond count; softening > 0 (it is squared already);
 *               bodies and out do not overlap
 * Numerics      rsqrt may be off by 2 ulp (OpenCL C 1.2, section 7.4); sums over PART bodies are added to the total, since a
 *               single sum over all would lose more
 *
 * Without the hint, Intel's compiler makes vectors of vectors. The loops take count iterations and count / PART beside;
 * the launcher refuses what would reach 65,535, where llvmpipe stops.
 */
#define WIDTH 8 /* device/workloads/nbody.py launches by it */
#define PART 256
#define STORE(lane, name)                                                                                              \
    if (first + lane < count) {                                                                                        \
        out[3 * (first + lane)] = ax.name;                                                                             \
        out[3 * (first + lane) + 1] = ay.name;                                                                         \
        out[3 * (first + lane) + 2] = az.name;                                                                         \
    }

__kernel __attribute__((vec_type_hint(float8))) void nbody(__global const float *bodies, __global float *out,
                                                           const int count, const int pitch,
                                                           const float softening)
{
    __global const float *ys = bodies + pitch, *zs = ys + pitch, *masses = zs + pitch;
    const int first = get_global_id(0) * WIDTH;
    if (first >= count)
        return;
    const float8 x = *(__global const float8 *)(bodies + first), y = *(__global const float8 *)(ys + first),
                 z = *(__global const float8 *)(zs + first);
    float8 ax = (float8)(0.0f), ay = (float8)(0.0f), az = (float8)(0.0f);

    for (int base = 0; base < count; base += PART) {
        const int end = min(base + PART, count);
        float8 px = (float8)(0.0f), py = (float8)(0.0f), pz = (float8)(0.0f);
        for (int j = base; j < end; ++j) {
            const float8 dx = bodies[j] - x, dy = ys[j] - y, dz = zs[j] - z;
            const float8 inverse = rsqrt(dx * dx + dy * dy + dz * dz + softening);
            const float8 scale = masses[j] * inverse * inverse * inverse;
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
