/* abft_check: r = C w against its reference, one verdict per row.
 *
 * Purpose       the T5 guard's check after a launch of C = A B: row i is bad unless |sum_j C[i, j] w[j] - ref[i]| <= bound[i]
 * Shapes        C m x n with rows ldc floats apart; w n; ref, bound and verdict m
 * Origin        Huang and Abraham, Algorithm-Based Fault Tolerance for Matrix Operations (1984), with a random +-1 vector
 * Build options ITEMS  work-items per row: 1 on CPU drivers, a power of two on GPUs (default 1)
 *               ROWS   rows per work-group (default 8)
 *               VW     floats per load, 1, 4, 8 or 16; ldc must be a multiple of it (default 1)
 * Work-group    (ITEMS, 1, 1), required
 * Local memory  4 * ITEMS bytes where ITEMS > 1
 * Numerics      float32; the comparison is written so that NaN is bad
 *
 * verdict[i] becomes serial where row i is good and -serial where it is bad. A check that did not run, or not for every
 * row, leaves another serial behind, so that silence is never taken for a good result. No atomics: Clover's compiler does
 * not survive them. Where `chained` is not 0 it becomes serial only behind serial - 1 and is left as it is otherwise, so
 * that one reading behind many launches tells up to which check each row was good.
 */
#include "group_sum.clh"
#ifndef ROWS
#define ROWS 8
#endif
#ifndef VW
#define VW 1
#endif
#if VW == 16
typedef float16 vec;
#elif VW == 8
typedef float8 vec;
#elif VW == 4
typedef float4 vec;
#elif VW == 1
typedef float vec;
#else
#error "VW must be 1, 4, 8 or 16"
#endif

float total(const vec sum)
{
#if VW == 16
    const float8 s8 = sum.lo + sum.hi;
    const float4 s4 = s8.lo + s8.hi;
#elif VW == 8
    const float4 s4 = sum.lo + sum.hi;
#elif VW == 4
    const float4 s4 = sum;
#endif
#if VW == 1
    return sum;
#else
    return (s4.x + s4.y) + (s4.z + s4.w);
#endif
}

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_check(__global const float *C, __global const float *w, __global const float *ref,
                         __global const float *bound, const int m, const int n, const int ldc, const int serial,
                         const int chained, __global int *verdict)
{
    const int item = get_local_id(0);
    const int first = get_group_id(0) * ROWS;
    const int last = min(first + ROWS, m);
    const int whole = n / (4 * VW * ITEMS) * (4 * ITEMS);
    SHARED_SUMS
    for (int i = first; i < last; ++i) {
        __global const vec *c = (__global const vec *)(C + i * ldc);
        __global const vec *v = (__global const vec *)w;
        vec s0 = (vec)(0.0f), s1 = (vec)(0.0f), s2 = (vec)(0.0f), s3 = (vec)(0.0f);
        for (int j = item; j < whole; j += 4 * ITEMS) {
            s0 += c[j] * v[j];
            s1 += c[j + ITEMS] * v[j + ITEMS];
            s2 += c[j + 2 * ITEMS] * v[j + 2 * ITEMS];
            s3 += c[j + 3 * ITEMS] * v[j + 3 * ITEMS];
        }
        float rest = 0.0f; /* by itself: added to the large sum one by one, its roundings exceed the bound where k is small */
        for (int j = whole * VW + item; j < n; j += ITEMS)
            rest += C[i * ldc + j] * w[j];
        float r = total((s0 + s1) + (s2 + s3)) + rest;
        GROUP_SUM(r, item)
        if (item == 0) {
            const int before = chained ? verdict[i] : serial - 1;
            const int bad = chained ? before : -serial;
            verdict[i] = fabs(r - ref[i]) <= bound[i] && before == serial - 1 ? serial : bad;
        }
    }
}
