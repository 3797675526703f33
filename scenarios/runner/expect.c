#include "scenarios/runner/expect.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"

#include <fnmatch.h>
#include <limits.h>
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

// The first that is there and no number, or NULL.
static const cJSON *find_no_number(const cJSON *const *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] != NULL && !cJSON_IsNumber(values[i])) return values[i];
    return NULL;
}

void expect_number(const cJSON *expected, double got, const char *what, struct buf *differences) {
    const cJSON *least = get(expected, "at_least"), *most = get(expected, "at_most");
    const cJSON *const numbers[] = {cJSON_IsObject(expected) ? NULL : expected, least, most};
    const cJSON *wrong = find_no_number(numbers, COUNT(numbers));
    if (wrong != NULL) { // a ${name} in JSON, of which no schema says what it must be
        expect_differ(differences, "%s: it is compared with a number, not with %s", what,
                      json_type_name(wrong));
        return;
    }
    if (cJSON_IsNumber(expected) && got != expected->valuedouble)
        expect_differ(differences, "%s: expected %.15g, is %.15g", what, expected->valuedouble,
                      got);
    if (least != NULL && got < least->valuedouble)
        expect_differ(differences, "%s: expected at least %.15g, is %.15g", what,
                      least->valuedouble, got);
    if (most != NULL && got > most->valuedouble)
        expect_differ(differences, "%s: expected at most %.15g, is %.15g", what, most->valuedouble,
                      got);
}

// --- paths into JSON

