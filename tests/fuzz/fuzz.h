// What the fuzz targets share. A target is one file with one function: it takes any bytes, and an
// assert says what must hold whatever they are. make fuzz runs it under libFuzzer, make fuzz-corpus
// runs it once over each file of tests/corpus/<target>/ (replay.c).
#pragma once

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
