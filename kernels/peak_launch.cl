/* peak_launch: as little as a launch can do and still prove that it ran: one more in the item's place.
 *
 * Variant       the one there is
 * Shapes        count of any size
 * Layout        flat; a global offset says which place a launch counts in
 * Oracle        the number of launches, on the host: exact
 * Origin        own; clpeak (Bhat) launches an empty kernel, which proves nothing
 * Build options none
 * Work-group    (1, 1, 1), one item
 * Local memory  0 bytes
 * Precondition  launches that count in one place run one after another
 * Numerics      none: whole numbers
 */
__kernel void peak_launch(__global uint *count)
{
    count[get_global_id(0)] += 1;
}
