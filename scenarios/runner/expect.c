#include "scenarios/runner/expect.h"

#include "common/json.h"
#include "common/mem.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

bool expect_fits(const char *pattern, const char *text) {
    if (strpbrk(pattern, "*?[") == NULL) return strcmp(pattern, text) == 0;
    return strcmp(pattern, text) == 0 || fnmatch(pattern, text, 0) == 0;
}

void expect_number(const cJSON *expected, double got, const char *what, struct buf *differences) {
    const cJSON *least = get(expected, "at_least"), *most = get(expected, "at_most");
    if (cJSON_IsNumber(expected) && got != expected->valuedouble)
        expect_differ(differences, "%s: expected %.15g, is %.15g", what, expected->valuedouble,
                      got);
    if (least != NULL && got < least->valuedouble)
        expect_differ(differences, "%s: expected %.15g at least, is %.15g", what,
                      least->valuedouble, got);
    if (most != NULL && got > most->valuedouble)
        expect_differ(differences, "%s: expected %.15g at most, is %.15g", what, most->valuedouble,
                      got);
}

// --- reports

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

struct report_check {
    const cJSON *report;
    expect_why why;
    void *arg;
    struct buf *differences;
};

// A host that should stand in a list and does not, or stands there and should not.
static void misplaced(const struct report_check *c, const char *host, const char *list,
                      bool expected) {
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

static void check_included(const struct report_check *c, const cJSON *patterns, const cJSON *got,
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
            expect_differ(c->differences, "%s: no host in %s fits", pattern->valuestring, list);
        else
            misplaced(c, pattern->valuestring, list, true);
    }
}

static void check_exact(const struct report_check *c, const cJSON *patterns, const cJSON *got,
                        const char *list) {
    size_t before = c->differences->len;
    bool globs = false;
    const cJSON *one, *host;
    cJSON_ArrayForEach(one, patterns) globs = globs || is_glob(one->valuestring);
    check_included(c, patterns, got, list);
    cJSON_ArrayForEach(host, got) {
        if (!fits_any(patterns, host->valuestring)) misplaced(c, host->valuestring, list, false);
    }
    if (c->differences->len == before && !globs && !cJSON_Compare(patterns, got, true))
        expect_differ(c->differences, "%s: the hosts are right, but not their order", list);
}

static void check_list(const struct report_check *c, const cJSON *expected, const char *list) {
    const cJSON *got = get(c->report, list);
    char what[64];
    if (!cJSON_IsArray(got)) {
        expect_differ(c->differences, "%s: it is not in the report", list);
        return;
    }
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

void expect_report(const cJSON *expected, const cJSON *report, expect_why why, void *arg,
                   struct buf *differences) {
    struct report_check c = {report, why, arg, differences};
    cJSON *none = cJSON_CreateArray();
    for (int i = 0; i < LISTS; i++) {
        const cJSON *wanted = get(expected, lists[i]);
        if (wanted == NULL && strcmp(lists[i], "completed") != 0) wanted = none;
        if (wanted != NULL) check_list(&c, wanted, lists[i]);
    }
    cJSON_Delete(none);
}

// --- paths into JSON

const cJSON *expect_find(const cJSON *json, const char *path) {
    if (strncmp(path, "$.", 2) == 0) path += 2;
    while (json != NULL && *path != '\0') {
        if (*path == '[') {
            char *end;
            long index = strtol(path + 1, &end, 10);
            if (end == path + 1 || *end != ']') return NULL;
            json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)index) : NULL;
            path = end + 1;
        } else {
            size_t len = strcspn(path, ".[");
            char *key = mem_strndup(path, len);
            json = cJSON_IsObject(json) ? get(json, key) : NULL;
            free(key);
            path += len;
        }
        if (*path == '.') path++;
    }
    return json;
}

static bool is_condition(const cJSON *expected) {
    return get(expected, "absent") != NULL || get(expected, "count") != NULL ||
           get(expected, "at_least") != NULL || get(expected, "at_most") != NULL;
}

