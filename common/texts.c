#include "common/texts.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024 };

struct texts_block {
    struct texts_block *next;
    size_t used, size;
    char bytes[];
};

const char *texts_keep(struct texts *t, const char *text) {
    size_t size = strlen(text) + 1;
    struct texts_block *block = t->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = mem_alloc(sizeof *block + room);
        *block = (struct texts_block){.next = t->blocks, .size = room};
        t->blocks = block;
    }
    char *copy = block->bytes + block->used;
    memcpy(copy, text, size);
    block->used += size;
    return copy;
}

const char *texts_share(struct texts *t, const char *text) {
    const char *copy = strmap_get(&t->shared, text);
    if (copy != NULL) return copy;
    copy = texts_keep(t, text);
    strmap_put(&t->shared, copy, (void *)(uintptr_t)copy);
    return copy;
}

void texts_forget_shared(struct texts *t) {
    strmap_deinit(&t->shared);
}

void texts_deinit(struct texts *t) {
    while (t->blocks != NULL) {
        struct texts_block *block = t->blocks;
        t->blocks = block->next;
        free(block);
    }
    strmap_deinit(&t->shared);
}
