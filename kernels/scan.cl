/* scan: inclusive prefix sums of int, block by block: sums of the blocks, their own prefix sums, then every block.
 *
 * Variant       the one there is: x is read twice and out written once; sums of sums as deep as it takes, in place
 * Shapes        x and out of count elements, any count >= 1
 * Layout        flat: element i of each array stands at [i]
 * Oracle        exact sums on the host
 * Origin        Hillis and Steele, Data parallel algorithms (1986), within a group; blocks as in SHOC (Danalis et al. 2010)
 * Build options none
 * Work-group    (64, 1, 1), and one group per 2048 elements
 * Local memory  512 bytes
 * Precondition  count < 2**31 - 2**16; the host gives numbers whose sums are far from the ends of an int
 * Numerics      whole numbers only
 *
 * No item takes more than 76 iterations; llvmpipe stops at 65,535.
 */
#include "scan_blocks.clh"