static void check_value(const cJSON *expected, const cJSON *got, const char *path,
                        struct buf *differences) {
    if (cJSON_IsTrue(get(expected, "absent"))) {
        if (got != NULL) expect_differ(differences, "%s: it is there, and should not be", path);
        return;
    }
    if (got == NULL) {
        expect_differ(differences, "%s: it is not there", path);
        return;
    }
    if (cJSON_IsObject(expected) && is_condition(expected)) {
        const cJSON *count = get(expected, "count");
        if (count != NULL) expect_number(count, cJSON_GetArraySize(got), path, differences);
        if (cJSON_IsNumber(got)) expect_number(expected, got->valuedouble, path, differences);
        return;
    }
    bool same = cJSON_IsString(expected) && cJSON_IsString(got)
                    ? expect_fits(expected->valuestring, got->valuestring)
                    : cJSON_Compare(expected, got, true);
    if (same) return;
    char *want = cJSON_PrintUnformatted(expected), *have = cJSON_PrintUnformatted(got);
    expect_differ(differences, "%s: expected %.300s, is %.500s", path, want, have);
    cJSON_free(want);
    cJSON_free(have);
}

void expect_paths(const cJSON *expected, const cJSON *json, struct buf *differences) {
    const cJSON *one;
    cJSON_ArrayForEach(one, expected)
        check_value(one, expect_find(json, one->string), one->string, differences);
}

// --- devices and the referee

static void check_device(const cJSON *expected, const cJSON *device, struct buf *differences) {
    static const char *const texts[] = {"version", "state"}, *const numbers[] = {"logins",
                                                                                 "installs"};
    const char *name = get(device, "name")->valuestring;
    char what[320];
    for (int i = 0; i < 2; i++) {
        const cJSON *wanted = get(expected, texts[i]);
        snprintf(what, sizeof what, "%s: %s", name, texts[i]);
        if (wanted != NULL) check_value(wanted, get(device, texts[i]), what, differences);
        wanted = get(expected, numbers[i]);
        snprintf(what, sizeof what, "%s: %s", name, numbers[i]);
        if (wanted != NULL)
            expect_number(wanted, get(device, numbers[i])->valuedouble, what, differences);
    }
}

void expect_devices(const cJSON *expected, const cJSON *devices, struct buf *differences) {
    const cJSON *pattern, *device;
    cJSON_ArrayForEach(pattern, expected) {
        bool found = false;
        cJSON_ArrayForEach(device, devices) {
            if (!expect_fits(pattern->string, get(device, "name")->valuestring)) continue;
            found = true;
            check_device(pattern, device, differences);
        }
        if (!found) expect_differ(differences, "%s: there is no such device", pattern->string);
    }
}

static bool same_violation(const cJSON *expected, const cJSON *got) {
    const cJSON *field;
    cJSON_ArrayForEach(field, expected) {
        const cJSON *have = get(got, field->string);
        if (!cJSON_Compare(field, have, true)) return false;
    }
    return true;
}

static void name_violation(const cJSON *violation, const char *what, struct buf *differences) {
    char *text = cJSON_PrintUnformatted(violation);
    expect_differ(differences, "%s: %s", what, text);
    cJSON_free(text);
}

static void check_violations(const cJSON *expected, const cJSON *got, struct buf *differences) {
    cJSON *left = cJSON_Duplicate(got, true);
    const cJSON *wanted;
    cJSON_ArrayForEach(wanted, expected) {
        int at = 0;
        const cJSON *one;
        cJSON_ArrayForEach(one, left) {
            if (same_violation(wanted, one)) break;
            at++;
        }
        if (at < cJSON_GetArraySize(left))
            cJSON_DeleteItemFromArray(left, at);
        else
            name_violation(wanted, "the referee did not see", differences);
    }
    const cJSON *one;
    cJSON_ArrayForEach(one, left) name_violation(one, "the referee saw", differences);
    cJSON_Delete(left);
}

void expect_audit(const cJSON *expected, const cJSON *audit, struct buf *differences) {
    const cJSON *violations = get(audit, "violations"), *one, *kind;
    const cJSON *allow = get(expected, "allow"), *wanted = get(expected, "violations");
    const cJSON *most = get(expected, "max_in_flight");
    if (wanted != NULL) check_violations(wanted, violations, differences);
    if (most != NULL)
        expect_number(most, get(audit, "max_in_flight")->valuedouble, "max_in_flight", differences);
    if (allow == NULL) return;
    cJSON_ArrayForEach(one, violations) {
        bool allowed = false;
        cJSON_ArrayForEach(kind, allow) allowed =
            allowed || strcmp(kind->valuestring, get(one, "kind")->valuestring) == 0;
        if (!allowed) name_violation(one, "the referee saw", differences);
    }
}

