/* A driver that answers with another one's answers (REAL), but for the one fault that the file FLAG names, from the
 * N-th launch on where it says `fault@N`; without the file it is a good driver. It puts its own functions into the dispatch table, where the loader finds those of the driver.
 * Types are spelled out, since no OpenCL headers need be installed; the places in the table are those of cl_icd.h.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef DELAY_NS /* by how much each launch of the kernel under test is later, in ns */
#define DELAY_NS 0
#endif

enum { DEVICES = 2, BUILD = 30, BUILD_INFO = 33, SET_ARG = 38, KERNEL_INFO = 39, PROFILING = 45, FINISH = 47,
       READ = 48, WRITE = 49, LAUNCH = 59, MARKER = 62, ENTRIES = 64 };
enum { FUNCTION_NAME = 0x1190, MEM_OBJECT_INFO = 20, MEM_SIZE = 0x1102, PROFILE_START = 0x1282, PROFILE_END = 0x1283 };

static void *real[ENTRIES];
static void *output; /* what the kernel under test was last given to write into */
static int launches, finishes;
static const float MANY = 1e6f;
static void *nowhere;

static char asked[64], fault[64];
static int from;

static void look(void) /* which fault is asked for now; launches are counted since it was */
{
    char found[64] = "";
    const int file = open(FLAG, O_RDONLY);
    if (file >= 0) {
        if (read(file, found, sizeof found - 1) < 0) found[0] = 0;
        close(file);
    }
    if (strcmp(found, asked) == 0) return;
    strcpy(asked, found);
    strcpy(fault, found);
    fault[strcspn(fault, "@")] = 0;
    from = strchr(found, '@') ? atoi(strchr(found, '@') + 1) : 0;
    launches = finishes = 0;
}

static int on(const char *name) { return launches >= from && strcmp(fault, name) == 0; }

static int ends(const char *where)
{
    char name[64];
    static const char *how[] = {"segv", "abort", "exit0", "kill", "ill", "hang"};
    for (unsigned i = 0; i < sizeof how / sizeof *how; ++i) {
        strcpy(stpcpy(stpcpy(name, where), "-"), how[i]);
        if (!on(name)) continue;
        if (i == 0) *(volatile int *)nowhere = 1;
        if (i == 1) abort();
        if (i == 2) _exit(0);
        if (i == 3) raise(SIGKILL);
        if (i == 4) __builtin_trap();
        signal(SIGTERM, SIG_IGN);
        for (;;) pause();
    }
    return 0;
}

static int is_gemm(void *kernel)
{
    char name[256] = "";
    ((int (*)(void *, unsigned, size_t, void *, size_t *))real[KERNEL_INFO])(kernel, FUNCTION_NAME, 255, name, NULL);
    return strcmp(name, "gemm") == 0;
}

static int devices(void *platform, uint64_t kind, unsigned many, void **found, unsigned *count)
{
    look();
    if (on("no-device")) return -1;
    return ((int (*)(void *, uint64_t, unsigned, void **, unsigned *))real[DEVICES])(platform, kind, many, found, count);
}

static int build(void *program, unsigned n, void **who, const char *options, void *notify, void *data)
{
    look();
    ends("build");
    if (on("build-error") || on("build-no-log")) return -11;
    return ((int (*)(void *, unsigned, void **, const char *, void *, void *))real[BUILD])(program, n, who, options,
                                                                                           notify, data);
}

static int build_info(void *program, void *device, unsigned what, size_t size, void *value, size_t *needed)
{
    look();
    if (on("build-no-log")) return -5;
    return ((int (*)(void *, void *, unsigned, size_t, void *, size_t *))real[BUILD_INFO])(program, device, what, size,
                                                                                           value, needed);
}

static int set_arg(void *kernel, unsigned place, size_t size, const void *value)
{
    if (place == 2 && size == sizeof(void *) && value != NULL && is_gemm(kernel)) memcpy(&output, value, size);
    return ((int (*)(void *, unsigned, size_t, const void *))real[SET_ARG])(kernel, place, size, value);
}

static void delay(void) /* by working, as a slower driver does: a sleep would be as long as the host likes */
{
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begun.tv_sec) * 1000000000L + now.tv_nsec - begun.tv_nsec < DELAY_NS);
}

static void change_one(void *queue)
{
    size_t size = 0;
    ((int (*)(void *, unsigned, size_t, void *, size_t *))real[MEM_OBJECT_INFO])(output, MEM_SIZE, sizeof size, &size,
                                                                                NULL);
    ((int (*)(void *, void *, unsigned, size_t, size_t, const void *, unsigned, void *, void *))real[WRITE])(
        queue, output, 1, size / 8 * 4, sizeof MANY, &MANY, 0, NULL, NULL);
}

