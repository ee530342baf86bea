/* whole: the built-in functions of whole numbers and their operators over triples of words, a row of results each.
 *
 * Variant       three kernels: whole_ has words of 32 bits and shorter ones, whole_long_ words of 64 bits, whole_mad_sat_
 *               what a driver is known to fail in
 * Shapes        x, y and z of count words, out of 34 rows of count words, of 2, or of 10 rows of 2 * count
 * Layout        flat: word i of row r is result r of triple i; of 64 bits the lower half comes first
 * Oracle        whole numbers of the host, wide enough for each result
 * Origin        OpenCL C 1.2, sections 6.3 and 6.12.3
 * Build options none
 * Work-group    (64, 1, 1), and as many whole groups as cover count
 * Local memory  0 bytes
 * Precondition  34 * count < 2**31 - 2**16
 * Numerics      exact
 */
#define GROUP 64 /* device/workloads/exact.py launches by it */
#define ONE_OF_A_GROUP __attribute__((reqd_work_group_size(GROUP, 1, 1)))
#if __OPENCL_C_VERSION__ >= 120
#define POPCOUNT popcount
#else /* which has none */
ulong ones(ulong bits)
{
    ulong count = 0;
    for (; bits; bits &= bits - 1)
        ++count;
    return count;
}
#define POPCOUNT ones
#endif
#define PUT(value) out[row++ * count + i] = (uint)(value)
#define PUT_LONG(value)                                                                                                \
    {                                                                                                                  \
        const ulong bits = (ulong)(value);                                                                             \
        out[2 * (row * count + i)] = (uint)bits;                                                                       \
        out[2 * (row++ * count + i) + 1] = (uint)(bits >> 32);                                                         \
    }

__kernel ONE_OF_A_GROUP void whole_(__global const uint *x, __global const uint *y, __global const uint *z, __global uint *out,
                                    const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const uint u = x[i], v = y[i], w = z[i];
    const int p = as_int(u), q = as_int(v), r = as_int(w);
    const int by = (q == 0 || (p == INT_MIN && q == -1)) ? 3 : q; /* else OpenCL C says nothing of p / q */
    int row = 0;
    PUT(abs(p));
    PUT(abs_diff(p, q));
    PUT(abs_diff(u, v));
    PUT(add_sat(p, q));
    PUT(add_sat(u, v));
    PUT(sub_sat(p, q));
    PUT(sub_sat(u, v));
    PUT(hadd(p, q));
    PUT(hadd(u, v));
    PUT(rhadd(p, q));
    PUT(rhadd(u, v));
    PUT(clz(u));
    PUT(POPCOUNT(u));
    PUT(mul_hi(p, q));
    PUT(mul_hi(u, v));
    PUT(mad_hi(p, q, r));
    PUT(rotate(u, v));
    PUT(mul24(p << 8 >> 8, q << 8 >> 8));
    PUT(mad24(u & 0xFFFFFF, v & 0xFFFFFF, w));
    PUT(clamp(p, min(q, r), max(q, r)));
    PUT(min(u, v));
    PUT(max(u, v));
    PUT(p / by);
    PUT(p % by);
    PUT(u / (v | 1));
    PUT(u % (v | 1));
    PUT(p << (v & 31));
    PUT(p >> (v & 31));
    PUT(upsample((short)u, (ushort)v));
    PUT(upsample((uchar)u, (uchar)v));
    PUT(add_sat((char)u, (char)v));
    PUT(sub_sat((uchar)u, (uchar)v));
    PUT(mad_sat((short)u, (short)v, (short)w));
    PUT(rotate((ushort)u, (ushort)v));
}

__kernel ONE_OF_A_GROUP void whole_mad_sat_(__global const uint *x, __global const uint *y, __global const uint *z,
                                            __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    int row = 0;
    PUT(mad_sat(as_int(x[i]), as_int(y[i]), as_int(z[i])));
    PUT(mad_sat(x[i], y[i], z[i]));
}

__kernel ONE_OF_A_GROUP void whole_long_(__global const uint *x, __global const uint *y, __global const uint *z,
                                         __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const ulong u = upsample(x[i], y[i]), v = upsample(y[i], z[i]);
    const long p = as_long(u), q = as_long(v);
    int row = 0;
    PUT_LONG(abs_diff(p, q));
    PUT_LONG(add_sat(p, q));
    PUT_LONG(sub_sat(u, v));
    PUT_LONG(rhadd(p, q));
    PUT_LONG(clz(u));
    PUT_LONG(POPCOUNT(v));
    PUT_LONG(mul_hi(p, q));
    PUT_LONG(mul_hi(u, v));
    PUT_LONG(rotate(u, v));
    PUT_LONG(p >> (v & 63));
}
