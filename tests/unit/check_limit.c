#include "orchestrator/limit.h"

#include "common/file.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_limit(void);

static uint64_t value_of(const struct limits *l, const struct limit_spec *spec) {
    uint64_t value;
    memcpy(&value, (const char *)l + spec->at, sizeof value);
    return value;
}

static bool are_same(const struct limits *a, const struct limits *b) {
    for (size_t i = 0; i < limit_specs_count; i++)
        if (value_of(a, &limit_specs[i]) != value_of(b, &limit_specs[i])) return false;
    return true;
}

START_TEST(a_limit_is_set_within_its_range) {
    const struct limit_spec *spec = &limit_specs[_i];
    struct limits l, before;
    struct error err;
    char value[LIMIT_TEXT_MAX], text[100];
    limits_default(&l);
    ck_assert_uint_eq(value_of(&l, spec), spec->standard);
    ck_assert_uint_le(spec->least, spec->standard);
    ck_assert_uint_le(spec->standard, spec->most);
    const uint64_t ends[] = {spec->least, spec->most, spec->standard};
    for (size_t i = 0; i < COUNT(ends); i++) {
        limit_format(spec, ends[i], value);
        snprintf(text, sizeof text, "%s=%s", spec->name, value);
        ck_assert_msg(limit_set(&l, text, &err) == 0, "%s: %s", text, err.text);
        ck_assert_uint_eq(value_of(&l, spec), ends[i]);
    }
    before = l;
    const uint64_t step = spec->unit == LIMIT_DURATION ? 1000 : 1;
    const uint64_t beyond[] = {spec->least - step, spec->most + step};
    for (size_t i = 0; i < COUNT(beyond); i++) {
        limit_format(spec, beyond[i], value);
        snprintf(text, sizeof text, "%s=%s", spec->name, value);
        ck_assert_msg(limit_set(&l, text, &err) == ERROR_INPUT, "%s", text);
        ck_assert_ptr_nonnull(strstr(err.text, spec->name));
        ck_assert(are_same(&l, &before));
    }
}
END_TEST

static const struct {
    const char *text, *error;
} wrong[] = {
    {"bodi=1MiB", "'bodi' is no limit; did you mean bod"},
    {"idel=1m", "'idel' is no limit; did you mean idle? those are: connections, "},
    {"quite-another=1", "'quite-another' is no limit; those are: connections, "},
    {"", "'' is no limit; those are"},
    {"=1", "'' is no limit; those are"},
    {"body", "'body' has no value: write body=VALUE"},
    {"body=", "body: '' is not a size"},
    {"body=1MB", "body: '1MB' is not a size"},
    {"body=1023", "body: 1023: expected from 1KiB to 64MiB"},
    {"connections=many", "connections: 'many': expected a number from 64 to 16384"},
    {"connections=63", "connections: '63': expected a number from 64 to 16384"},
    {"idle=60", "idle: '60' is not a duration"},
    {"idle=10ms", "idle: 10ms: expected from 1s to 3600s"},
};

START_TEST(what_is_wrong_is_told_and_changes_nothing) {
    struct limits l, before;
    struct error err;
    limits_default(&l);
    before = l;
    ck_assert_msg(limit_set(&l, wrong[_i].text, &err) == ERROR_INPUT, "%s", wrong[_i].text);
    ck_assert_msg(strncmp(err.text, wrong[_i].error, strlen(wrong[_i].error)) == 0, "%s", err.text);
    ck_assert(are_same(&l, &before));
}
END_TEST

// The list of names is not cut off by the end of the error.
START_TEST(all_names_are_in_the_error) {
    struct limits l;
    struct error err;
    limits_default(&l);
    ck_assert_int_eq(limit_set(&l, "an-unknown-name-that-is-as-long-as-it-may-be=1", &err),
                     ERROR_INPUT);
    for (size_t i = 0; i < limit_specs_count; i++)
        ck_assert_msg(strstr(err.text, limit_specs[i].name) != NULL, "%s: %s", limit_specs[i].name,
                      err.text);
}
END_TEST

// spec/limits.md has a row for each limit, in this order, with this default and range, and none
// besides.
START_TEST(the_document_has_all_limits) {
    struct buf text = {0};
    struct error err;
    ck_assert_msg(file_read("spec/limits.md", &text, &err) == 0, "%s", err.text);
    const char *at = text.data;
    for (size_t i = 0; i < limit_specs_count; i++) {
        const struct limit_spec *spec = &limit_specs[i];
        char standard[LIMIT_TEXT_MAX], least[LIMIT_TEXT_MAX], most[LIMIT_TEXT_MAX], row[200];
        limit_format(spec, spec->standard, standard);
        limit_format(spec, spec->least, least);
        limit_format(spec, spec->most, most);
        snprintf(row, sizeof row, "\n| `%s` | %s | %s to %s |", spec->name, standard, least, most);
        const char *found = strstr(at, row);
        ck_assert_msg(found != NULL, "not there, or not in order:%s", row);
        at = found + 1;
    }
    size_t rows = 0;
    char *rest = strstr(text.data, "\n## Options with a limit of their own\n");
    ck_assert_ptr_nonnull(rest);
    *rest = '\0';
    for (const char *row = text.data; (row = strstr(row, "\n| `")) != NULL; row++)
        rows++;
    ck_assert_uint_eq(rows, limit_specs_count);
    buf_deinit(&text);
}
END_TEST

Suite *check_limit(void) {
    Suite *suite = suite_create("limit");
    TCase *tcase = tcase_create("limit");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_limit_is_set_within_its_range, 0, (int)limit_specs_count);
    tcase_add_loop_test(tcase, what_is_wrong_is_told_and_changes_nothing, 0, COUNT(wrong));
    tcase_add_test(tcase, all_names_are_in_the_error);
    tcase_add_test(tcase, the_document_has_all_limits);
    return suite;
}
