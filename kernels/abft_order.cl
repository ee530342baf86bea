/* abft_order: are the words in ascending order, and are they the very words that were sorted; chained verdicts.
 *
 * Purpose       the guard of sort. abft_order: row i is bad unless each of its words is no larger than the one behind it,
 *               the next row's first included; part[i] is its share of the hash. abft_total: verdict[rows] is bad unless
 *               the parts sum up to `expected` modulo 2^32
 * Shapes        out of count words in rows of `columns`, the last one as long as is left; part of rows words, rows being
 *               ceil(count / columns); verdict of rows + 1
 * Layout        flat
 * Oracle        tests/device/test_invariants.py: multiset_hash of core/guard/invariants.py
 * Origin        Blum and Kannan, Designing Programs That Check Their Work (1989), for sorting checked by order and multiset;
 *               the hash is MurmurHash3's finalizer (Appleby), a bijection: no single wrong word keeps the sum
 * Build options ITEMS    work-items per row: 1 on CPU drivers, a power of two on GPUs (default 1)
 *               ROWS     rows per work-group of abft_order (default 8); ROWS * columns / ITEMS, and rows / ITEMS, stay
 *                        below llvmpipe's limit
 *               CONTROL  see abft_rows.clh (default 0)
 * Work-group    (ITEMS, 1, 1), required; abft_total has one
 * Local memory  4 * ITEMS bytes where ITEMS > 1
 * Precondition  count < 2^31
 * Numerics      whole numbers only
 */
#define SUMMED uint
#include "group_sum.clh"
#include "abft_rows.clh"

uint mixed(const uint word)
{
    uint x = (word ^ (word >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_order(__global const uint *out, const int columns, const int count, const int serial,
                         __global uint *part, __global int *verdict)
{
    const int item = get_local_id(0);
    const int rows = (count - 1) / columns + 1;
    const int first = get_group_id(0) * ROWS;
    const int last = min(first + ROWS, rows);
    SHARED_SUMS
    for (int i = first; i < last; ++i) {
        const int begin = i * columns;
        const int end = begin + min(columns, count - begin);
        const int compared = min(end, count - 1); /* nothing stands behind the last word of all */
        uint sum = 0, falls = 0;
        for (int k = begin + item; k < compared; k += ITEMS) {
            const uint x = out[k];
            falls += out[k + 1] < x ? 1u : 0u;
            sum += mixed(x);
        }
        if (compared < end && item == 0)
            sum += mixed(out[compared]);
        GROUP_SUM(sum, item)
        GROUP_SUM(falls, item)
        if (item == 0) {
            part[i] = sum;
            CHAINED(verdict, i, falls == 0)
        }
    }
}

__attribute__((reqd_work_group_size(ITEMS, 1, 1)))
__kernel void abft_total(__global const uint *part, const int rows, const uint expected, const int serial,
                         __global int *verdict)
{
    const int item = get_local_id(0);
    SHARED_SUMS
    uint sum = 0;
    for (int i = item; i < rows; i += ITEMS)
        sum += part[i];
    GROUP_SUM(sum, item)
    if (item == 0) {
        CHAINED(verdict, rows, sum == expected)
    }
}
