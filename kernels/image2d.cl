/* image2d: an image read through samplers at places in and around it, and another one written texel by texel.
 *
 * Variant       one kernel for all samplers, which are arguments: filter and address mode are what is exercised
 * Shapes        an RGBA float image of any size; count places, x and y each, and count results of four floats from `first` on
 * Layout        flat
 * Oracle        a sampler on the host in float64, as OpenCL C 1.2, section 8.2, says
 * Origin        OpenCL 1.2, sections 5.3 and 5.5; OpenCL C 1.2, sections 6.12.14 and 8.2
 * Build options none
 * Work-group    (64, 1, 1), as many groups as cover count
 * Local memory  0 bytes
 * Precondition  4 * count * (samplers + 1) < 2**31; a device with images
 * Numerics      none of its own; what a linear filter loses is the driver's
 *
 * No loop.
 */
#define ITEMS 64 /* device/workloads/images/steps.py launches by it */

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void read_places(read_only image2d_t image, sampler_t sampler,
                                                                            __global const float *at, __global float *out,
                                                                            const int count, const int first)
{
    const int i = get_global_id(0);
    if (i >= count)
        return;
    const float4 texel = read_imagef(image, sampler, (float2)(at[2 * i], at[2 * i + 1]));
    __global float *to = out + 4 * (first + i);
    to[0] = texel.x;
    to[1] = texel.y;
    to[2] = texel.z;
    to[3] = texel.w;
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void write_texels(__global const float *in,
                                                                             write_only image2d_t image, const int width,
                                                                             const int count)
{
    const int i = get_global_id(0);
    if (i < count)
        write_imagef(image, (int2)(i % width, i / width),
                     (float4)(in[4 * i + 3], in[4 * i + 2], in[4 * i + 1], in[4 * i]));
}
