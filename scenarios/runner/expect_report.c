// What differs is told as a set difference, host by host, with what the log says of each: a list of
// a hundred hosts against another would not be read.
#include "scenarios/runner/expect_report.h"

#include "common/json.h"
#include "common/strmap.h"
#include "scenarios/runner/expect.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *const lists[] = {"failed", "skipped", "completed"};
enum { LISTS = 3 };

static bool holds(const cJSON *list, const char *host) {
    const cJSON *element;
    cJSON_ArrayForEach(element, list) if (strcmp(element->valuestring, host) == 0) return true;
    return false;
}

static const char *list_of(const cJSON *report, const char *host) {
    for (int i = 0; i < LISTS; i++)
        if (holds(get(report, lists[i]), host)) return lists[i];
    return NULL;
}

enum { TOLD_MAX = 30 }; // hosts, by name; beyond they are only counted

struct report_check {
    const cJSON *report;
    expect_why why;
    void *arg;
    struct buf *differences;
    size_t told;
};

// A host that should stand in a list and does not, or stands there and should not.
static void misplaced(struct report_check *c, const char *host, const char *list, bool expected) {
    if (++c->told > TOLD_MAX) return;
    const char *other = list_of(c->report, host), *why = NULL;
    if (c->why != NULL) why = c->why(c->arg, host);
    struct buf said = {0};
    if (why != NULL) buf_addf(&said, " (%s)", why);
    if (!expected)
        expect_differ(c->differences, "%s: unexpected in %s%s", host, list,
                      said.len == 0 ? "" : said.data);
    else if (other == NULL)
        expect_differ(c->differences, "%s: missing in %s, and in no other list", host, list);
    else
        expect_differ(c->differences, "%s: missing in %s; it is in %s%s", host, list, other,
                      said.len == 0 ? "" : said.data);
    buf_deinit(&said);
}

static bool is_glob(const char *text) {
    return strpbrk(text, "*?[") != NULL;
}

static bool fits_any(const cJSON *patterns, const char *host) {
    const cJSON *pattern;
    cJSON_ArrayForEach(pattern, patterns) if (expect_fits(pattern->valuestring, host)) return true;
    return false;
}

static void check_included(struct report_check *c, const cJSON *patterns, const cJSON *got,
                           const char *list) {
    const cJSON *pattern, *host;
    cJSON_ArrayForEach(pattern, patterns) {
        bool found = false;
        cJSON_ArrayForEach(host, got) {
            found = expect_fits(pattern->valuestring, host->valuestring);
            if (found) break;
        }
        if (found) continue;
        if (is_glob(pattern->valuestring))
            expect_differ(c->differences, "%s: no host in %s matches", pattern->valuestring, list);
        else
            misplaced(c, pattern->valuestring, list, true);
    }
}

static void check_exact(struct report_check *c, const cJSON *patterns, const cJSON *got,
                        const char *list) {
    size_t before = c->told + c->differences->len;
    bool globs = false;
    const cJSON *one, *host;
    cJSON_ArrayForEach(one, patterns) globs = globs || is_glob(one->valuestring);
    check_included(c, patterns, got, list);
    cJSON_ArrayForEach(host, got) {
        if (!fits_any(patterns, host->valuestring)) misplaced(c, host->valuestring, list, false);
    }
    if (c->told + c->differences->len == before && !globs && !cJSON_Compare(patterns, got, true))
        expect_differ(c->differences, "%s: the hosts are right, but in another order", list);
}

static void check_list(struct report_check *c, const cJSON *expected, const char *list) {
    const cJSON *got = get(c->report, list);
    char what[64];
    if (cJSON_IsArray(expected)) {
        check_exact(c, expected, got, list);
        return;
    }
    snprintf(what, sizeof what, "hosts in %s", list);
    const cJSON *count = cJSON_IsNumber(expected) ? expected : get(expected, "count");
    if (count != NULL) expect_number(count, cJSON_GetArraySize(got), what, c->differences);
    if (!cJSON_IsObject(expected)) return;
    expect_number(expected, cJSON_GetArraySize(got), what, c->differences);
    check_included(c, get(expected, "includes"), got, list);
    const cJSON *host;
    cJSON_ArrayForEach(host, got) {
        if (fits_any(get(expected, "excludes"), host->valuestring))
            misplaced(c, host->valuestring, list, false);
    }
}

// The three lists are lists of names, and no host stands in them twice.
static bool is_report(struct report_check *c) {
    struct strmap seen = {0};
    size_t before = c->differences->len;
    for (int i = 0; i < LISTS; i++) {
        const cJSON *list = get(c->report, lists[i]), *host;
        if (!cJSON_IsArray(list))
            expect_differ(c->differences, "%s: the report has no such list", lists[i]);
        cJSON_ArrayForEach(host, list) {
            if (!cJSON_IsString(host))
                expect_differ(c->differences, "%s: it holds %s", lists[i], json_type_name(host));
            else if (strmap_put(&seen, host->valuestring, (void *)(uintptr_t)lists[i]) != NULL)
                expect_differ(c->differences, "%s: it is in the report twice", host->valuestring);
        }
    }
    strmap_deinit(&seen);
    return c->differences->len == before;
}

// How many hosts the list must have, where it is said as one number.
static int count_of(const cJSON *wanted) {
    const cJSON *count = cJSON_IsObject(wanted) ? get(wanted, "count") : wanted;
    return cJSON_IsNumber(count) ? count->valueint : 0;
}

// Where completed alone is given, the hosts elsewhere are told only if they are what it lacks.
static bool may_stand_elsewhere(const cJSON *expected, const cJSON *report) {
    const cJSON *completed = get(expected, "completed");
    if (completed == NULL || get(expected, "failed") != NULL || get(expected, "skipped") != NULL)
        return false;
    return cJSON_GetArraySize(get(report, "completed")) >= count_of(completed);
}

void expect_report(const cJSON *expected, const cJSON *report, expect_why why, void *arg,
                   struct buf *differences) {
    struct report_check c = {report, why, arg, differences, 0};
    if (!is_report(&c)) return;
    cJSON *none = may_stand_elsewhere(expected, report) ? NULL : cJSON_CreateArray();
    for (int i = 0; i < LISTS; i++) {
        const cJSON *wanted = get(expected, lists[i]);
        if (wanted == NULL && strcmp(lists[i], "completed") != 0) wanted = none;
        if (wanted != NULL) check_list(&c, wanted, lists[i]);
    }
    cJSON_Delete(none);
    if (c.told > TOLD_MAX) expect_differ(differences, "and %zu more hosts", c.told - TOLD_MAX);
}