// --- the log

// "INFO:2020-06-09 20:23:10,331:<uuid>:message" is "INFO:message" here; the message alone fits too.
static bool line_fits(const char *pattern, const char *line, size_t len) {
    enum { STAMP = 24, ID = 37 }; // with the colon behind each
    char *copy = mem_strndup(line, len), *colon = strchr(copy, ':');
    bool fits = false;
    if (colon != NULL && strlen(colon + 1) >= STAMP + ID) {
        const char *message = colon + 1 + STAMP + ID;
        struct buf text = {0};
        buf_addf(&text, "%.*s:%s", (int)(colon - copy), copy, message);
        fits = expect_fits(pattern, message) || expect_fits(pattern, text.data);
        buf_deinit(&text);
    }
    free(copy);
    return fits;
}

// The first line from start on that fits, or NULL; *end is behind it.
static const char *find_line(const char *pattern, const char *start, const char **end) {
    while (*start != '\0') {
        size_t len = strcspn(start, "\n");
        if (line_fits(pattern, start, len)) {
            *end = start + len + (start[len] == '\n');
            return start;
        }
        start += len + (start[len] == '\n');
    }
    return NULL;
}

void expect_log(const cJSON *expected, const char *log, struct buf *differences) {
    const cJSON *pattern;
    const char *end = log, *found;
    cJSON_ArrayForEach(pattern, get(expected, "has")) {
        if (find_line(pattern->valuestring, log, &end) == NULL)
            expect_differ(differences, "the log has no line: %s", pattern->valuestring);
    }
    cJSON_ArrayForEach(pattern, get(expected, "lacks")) {
        found = find_line(pattern->valuestring, log, &end);
        if (found != NULL)
            expect_differ(differences, "the log has a line that should not be there: %.*s",
                          (int)strcspn(found, "\n"), found);
    }
    end = log;
    cJSON_ArrayForEach(pattern, get(expected, "order")) {
        if (find_line(pattern->valuestring, end, &end) != NULL) continue;
        expect_differ(differences, "the log has no such line, or not after the one before it: %s",
                      pattern->valuestring);
        return;
    }
}

// --- metrics

// Whether a sample's labels, "a=\"1\",b=\"2\"", hold all that the selector asks for.
static bool labels_fit(const char *selector, size_t selector_len, const char *labels,
                       size_t labels_len) {
    while (selector_len > 0) {
        size_t len = 0;
        bool quoted = false;
        while (len < selector_len && (quoted || selector[len] != ',')) {
            if (selector[len] == '"') quoted = !quoted;
            len++;
        }
        bool found = false;
        for (size_t at = 0; !found && at + len <= labels_len; at++)
            found = (at == 0 || labels[at - 1] == ',') && memcmp(labels + at, selector, len) == 0 &&
                    (at + len == labels_len || labels[at + len] == ',');
        if (!found) return false;
        if (len < selector_len) len++; // the comma
        selector += len;
        selector_len -= len;
    }
    return true;
}

bool expect_series(const char *scrape, const char *selector, double *value) {
    size_t name_len = strcspn(selector, "{"), wanted_len = 0;
    const char *wanted = "";
    if (selector[name_len] == '{') {
        wanted = selector + name_len + 1;
        wanted_len = strcspn(wanted, "}");
    }
    bool found = false;
    *value = 0;
    for (const char *line = scrape; line != NULL && *line != '\0';) {
        const char *next = strchr(line, '\n');
        size_t len = next == NULL ? strlen(line) : (size_t)(next - line);
        if (strncmp(line, selector, name_len) == 0 &&
            (line[name_len] == '{' || line[name_len] == ' ')) {
            const char *labels = "", *space = line + name_len;
            size_t labels_len = 0;
            if (line[name_len] == '{') {
                labels = line + name_len + 1;
                space = memrchr(line, '}', len);
                labels_len = space == NULL ? 0 : (size_t)(space - labels);
            }
            if (space != NULL && labels_fit(wanted, wanted_len, labels, labels_len)) {
                found = true;
                *value += strtod(space + 1, NULL);
            }
        }
        line = next == NULL ? NULL : next + 1;
    }
    return found;
}
