// Memory that is always there: out of memory aborts with a message, because a half-updated run is
// worse than none. Everything here is released with free().
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_array(size_t count, size_t size); // zeroed; aborts where count * size overflows
void *mem_resize(void *p, size_t count, size_t size);
// An array that grows: room for `need` elements at least, cap says for how many. What is new is not
// zeroed.
void *mem_grow(void *p, size_t *cap, size_t need, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);

// Makes cJSON allocate the same way, so that no cJSON_Create* or cJSON_Add* can fail. Call it once,
// first thing in main().
void mem_init(void);

// Between begin and end, in this thread, what cJSON allocates comes out of one block where it has
// room: a document that is read and dropped at once costs no malloc. All of it must be deleted
// before end. Not to be nested.
void mem_scratch_begin(void);
void mem_scratch_end(void);
