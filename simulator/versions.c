#include "simulator/versions.h"

#include "common/mem.h"

#include <stdlib.h>

void versions_deinit(struct versions *v) {
    for (uint32_t i = 0; i < v->len; i++)
        free(v->texts[i]);
    free(v->texts);
    strmap_deinit(&v->by_text);
    *v = (struct versions){0};
}

uint32_t versions_intern(struct versions *v, const char *text) {
    uintptr_t found = (uintptr_t)strmap_get(&v->by_text, text);
    if (found != 0) return (uint32_t)(found - 1);
    v->texts = mem_grow(v->texts, &v->cap, (size_t)v->len + 1, sizeof *v->texts);
    v->texts[v->len] = mem_strdup(text);
    strmap_put(&v->by_text, v->texts[v->len], (void *)(uintptr_t)(v->len + 1));
    return v->len++;
}
