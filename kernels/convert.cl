/* convert: conversions between types with each rounding and saturation, half storage, and choices between words.
 *
 * Variant       two kernels: convert_ has conversions and choices, convert_half_ halves in memory
 * Shapes        x, y and z of count words, out of 29 rows of count words, or of 5
 * Layout        flat: word i of row r is result r of triple i
 * Oracle        the host's: whole numbers, and float64 that is rounded once
 * Origin        OpenCL C 1.2, sections 6.1.1, 6.2.3, 6.2.4, 6.12.6, 6.12.7 and 6.12.12
 * Build options HALVES: the second kernel, which some compilers do not survive, in place of the first
 * Work-group    (64, 1, 1), and as many whole groups as cover count
 * Local memory  0 bytes
 * Precondition  29 * count < 2**31 - 2**16
 * Numerics      exact; floats that are taken are numbers or infinite, and not subnormal
 */
#define GROUP 64 /* device/workloads/exact.py launches by it */
#define ONE_OF_A_GROUP __attribute__((reqd_work_group_size(GROUP, 1, 1)))
#define PUT(value) out[row++ * count + i] = (uint)(value)

/* What a device may flush is zero, and what is no number infinite: these have one result alone. */
float number(const uint bits)
{
    const uint exponent = bits & 0x7F800000;
    return as_float(exponent == 0 || exponent == 0x7F800000 ? bits & 0xFF800000 : bits);
}

#ifndef HALVES
__kernel ONE_OF_A_GROUP void convert_(__global const uint *x, __global const uint *y, __global const uint *z,
                                      __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const uint u = x[i], v = y[i], w = z[i];
    const int p = as_int(u), q = as_int(v), r = as_int(w);
    const long wide = as_long(upsample(u, v));
    const float f = number(u);
    int row = 0;
    PUT(convert_int_sat_rte(f));
    PUT(convert_int_sat_rtz(f));
    PUT(convert_int_sat_rtp(f));
    PUT(convert_int_sat_rtn(f));
    PUT(convert_uint_sat(f));
    PUT(convert_short_sat_rte(f));
    PUT(convert_ushort_sat_rtp(f));
    PUT(convert_char_sat_rtn(f));
    PUT(convert_uchar_sat_rte(f));
    PUT(as_uint(convert_float_rte(p)));
    PUT(as_uint(convert_float_rtz(p)));
    PUT(as_uint(convert_float_rtp(p)));
    PUT(as_uint(convert_float_rtn(p)));
    PUT(as_uint(convert_float_rte(u)));
    PUT(as_uint(convert_float_rtz(u)));
    PUT(convert_char_sat(p));
    PUT(convert_uchar_sat(p));
    PUT(convert_short_sat(p));
    PUT(convert_ushort_sat(u));
    PUT(convert_int_sat(u));
    PUT(convert_uint_sat(p));
    PUT(convert_int_sat(wide));
    PUT(select(u, v, w));
    PUT(select((uint2)(u, v), (uint2)(v, w), (uint2)(w, u)).x);
    PUT(bitselect(u, v, w));
    PUT(2 * any((int4)(p, q, r, 0)) + all((int2)(p, q)));
    PUT(shuffle((uint4)(u, v, w, u ^ v), (uint4)(v, w, u, v)).y);
    PUT(shuffle2((uint2)(u, v), (uint2)(w, ~u), (uint4)(u, v, w, 0)).x);
    PUT(as_uint(as_uchar4(u).wzyx));
}

#else
/* the half in the lower part of its word */
#define STORED(store)                                                                                                  \
    {                                                                                                                  \
        const int at = row++ * count + i;                                                                              \
        out[at] = 0;                                                                                                   \
        store(f, 2 * at, (__global half *)out);                                                                        \
    }

__kernel ONE_OF_A_GROUP void convert_half_(__global const uint *x, __global const uint *y, __global const uint *z,
                                           __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    /* one in two of y's scale, where halves are: from subnormal ones to beyond the largest */
    const uint exponent = 102 + (y[i] & 63) % 43;
    const float f = number(y[i] & 64 ? x[i] : (x[i] & 0x807FFFFF) | exponent << 23);
    const float loaded = vload_half(2 * i, (__global const half *)z);
    int row = 0;
    STORED(vstore_half_rte);
    STORED(vstore_half_rtz);
    STORED(vstore_half_rtp);
    STORED(vstore_half_rtn);
    PUT(isnan(loaded) ? 0x7FC00000 : as_uint(loaded)); /* every NaN is the same one */
}
#endif
