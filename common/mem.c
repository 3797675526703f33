#include "common/mem.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p, size_t size) {
    if (p != NULL) return p;
    fprintf(stderr, "out of memory: %zu bytes wanted\n", size);
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

char *mem_strndup(const char *s, size_t len) {
    char *copy = mem_alloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *s) {
    return mem_strndup(s, strlen(s));
}

void mem_init(void) {
    cJSON_Hooks hooks = {.malloc_fn = mem_alloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
}
