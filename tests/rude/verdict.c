#include "tests/rude/verdict.h"

#include "common/client.h"
#include "common/count.h"
#include "common/file.h"
#include "common/json.h"
#include "common/strmap.h"
#include "tests/rude/client_kinds.h"
#include "tests/rude/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LEN = 256 };

static const struct device_kind *kind_of(const char *host) {
    const char *dot = strrchr(host, '.');
    if (dot == NULL || strcmp(dot + 1, DEVICE_SITE) != 0) return NULL;
    for (size_t i = 0; i < device_kinds_count; i++)
        if (strlen(device_kinds[i].name) == (size_t)(dot - host) &&
            strncmp(device_kinds[i].name, host, (size_t)(dot - host)) == 0)
            return &device_kinds[i];
    return NULL;
}

// What the API says of the job.
static int get(const struct verdict *v, const char *what, cJSON **out, struct error *err) {
    char path[PATH_LEN];
    snprintf(path, sizeof path, "/jobs/%s/%s", v->job, what);
    return client_get_json(v->api, NULL, path, out, err);
}

// --- the hosts of the job

static int check_text(const struct device_kind *kind, const char *host, const char *text,
                      const char *where, struct error *err) {
    if (device_may_say(kind, text)) return 0;
    return error_set(err, "%s: %s says \"%.200s\", not \"%.150s\"", host, where, text,
                     kind->says[0]);
}

static int check_host(const cJSON *row, struct error *err) {
    const char *name = json_text(row, "name"), *state = json_text(row, "state");
    const struct device_kind *kind = kind_of(name);
    const bool is_completed = strcmp(state, "changed") == 0 || strcmp(state, "unchanged") == 0;
    if (kind != NULL && strcmp(state, "failed") == 0)
        return check_text(kind, name, json_text(row, "error"), "the job", err);
    if (is_completed && (kind == NULL || device_is_completed(kind))) return 0;
    return error_set(err, "%s is %s: %.200s%.200s", name, state, json_text(row, "error"),
                     json_text(row, "skipped_because"));
}

static int check_hosts(const struct verdict *v, struct error *err) {
    cJSON *page = NULL;
    const cJSON *row;
    int rc = get(v, "hosts/?limit=1000", &page, err);
    const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(page, "hosts");
    const size_t count = (size_t)cJSON_GetArraySize(hosts), all = v->good + device_kinds_count;
    if (rc == 0 && count != all) rc = error_set(err, "the job has %zu hosts of %zu", count, all);
    cJSON_ArrayForEach(row, hosts) {
        if (rc == 0) rc = check_host(row, err);
    }
    cJSON_Delete(page);
    return rc;
}

// --- its report: each host once, where it belongs

static int check_list(const cJSON *report, const char *list, struct strmap *seen,
                      struct error *err) {
    const cJSON *host;
    cJSON_ArrayForEach(host, cJSON_GetObjectItemCaseSensitive(report, list)) {
        const char *name = cJSON_GetStringValue(host);
        const struct device_kind *kind = kind_of(name);
        const bool completed = kind == NULL || device_is_completed(kind);
        if (strcmp(list, completed ? "completed" : "failed") != 0)
            return error_set(err, "the report says %s of %s", list, name);
        if (strmap_put(seen, name, (void *)(uintptr_t)list) != NULL)
            return error_set(err, "the report has %s twice", name);
    }
    return 0;
}

static int check_report(const struct verdict *v, struct error *err) {
    static const char *const lists[] = {"completed", "failed", "skipped"};
    struct strmap seen = {0};
    cJSON *report = NULL;
    int rc = get(v, "report/", &report, err);
    for (size_t i = 0; i < COUNT(lists) && rc == 0; i++)
        rc = check_list(report, lists[i], &seen, err);
    if (rc == 0 && seen.count != v->good + device_kinds_count)
        rc = error_set(err, "the report has %zu hosts of %zu", seen.count,
                       v->good + device_kinds_count);
    strmap_deinit(&seen);
    cJSON_Delete(report);
    return rc;
}

// --- the devices that behave

