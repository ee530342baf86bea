/* peak_memory: words moved through global memory in three orders, each with a key mixed in; 32-bit words.
 *
 * Variant       peak_copy: neighbours; peak_strided: words PITCH apart; peak_gather: wherever an index says
 * Shapes        a, b of count words; index too, a permutation of 0 .. count - 1
 * Layout        flat; strided reads a as rows of PITCH words and writes its columns one after another
 * Oracle        the words in the same order, xor key, on the host: exact
 * Origin        McCalpin, STREAM (1995), for the copy; SHOC (Danalis et al. 2010), level 0, for the others
 * Build options WIDTH  words that an item of peak_copy moves: 1, 4, 8 or 16
 * Work-group    (64, 1, 1); peak_copy count / WIDTH items, peak_strided (count / PITCH, PITCH), peak_gather count
 * Local memory  0 bytes
 * Precondition  count < 2**31, a multiple of 1024; a, b and index do not overlap
 * Numerics      none: whole numbers
 *
 * The key differs from launch to launch, so that what an earlier one left behind is wrong. Vectors are read through
 * pointers, never with vload: Clover's compiler aborts on vload. No loops.
 */
#define PITCH 16 /* device/peak/memory.py launches by it: 64 bytes, a cache line of most devices */
#include "peak_words.clh"

__kernel void peak_copy(__global const words *a, __global words *b, const uint key)
{
    const int item = get_global_id(0);
    b[item] = a[item] ^ key;
}

__kernel void peak_strided(__global const uint *a, __global uint *b, const uint key)
{
    const int row = get_global_id(0);
    const int column = get_global_id(1);
    b[column * (int)get_global_size(0) + row] = a[row * PITCH + column] ^ key;
}

__kernel void peak_gather(__global const uint *a, __global uint *b, const uint key, __global const uint *index)
{
    const int item = get_global_id(0);
    b[item] = a[index[item]] ^ key;
}
