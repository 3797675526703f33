// The page: orchestrator/web/, and Swagger UI's files where they were there at build time, all
// embedded. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct page_file {
    const char *name; // as it is asked for: "main.js"
    const char *type;
    const char *bytes;
    const size_t *len;
};

// By the part of the path behind /web/ or /docs/. NULL: there is none.
const struct page_file *page_find(const char *name);
const struct page_file *page_find_docs(const char *name);

// The page itself, which is told of a simulator's address; NULL: of none. The caller's to free.
char *page_index(const char *simulator);
// The page of /docs/: Swagger UI, or how it comes to be there.
const char *page_docs(void);

// Whether it is the address of a web server and nothing else: http://127.0.0.1:8301.
bool page_is_origin(const char *text);
