// Tables of short texts, each with what is right: the value that it is read as, or why it is
// refused. The same texts are seeds of the fuzz target of that name.
#pragma once

#include "common/file.h"
#include "tests/unit/support.h"

#include <stdio.h>

struct text_case {
    const char *name, *text;
    size_t len;
    const char *value; // as JSON without spaces; NULL: refused
    const char *why;   // is part of the error
};

#define TAKEN(name, text, value) {name, text, sizeof(text) - 1, value, NULL},
#define REFUSED(name, text, why) {name, text, sizeof(text) - 1, NULL, why},

// The value of a text as JSON, the caller's to free; NULL where it is refused.
typedef char *(*text_case_reader)(const struct text_case *one, struct error *err);

// Appends what is not as the table says, a line each: one test sees them all.
static inline void text_case_check(const struct text_case *one, text_case_reader read,
                                   struct buf *wrong) {
    struct error err = {0};
    char *value = read(one, &err);
    if (one->value == NULL && value != NULL)
        buf_addf(wrong, "%s was read as %s\n", one->name, value);
    else if (one->value == NULL && strstr(err.text, one->why) == NULL)
        buf_addf(wrong, "%s: %s\n", one->name, err.text);
    else if (one->value != NULL && (value == NULL || strcmp(value, one->value) != 0))
        buf_addf(wrong, "%s was read as %s\n", one->name, value == NULL ? err.text : value);
    free(value);
}

// Its file is there, byte by byte. WRITE_CORPUS=1 in the environment writes it.
static inline void text_case_check_seed(const struct text_case *one, const char *target) {
    char path[200];
    struct buf seed = {0};
    struct error err = {0};
    snprintf(path, sizeof path, "tests/corpus/%s/%s", target, one->name);
    if (getenv("WRITE_CORPUS") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(one->text, 1, one->len, file), one->len);
        ck_assert_int_eq(fclose(file), 0);
    }
    ck_assert_msg(file_read(path, &seed, &err) == 0, "%s", err.text);
    ck_assert_msg(seed.len == one->len && memcmp(seed.data, one->text, one->len) == 0,
                  "%s holds something else than the table", path);
    buf_deinit(&seed);
}