static int check_devices(const struct verdict *v, struct error *err) {
    cJSON *devices = NULL;
    const cJSON *device;
    int rc = client_get_json(v->admin, NULL, "/devices/", &devices, err);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(devices, "devices");
    if (rc == 0 && (size_t)cJSON_GetArraySize(list) != v->good)
        rc = error_set(err, "there are %d devices, not %zu", cJSON_GetArraySize(list), v->good);
    cJSON_ArrayForEach(device, list) {
        if (rc == 0 && strcmp(json_text(device, "version"), DEVICE_WANTED) != 0)
            rc = error_set(err, "%s runs %s", json_text(device, "name"),
                           json_text(device, "version"));
    }
    cJSON_Delete(devices);
    return rc;
}

static int check_referee(const struct verdict *v, struct error *err) {
    cJSON *audit = NULL;
    int rc = client_get_json(v->admin, NULL, "/audit/?violations", &audit, err);
    const cJSON *violations = cJSON_GetObjectItemCaseSensitive(audit, "violations");
    if (rc == 0 && cJSON_GetArraySize(violations) > 0) {
        char *text = cJSON_PrintUnformatted(cJSON_GetArrayItem(violations, 0));
        rc = error_set(err, "the referee saw %d violations, the first: %.300s",
                       cJSON_GetArraySize(violations), text);
        cJSON_free(text);
    }
    cJSON_Delete(audit);
    return rc;
}

// --- the log: LEVEL:DATE HH:MM:SS,MMM:JOB:completed host:NAME:TEXT

enum { COLONS = 4 }; // before the job

static int check_line(char *line, const char *job, struct strmap *told, struct error *err) {
    static const char completed[] = ":completed host:";
    char *what = line;
    for (int i = 0; i < COLONS && what != NULL; i++) {
        what = strchr(what, ':');
        if (what != NULL) what++;
    }
    if (what == NULL || strncmp(what, job, strlen(job)) != 0) return 0;
    what += strlen(job);
    if (strncmp(what, completed, sizeof completed - 1) != 0) return 0;
    char *name = what + sizeof completed - 1, *text = strchr(name, ':');
    if (text == NULL) return error_set(err, "the log has a line without a text: %.300s", line);
    *text++ = '\0';
    if (strmap_put(told, name, name) != NULL)
        return error_set(err, "the log says twice that %s is completed", name);
    const struct device_kind *kind = kind_of(name);
    return kind == NULL ? 0 : check_text(kind, name, text, "the log", err);
}

static int check_lines(char *log, const char *job, size_t hosts, struct error *err) {
    struct strmap told = {0};
    char *rest = log, *line;
    int rc = 0;
    while (rc == 0 && (line = strsep(&rest, "\n")) != NULL)
        rc = check_line(line, job, &told, err);
    if (rc == 0 && told.count != hosts)
        rc = error_set(err, "the log tells of %zu hosts of %zu", told.count, hosts);
    strmap_deinit(&told);
    return rc;
}

static int check_log(const struct verdict *v, struct error *err) {
    struct buf log = {0};
    int rc = file_read(v->log, &log, err);
    for (size_t i = 0; i < client_kinds_count && rc == 0; i++)
        if (client_kinds[i].log != NULL && strstr(log.data, client_kinds[i].log) == NULL)
            rc = error_set(err, "of the client that %s the log does not say \"%s\"",
                           client_kinds[i].name, client_kinds[i].log);
    if (rc == 0) rc = check_lines(log.data, v->job, v->good + device_kinds_count, err);
    buf_deinit(&log);
    return rc;
}

int verdict_check(const struct verdict *v, struct error *err) {
    int rc = check_hosts(v, err);
    if (rc == 0) rc = check_report(v, err);
    if (rc == 0) rc = check_devices(v, err);
    if (rc == 0) rc = check_referee(v, err);
    return rc == 0 ? check_log(v, err) : rc;
}

int verdict_check_stderr(const char *path, struct error *err) {
    static const char *const wrong[] = {"ERROR:", "abort", "Assertion", "runtime error"};
    struct buf said = {0};
    int rc = file_read(path, &said, err);
    for (size_t i = 0; i < COUNT(wrong) && rc == 0 && said.len > 0; i++)
        if (strstr(said.data, wrong[i]) != NULL)
            rc = error_set(err, "%s: %.400s", path, strstr(said.data, wrong[i]));
    buf_deinit(&said);
    return rc;
}
