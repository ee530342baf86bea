/* math: the built-in math functions over arrays of arguments, a kernel m_NAME_ and a row of results per function.
 *
 * Variant       one per group of functions, so that a compiler that fails over one still builds the others
 * Shapes        x, y, z and n of count arguments, out of count results from `first` on; any count >= 1
 * Layout        flat
 * Oracle        float64 by NumPy and Python's libm; the correctly rounded result where OpenCL C asks for it
 * Origin        OpenCL C 1.2, sections 6.12.2 and 7.4; arguments after the manner of OpenCL-CTS's brute force
 * Build options GROUP: 1 sine, arcus and their kind, 2 exp, log and hyperbolic, 3 powers and roots, 4 what is exact,
 *               5 functions that give a second result through a pointer, 6 what conformance tests do not ask, or ask too seldom; 0 all
 * Work-group    (64, 1, 1), as many groups as cover count
 * Local memory  0 bytes
 * Precondition  rows * count < 2**31
 * Numerics      each function within its limit in ULP (device/workloads/maths/table.py has the limits)
 *
 * No loop of its own; what a function loops over is the driver's.
 */
#ifndef GROUP
#define GROUP 0
#endif
#define ITEMS 64 /* device/workloads/maths/operation.py launches by it */

/* names end with _, since sin and its kind are macros of some drivers' headers */
#define KERNEL(name, statements)                                                                                       \
    __kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void m_##name(                                         \
        __global const float *xs, __global const float *ys, __global const float *zs, __global const int *ns,          \
        __global float *out, const int count, const int first)                                                         \
    {                                                                                                                  \
        const int i = get_global_id(0);                                                                                \
        if (i >= count)                                                                                                \
            return;                                                                                                    \
        statements;                                                                                                    \
    }
#define OF_X(name, value) KERNEL(name, const float x = xs[i]; out[first + i] = value)
#define OF_XY(name, value) KERNEL(name, const float x = xs[i]; const float y = ys[i]; out[first + i] = value)
#define OF_XN(name, value) KERNEL(name, const float x = xs[i]; const int n = ns[i]; out[first + i] = value)

#if GROUP == 0 || GROUP == 1
OF_X(sin_, sin(x))
OF_X(cos_, cos(x))
OF_X(tan_, tan(x))
OF_X(sinpi_, sinpi(x))
OF_X(cospi_, cospi(x))
OF_X(tanpi_, tanpi(x))
OF_X(asin_, asin(x))
OF_X(acos_, acos(x))
OF_X(atan_, atan(x))
OF_X(asinpi_, asinpi(x))
OF_X(acospi_, acospi(x))
OF_X(atanpi_, atanpi(x))
OF_XY(atan2_, atan2(x, y))
OF_XY(atan2pi_, atan2pi(x, y))
#endif

#if GROUP == 0 || GROUP == 2
OF_X(exp_, exp(x))
OF_X(exp2_, exp2(x))
OF_X(exp10_, exp10(x))
OF_X(expm1_, expm1(x))
OF_X(log_, log(x))
OF_X(log2_, log2(x))
OF_X(log10_, log10(x))
OF_X(log1p_, log1p(x))
OF_X(sinh_, sinh(x))
OF_X(cosh_, cosh(x))
OF_X(tanh_, tanh(x))
OF_X(asinh_, asinh(x))
OF_X(acosh_, acosh(x))
OF_X(atanh_, atanh(x))
#endif

#if GROUP == 0 || GROUP == 3
OF_X(sqrt_, sqrt(x))
OF_X(rsqrt_, rsqrt(x))
OF_X(cbrt_, cbrt(x))
OF_XY(hypot_, hypot(x, y))
OF_XY(pow_, pow(x, y))
OF_XY(powr_, powr(x, y))
OF_XN(pown_, pown(x, n))
OF_X(reciprocal_, 1.0f / x)
OF_XY(divide_, x / y)
#endif

#if GROUP == 0 || GROUP == 4
OF_XY(add_, x + y)
OF_XY(subtract_, x - y)
OF_XY(multiply_, x * y)
KERNEL(fma_, out[first + i] = fma(xs[i], ys[i], zs[i]))
OF_X(ceil_, ceil(x))
OF_X(floor_, floor(x))
OF_X(rint_, rint(x))
OF_X(round_, round(x))
OF_X(trunc_, trunc(x))
OF_X(fabs_, fabs(x))
OF_XY(copysign_, copysign(x, y))
OF_XY(fdim_, fdim(x, y))
OF_XY(fmax_, fmax(x, y))
OF_XY(fmin_, fmin(x, y))
OF_XY(maxmag_, maxmag(x, y))
OF_XY(minmag_, minmag(x, y))
OF_XY(fmod_, fmod(x, y))
OF_XY(remainder_, remainder(x, y))
OF_XY(nextafter_, nextafter(x, y))
OF_X(logb_, logb(x))
/* which of its two values FP_ILOGBNAN has is the implementation's own: only that it is the one is asked */
OF_X(ilogb_, !isnan(x) ? (float)ilogb(x) : ilogb(x) == FP_ILOGBNAN ? x : 0.0f)
OF_X(nan_, nan(as_uint(x)))
#endif

#if GROUP == 0 || GROUP == 5
#define WITH_FLOAT(name, call, value)                                                                                  \
    KERNEL(name, const float x = xs[i]; float other; const float one = call; out[first + i] = value)
#define WITH_INT(name, call, value)                                                                                    \
    KERNEL(name, const float x = xs[i]; const float y = ys[i]; int other; const float one = call; out[first + i] = value)
WITH_FLOAT(sincos_, sincos(x, &other), one)
WITH_FLOAT(sincos_cosine_, sincos(x, &other), other)
WITH_FLOAT(fract_, fract(x, &other), one)
WITH_FLOAT(fract_floor_, fract(x, &other), other)
WITH_FLOAT(modf_, modf(x, &other), one)
WITH_FLOAT(modf_whole_, modf(x, &other), other)
WITH_INT(frexp_, frexp(x, &other), one)
WITH_INT(frexp_exponent_, frexp(x, &other), (float)other)
WITH_INT(remquo_, remquo(x, y, &other), one)
/* the quotient's lowest seven bits are what OpenCL C asks for */
WITH_INT(remquo_quotient_, remquo(x, y, &other), other < 0 ? -(float)(-other & 127) : (float)(other & 127))
#endif

#if GROUP == 0 || GROUP == 6
OF_X(erf_, erf(x))
OF_X(erfc_, erfc(x))
OF_X(tgamma_, tgamma(x))
OF_XN(rootn_, rootn(x, n))
OF_XN(ldexp_, ldexp(x, n))
OF_X(sinpi_zero_, sinpi(x))
OF_X(cospi_zero_, cospi(x))
OF_X(tanpi_zero_, tanpi(x))
KERNEL(fract_zero_, float whole; out[first + i] = fract(xs[i], &whole))
#endif