static int launch(void *queue, void *kernel, unsigned dims, const size_t *offset, const size_t *global,
                  const size_t *local, unsigned waits, void *wait_list, void **event)
{
    look();
    int drop = 0, code, gemm = is_gemm(kernel);
    if (gemm) {
        ++launches;
        if (launches > 1) ends("launch");
        if (launches > 1 && on("launch-group")) return -54;
        if (launches > 1 && on("launch-resources")) return -5;
        drop = on("drop-all") || (on("drop-third") && launches % 3 == 0);
    }
    if (gemm && DELAY_NS) delay();
    if (drop && event) return ((int (*)(void *, void **))real[MARKER])(queue, event);
    if (drop) return 0;
    code = ((int (*)(void *, void *, unsigned, const size_t *, const size_t *, const size_t *, unsigned, void *,
                     void **))real[LAUNCH])(queue, kernel, dims, offset, global, local, waits, wait_list, event);
    if (gemm && code == 0 && (on("one-element") || (on("one-element-fifth") && launches % 5 == 0))) change_one(queue);
    return code;
}

static int finish(void *queue)
{
    look();
    if (++finishes > 1 && launches > 1) ends("finish");
    return ((int (*)(void *))real[FINISH])(queue);
}

static int read_buffer(void *queue, void *buffer, unsigned blocking, size_t offset, size_t size, void *to, unsigned waits,
                       void *wait_list, void **event)
{
    look();
    const int result = size >= 4096 && launches > 1; /* a whole result, no digest */
    int code;
    if (result) ends("read");
    if (result && on("read-error")) return -5;
    if (result && on("read-half")) memset((char *)to + size / 2, 0, size - size / 2);
    code = ((int (*)(void *, void *, unsigned, size_t, size_t, void *, unsigned, void *, void **))real[READ])(
        queue, buffer, 1, offset, result && on("read-half") ? size / 2 : size, to, waits, wait_list, event);
    (void)blocking;
    if (result && on("read-nan")) memset((char *)to + size / 2, 0xff, 4);
    if (result && on("read-bit")) ((unsigned char *)to)[size / 8 * 4 + 3] ^= 0x40;
    return code;
}

static int profiling(void *event, unsigned what, size_t size, void *value, size_t *needed)
{
    look();
    int code, start = what == PROFILE_START, end = what == PROFILE_END;
    uint64_t *time = value;
    static uint64_t begun;
    if (on("time-none")) return -7;
    code = ((int (*)(void *, unsigned, size_t, void *, size_t *))real[PROFILING])(event, what, size, value, needed);
    if (code != 0 || value == NULL) return code;
    if (start) begun = *time;
    if (on("time-constant")) *time = what - 0x1280;
    if (on("time-zero") && end) *time = begun;
    if (on("time-backwards") && end) *time = begun - 1000;
    if (on("time-thousandfold") && end) *time = begun + 1000 * (*time - begun);
    if (on("time-thousandth") && end) *time = begun + (*time - begun) / 1000;
    return code;
}

static void put(void **table, int place, void *function)
{
    const long page = sysconf(_SC_PAGESIZE);
    const uintptr_t from = (uintptr_t)&table[place] & ~(uintptr_t)(page - 1);
    mprotect((void *)from, (size_t)page * 2, PROT_READ | PROT_WRITE);
    table[place] = function;
}

static void take_over(void **table)
{
    if (table == NULL || table[LAUNCH] == (void *)launch) return;
    memcpy(real, table, sizeof real);
    put(table, DEVICES, devices);
    put(table, BUILD, build);
    put(table, BUILD_INFO, build_info);
    put(table, SET_ARG, set_arg);
    put(table, LAUNCH, launch);
    put(table, FINISH, finish);
    put(table, READ, read_buffer);
    put(table, PROFILING, profiling);
}

static void *of_real(const char *name)
{
    static void *(*ask)(const char *);
    if (ask == NULL) *(void **)&ask = dlsym(dlopen(REAL, RTLD_LAZY), "clGetExtensionFunctionAddress");
    return ask(name);
}

int clIcdGetPlatformIDsKHR(unsigned many, void **ids, unsigned *count)
{
    int code;
    look();
    if (on("no-platform")) return -1001;
    code = ((int (*)(unsigned, void **, unsigned *))of_real("clIcdGetPlatformIDsKHR"))(many, ids, count);
    if (code == 0 && ids != NULL && many > 0) take_over(*(void ***)ids[0]);
    return code;
}

void *clGetExtensionFunctionAddress(const char *name)
{
    return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? (void *)clIcdGetPlatformIDsKHR : of_real(name);
}

static int skips(void) /* whether this start is one that fails: every EVERY-th, counted in the file COUNT */
{
#ifdef EVERY
    char byte = 0;
    int file = open(COUNT, O_RDWR | O_CREAT | O_APPEND, 0600);
    off_t starts;
    if (write(file, &byte, 1) != 1) abort();
    starts = lseek(file, 0, SEEK_END);
    close(file);
    return starts % EVERY != 0;
#else
    return 0;
#endif
}

__attribute__((constructor)) static void loaded(void)
{
    if (skips()) return;
    look();
    ends("load");
    if (on("load-slow")) sleep(1);
}