const cJSON *expect_find(const cJSON *json, const char *path) {
    if (strncmp(path, "$.", 2) == 0) path += 2;
    while (json != NULL && *path != '\0') {
        if (*path == '[') {
            char *end;
            long index = strtol(path + 1, &end, 10);
            if (end == path + 1 || *end != ']' || index < 0 || index > INT_MAX) return NULL;
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

static void check_condition(const cJSON *expected, const cJSON *got, const char *path,
                            struct buf *differences) {
    const cJSON *count = get(expected, "count");
    bool compares = get(expected, "at_least") != NULL || get(expected, "at_most") != NULL;
    if (count != NULL && !cJSON_IsArray(got) && !cJSON_IsObject(got))
        expect_differ(differences, "%s: expected an array or an object, is %s", path,
                      json_type_name(got));
    else if (count != NULL)
        expect_number(count, cJSON_GetArraySize(got), path, differences);
    if (compares && !cJSON_IsNumber(got))
        expect_differ(differences, "%s: expected a number, is %s", path, json_type_name(got));
    else if (compares)
        expect_number(expected, got->valuedouble, path, differences);
}

static void check_value(const cJSON *expected, const cJSON *got, const char *path,
                        struct buf *differences) {
    if (cJSON_IsTrue(get(expected, "absent"))) {
        if (got != NULL) expect_differ(differences, "%s: it exists, but should not", path);
        return;
    }
    if (got == NULL) {
        expect_differ(differences, "%s: missing", path);
        return;
    }
    if (cJSON_IsObject(expected) && is_condition(expected)) {
        check_condition(expected, got, path, differences);
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
    static const char *const texts[] = {"version", "state"};
    static const char *const numbers[] = {"logins", "installs", "epoch"};
    const char *name = get(device, "name")->valuestring;
    char what[320];
    for (size_t i = 0; i < COUNT(texts); i++) {
        const cJSON *wanted = get(expected, texts[i]);
        snprintf(what, sizeof what, "%s: %s", name, texts[i]);
        if (wanted != NULL) check_value(wanted, get(device, texts[i]), what, differences);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const cJSON *wanted = get(expected, numbers[i]), *is = get(device, numbers[i]);
        snprintf(what, sizeof what, "%s: %s", name, numbers[i]);
        if (wanted != NULL)
            expect_number(wanted, is == NULL ? 0 : is->valuedouble, what, differences);
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

// Which violation fits which that is expected: as many as can be paired, whatever their order.
struct pairing {
    const cJSON *wanted, *got;
    int *of_got; // for each of got which of wanted it is paired with, or -1
    bool *tried; // of got
};

// A violation for that one of wanted; one that is taken may make way, where another fits its own.
static bool pair(struct pairing *p, int wanted) {
    const cJSON *one;
    int i = -1;
    cJSON_ArrayForEach(one, p->got) {
        if (p->tried[++i] || !same_violation(cJSON_GetArrayItem(p->wanted, wanted), one)) continue;
        p->tried[i] = true;
        if (p->of_got[i] >= 0 && !pair(p, p->of_got[i])) continue;
        p->of_got[i] = wanted;
        return true;
    }
    return false;
}

static void check_violations(const cJSON *expected, const cJSON *got, struct buf *differences) {
    const size_t count = (size_t)cJSON_GetArraySize(got);
    struct pairing p = {.wanted = expected,
                        .got = got,
                        .of_got = mem_array(count + 1, sizeof *p.of_got),
                        .tried = mem_array(count + 1, sizeof *p.tried)};
    const cJSON *one;
    int i = 0;
    for (size_t n = 0; n < count; n++)
        p.of_got[n] = -1;
    cJSON_ArrayForEach(one, expected) {
        memset(p.tried, 0, count * sizeof *p.tried);
        if (!pair(&p, i++)) name_violation(one, "the referee did not see", differences);
    }
    i = 0;
    cJSON_ArrayForEach(one, got) {
        if (p.of_got[i++] < 0) name_violation(one, "the referee saw", differences);
    }
    free(p.of_got);
    free(p.tried);
}

void expect_audit(const cJSON *expected, const cJSON *audit, struct buf *differences) {
    const cJSON *violations = get(audit, "violations"), *one, *kind;
    const cJSON *allow = get(expected, "allow"), *wanted = get(expected, "violations");
    const cJSON *lost = get(audit, "violations_not_kept");
    static const char *const numbers[] = {"max_in_flight", "max_installing"};
    if (lost != NULL && (allow != NULL || wanted != NULL))
        expect_differ(differences, "the referee saw %.0f violations more, which it did not keep",
                      lost->valuedouble);
    if (wanted != NULL) check_violations(wanted, violations, differences);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const cJSON *most = get(expected, numbers[i]);
        if (most != NULL)
            expect_number(most, get(audit, numbers[i])->valuedouble, numbers[i], differences);
    }
    if (allow == NULL) return;
    cJSON_ArrayForEach(one, violations) {
        bool allowed = false;
        cJSON_ArrayForEach(kind, allow) allowed =
            allowed || strcmp(kind->valuestring, get(one, "kind")->valuestring) == 0;
        if (!allowed) name_violation(one, "the referee saw", differences);
    }
}

// --- the log

// "INFO:2020-06-09 20:23:10,331:<uuid>:message" is "INFO:message" here, in text; message is within
// it. An object of a log in JSON is taken whole. False: it is no such line.
static bool read_line(const char *line, size_t len, struct buf *text, const char **message) {
    enum { STAMP = 24, ID = 37 }; // with the colon behind each
    const char *colon = memchr(line, ':', len);
    buf_clear(text);
    if (len > 0 && line[0] == '{') {
        buf_add(text, line, len);
        *message = text->data;
        return true;
    }
    if (colon == NULL || len - (size_t)(colon + 1 - line) < STAMP + ID) return false;
    buf_add(text, line, (size_t)(colon + 1 - line));
    buf_add(text, colon + 1 + STAMP + ID, len - (size_t)(colon + 1 - line) - STAMP - ID);
    *message = text->data + (colon + 1 - line);
    return true;
}

static bool line_fits(const char *pattern, const char *line, size_t len) {
    struct buf text = {0};
    const char *message;
    bool fits = read_line(line, len, &text, &message) &&
                (expect_fits(pattern, message) || expect_fits(pattern, text.data));
    buf_deinit(&text);
    return fits;
}

// How many characters two texts share at their beginnings and at their ends.
static size_t likeness(const char *a, const char *b) {
    size_t a_len = strlen(a), b_len = strlen(b), least = a_len < b_len ? a_len : b_len;
    size_t head = 0, tail = 0;
    while (head < least && a[head] == b[head])
        head++;
    while (head + tail < least && a[a_len - tail - 1] == b[b_len - tail - 1])
        tail++;
    return head + tail;
}

// The line that is most like the pattern, as read_line() gives it; empty where none is.
static void find_nearest(const char *pattern, const char *log, struct buf *nearest) {
    struct buf text = {0};
    size_t best = strlen(pattern) / 2; // what shares less is another line
    for (const char *line = log; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *message;
        if (read_line(line, len, &text, &message)) {
            size_t whole = likeness(pattern, text.data), part = likeness(pattern, message);
            size_t like = whole > part ? whole : part;
            if (like > best) {
                best = like;
                buf_clear(nearest);
                buf_add(nearest, text.data, text.len);
            }
        }
        line += len + (line[len] == '\n');
    }
    buf_deinit(&text);
}

static void tell_missing(const char *what, const char *pattern, const char *log,
                         struct buf *differences) {
    struct buf nearest = {0};
    find_nearest(pattern, log, &nearest);
    expect_differ(differences, "%s: %s", what, pattern);
    if (nearest.len > 0) expect_differ(differences, "the nearest that it has: %s", nearest.data);
    buf_deinit(&nearest);
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
            tell_missing("the log has no line", pattern->valuestring, log, differences);
    }
    cJSON_ArrayForEach(pattern, get(expected, "lacks")) {
        found = find_line(pattern->valuestring, log, &end);
        if (found != NULL)
            expect_differ(differences, "the log has a line that it should not have: %.*s",
                          (int)strcspn(found, "\n"), found);
    }
    end = log;
    cJSON_ArrayForEach(pattern, get(expected, "order")) {
        if (find_line(pattern->valuestring, end, &end) != NULL) continue;
        tell_missing("the log has no such line after the one before it", pattern->valuestring, end,
                     differences);
        return;
    }
}
