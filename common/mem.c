#include "common/mem.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p, size_t size) {
    if (p != NULL) return p;
    fprintf(stderr,
            "out of memory: %zu bytes wanted: raise the limit of the process (ulimit -v, or "
            "MemoryMax= of a systemd service)\n",
            size);
    abort();
}

void *mem_alloc(size_t size) {
    if (size == 0) size = 1;
    return checked(malloc(size), size);
}

void *mem_zalloc(size_t size) {
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size) {
    if (count == 0 || size == 0) count = size = 1;
    return checked(calloc(count, size), size);
}

void *mem_resize(void *p, size_t count, size_t size) {
    if (count == 0 || size == 0) count = size = 1;
    return checked(reallocarray(p, count, size), size);
}

void *mem_grow(void *p, size_t *cap, size_t need, size_t size) {
    if (need <= *cap) return p;
    *cap = *cap == 0 ? 16 : *cap * 2;
    if (*cap < need) *cap = need;
    return mem_resize(p, *cap, size);
}

char *mem_strndup(const char *s, size_t len) {
    char *copy = mem_alloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *s) {
    return mem_strndup(s, strlen(s));
}

// --- cJSON's memory

enum { SCRATCH_SIZE = 8192, SCRATCH_ALIGN = 16 };

// Under AddressSanitizer every value stays an allocation of its own, which it can watch.
#if defined(__SANITIZE_ADDRESS__)
enum { SCRATCH_USED = 0 };
#else
enum { SCRATCH_USED = SCRATCH_SIZE };
#endif

static _Thread_local struct {
    _Alignas(SCRATCH_ALIGN) char bytes[SCRATCH_SIZE];
    size_t used, values;
    bool active;
} scratch;

static void *json_alloc(size_t size) {
    size_t whole = (size + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
    if (!scratch.active || whole > SCRATCH_USED - scratch.used) return mem_alloc(size);
    void *p = scratch.bytes + scratch.used;
    scratch.used += whole;
    scratch.values++;
    return p;
}

static void json_free(void *p) {
    uintptr_t at = (uintptr_t)p, start = (uintptr_t)scratch.bytes;
    if (at >= start && at < start + SCRATCH_SIZE)
        scratch.values--;
    else
        free(p);
}

void mem_scratch_begin(void) {
    assert(!scratch.active);
    scratch.active = true;
}

void mem_scratch_end(void) {
    assert(scratch.active && scratch.values == 0);
    scratch.active = false;
    scratch.used = 0;
}

void mem_init(void) {
    cJSON_Hooks hooks = {.malloc_fn = json_alloc, .free_fn = json_free};
    cJSON_InitHooks(&hooks);
}
