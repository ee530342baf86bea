/* stencil3d: each element of out is the weighted sum of itself and its six neighbours in in, float32, eight per work-item.
 *
 * Variant       the one there is: an item walks through RUN planes of one row's eight columns, in vectors, and keeps the
 *               plane before and the one it is in
 * Shapes        in of (c+2)^3, with a halo of one element on each side; out of c^3; weights of 7; any c >= 1. The launcher
 *               takes the c whose cube is nearest to n * n for a size n
 * Layout        row-major, planes of rows: out[(z*c + y)*c + x], in[((z+1)*(c+2) + y+1)*(c+2) + x+1] is its centre;
 *               weights in the order centre, x-1, x+1, y-1, y+1, z-1, z+1
 * Oracle        the same sum in float64 on the host
 * Origin        Micikevicius, 3D finite difference computation on GPUs (2009): the march through the planes; six weights
 *               of their own for the neighbours, so that no mirror image is right
 * Build options none
 * Work-group    any; the launcher takes (32, 8, 1) and as many whole groups as cover c / 8 by c by c / RUN, rounded up
 * Local memory  0 bytes
 * Precondition  c <= 1288: an int counts the elements of in; in and out do not overlap
 * Numerics      seven products and six sums per element in one order, contracted where the compiler likes to
 *
 * The weights are in constant memory. Vectors are read through pointers that promise the alignment of a float and no
 * more, since a row of in begins anywhere; never with vload, on which Clover's compiler aborts.
 * The loops take at most RUN and seven iterations; llvmpipe stops at 65,535.
 */
#define WIDTH 8 /* device/workloads/stencil3d.py launches by it */
#define RUN 4   /* planes per item, by which it launches too */
typedef float8 vec __attribute__((aligned(4)));

#define AT(type, place) (*(__global const type *)(place))
#define SEVEN(type, place, before, centre, behind)                                                                     \
    (weights[0] * (centre) + weights[1] * AT(type, (place) - 1) + weights[2] * AT(type, (place) + 1) +                 \
     weights[3] * AT(type, (place) - pitch) + weights[4] * AT(type, (place) + pitch) + weights[5] * (before) +         \
     weights[6] * (behind))
/* out's column x of row y, from plane first to the one before last */
#define MARCH(type, x)                                                                                                 \
    {                                                                                                                  \
        __global const float *place = in + ((first + 1) * pitch + y + 1) * pitch + (x) + 1;                            \
        type before = AT(type, place - plane), centre = AT(type, place);                                               \
        for (int z = first; z < last; ++z, place += plane) {                                                           \
            const type behind = AT(type, place + plane);                                                               \
            *(__global type *)(out + (z * c + y) * c + (x)) = SEVEN(type, place, before, centre, behind);              \
            before = centre;                                                                                           \
            centre = behind;                                                                                           \
        }                                                                                                              \
    }

__kernel __attribute__((vec_type_hint(float8))) void stencil3d(__global const float *in, __constant float *weights,
                                                               __global float *out, const int c)
{
    const int pitch = c + 2, plane = pitch * pitch;
    const int column = get_global_id(0) * WIDTH, y = get_global_id(1);
    const int first = get_global_id(2) * RUN, last = min(first + RUN, c);

    if (y >= c)
        return;
    if (column + WIDTH <= c)
        MARCH(vec, column)
    else /* the last columns, and none at all in the items beyond them */
        for (int x = column; x < c; ++x)
            MARCH(float, x)
}
