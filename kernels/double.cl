/* double: results of each pair of doubles, as two words each; what IEEE 754 rounds in one way only.
 *
 * Variant       two kernels: double_ has eight results of each pair, double_fma_ one, what the product of the two lost
 * Shapes        x and y of count doubles, out of 8 rows or one of 2 * count words
 * Layout        flat: words 2 * i (the lower half) and 2 * i + 1 of row r are result r of pair i
 * Oracle        the host's own arithmetic, bit for bit; what a product lost by Dekker's splitting
 * Origin        Dekker, A floating-point technique for extending the available precision (1971), for what a product loses
 * Build options none
 * Work-group    (64, 1, 1), and as many whole groups as cover count
 * Local memory  0 bytes
 * Precondition  16 * count < 2**31 - 2**16; cl_khr_fp64
 * Numerics      correctly rounded, nothing contracted, no subnormal flushed; every NaN is written as the same one
 */
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL FP_CONTRACT OFF
#define GROUP 64 /* device/workloads/exact.py launches by it */
#define ONE_OF_A_GROUP __attribute__((reqd_work_group_size(GROUP, 1, 1)))

/* Sign and fraction, in [1, 2): a product of two neither overflows nor loses what fma has to find. */
double scaled(const double x)
{
    return as_double((as_ulong(x) & 0x800FFFFFFFFFFFFFUL) | 0x3FF0000000000000UL);
}

void put(__global uint *out, const int count, const int row, const int i, const double value)
{
    const ulong bits = isnan(value) ? 0x7FF8000000000000UL : as_ulong(value);
    const int at = 2 * (row * count + i);
    out[at] = (uint)bits;
    out[at + 1] = (uint)(bits >> 32);
}

__kernel ONE_OF_A_GROUP void double_(__global const double *x, __global const double *y, __global uint *out, const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const double p = x[i], q = y[i], a = scaled(p), b = scaled(q);
    put(out, count, 0, i, p + q);
    put(out, count, 1, i, p - q);
    put(out, count, 2, i, p * q);
    put(out, count, 3, i, p / q);
    put(out, count, 4, i, sqrt(p));
    put(out, count, 5, i, (double)(float)a);
    put(out, count, 6, i, (double)(long)(a * 0x1p40));
    put(out, count, 7, i, rint(b * 0x1p20));
}

__kernel ONE_OF_A_GROUP void double_fma_(__global const double *x, __global const double *y, __global uint *out,
                                         const int count)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const double a = scaled(x[i]), b = scaled(y[i]);
    put(out, count, 0, i, fma(a, b, -(a * b)));
}
