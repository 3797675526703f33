// The page: orchestrator/web/, and Swagger UI's files where they were there at build time, all
// embedded. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_file {
    const char *name; // as it is asked for: "main.js"
    const char *type;
    const char *bytes;
    const size_t *len;
};

// By the part of the path behind /web/ or /docs/. NULL: there is none.
const struct page_file *page_find(const char *name);
const struct page_file *page_find_docs(const char *name);

// What the page is told of the service that serves it.
struct page_facts {
    const char *simulator; // its address; NULL: there is none
    long long started_ms;  // the service's start, since the epoch
    uint64_t install_timeout_ms;
};

// The page itself. The caller's to free.
char *page_index(const struct page_facts *facts);
// The page of /docs/: Swagger UI, or how it comes to be there.
const char *page_docs(void);

// Whether it is the address of a web server and nothing else: http://127.0.0.1:8301.
bool page_is_origin(const char *text);
