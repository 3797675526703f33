// What the fuzz targets share. A target is one file with one function: it takes any bytes, and an
// assert says what must hold whatever they are. make fuzz runs it under libFuzzer, make fuzz-corpus
// runs it once over each file of tests/corpus/<target>/ (replay.c).
#pragma once

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The input as lines: the next one, NUL-terminated (a NUL of its own cuts it off), to free. NULL:
// there is none.
struct fuzz_lines {
    const char *at;
    size_t left;
};

static inline char *fuzz_line(struct fuzz_lines *lines) {
    if (lines->left == 0) return NULL;
    const char *lf = memchr(lines->at, '\n', lines->left);
    const size_t len = lf == NULL ? lines->left : (size_t)(lf - lines->at);
    char *line = mem_strndup(lines->at, len);
    lines->at += len + (lf != NULL);
    lines->left -= len + (lf != NULL);
    return line;
}

// Whether text is fit for people: one line of UTF-8 without control characters.
static inline int fuzz_is_line(const char *text) {
    char *copy = mem_strdup(text);
    text_line(copy);
    const int is_same = strcmp(copy, text) == 0;
    free(copy);
    return is_same;
}

// What we write ourselves is JSON by our own strict reader. NULL text is none.
static inline cJSON *fuzz_json_of(const char *text, size_t len) {
    cJSON *json = NULL;
    struct error err;
    assert(text != NULL);
    int rc = json_parse(text, len, &json, &err);
    if (rc != 0) fprintf(stderr, "%s in: %.*s\n", err.text, (int)len, text);
    assert(rc == 0);
    return json;
}

static inline void fuzz_is_json(const char *text, size_t len) {
    cJSON_Delete(fuzz_json_of(text, len));
}
