// A device runs what the last job that touched it says. Which one was the last is told by when the
// host was started in it: a redundancy group makes jobs take turns, so no two have a host in hand
// at once. A host that failed, or that is in hand still, may run either version; one that was
// skipped in all jobs runs what it ran at first. A job without a version reads, and touches none.
#include "scenarios/runner/outcomes.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/strmap.h"
#include "scenarios/runner/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 300 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool is(const cJSON *object, const char *key, const char *value) {
    return strcmp(json_text(object, key), value) == 0;
}

static bool is_over(const cJSON *job) {
    return is(job, "state", "done");
}

static bool reads(const cJSON *job) {
    return *json_text(job, "version") == '\0';
}

static bool was_completed(const cJSON *row) {
    return is(row, "state", "changed") || is(row, "state", "unchanged");
}

// --- a job that is over, against itself

// The list of its report that a host with an outcome stands in; NULL: it has no outcome.
static const char *list_of(const cJSON *job, const cJSON *row) {
    if (was_completed(row)) return reads(job) ? "hosts" : "completed";
    if (is(row, "state", "skipped")) return reads(job) ? "failed" : "skipped";
    return is(row, "state", "failed") ? "failed" : NULL;
}

static cJSON *empty_report(const cJSON *job) {
    cJSON *report = cJSON_CreateObject();
    cJSON_AddArrayToObject(report, "failed");
    if (!reads(job)) cJSON_AddArrayToObject(report, "skipped");
    cJSON_AddArrayToObject(report, reads(job) ? "hosts" : "completed");
    return report;
}

// What devices answered is another matter: of a job that reads the names alone are compared.
static cJSON *names_of(const cJSON *report) {
    static const char *const parts[] = {"hosts", "failed"};
    cJSON *names = cJSON_CreateObject();
    const cJSON *told;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        cJSON *list = cJSON_AddArrayToObject(names, parts[i]);
        cJSON_ArrayForEach(told, get(report, parts[i]))
            cJSON_AddItemToArray(list, cJSON_CreateString(told->string));
    }
    return names;
}

static void check_report(const cJSON *job, const cJSON *wanted, struct buf *differences) {
    cJSON *told =
        reads(job) ? names_of(get(job, "report")) : cJSON_Duplicate(get(job, "report"), true);
    const bool is_same = cJSON_Compare(wanted, told, true);
    cJSON_Delete(told);
    if (is_same) return;
    char *rows = cJSON_PrintUnformatted(wanted),
         *report = cJSON_PrintUnformatted(get(job, "report"));
    expect_differ(differences, "job %s: its hosts say %.*s, and its report %.*s",
                  json_text(job, "id"), LISTED_MAX, rows, LISTED_MAX,
                  report == NULL ? "nothing" : report);
    cJSON_free(rows);
    cJSON_free(report);
}

static void check_count(const cJSON *job, const char *state, double rows, struct buf *differences) {
    const cJSON *count = get(get(job, "counts"), state);
    const double told = cJSON_IsNumber(count) ? count->valuedouble : -1;
    if (told != rows)
        expect_differ(differences, "job %s: %.0f of its hosts are %s, and its counts say %.0f",
                      json_text(job, "id"), rows, state, told);
}

static void check_counts(const cJSON *job, struct buf *differences) {
    static const char *const states[] = {"waiting",   "in_hand", "changed",
                                         "unchanged", "failed",  "skipped"};
    const cJSON *row;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        double count = 0;
        cJSON_ArrayForEach(row, get(job, "rows")) count += is(row, "state", states[i]) ? 1 : 0;
        check_count(job, states[i], count, differences);
    }
    const double rows = cJSON_GetArraySize(get(job, "rows"));
    const cJSON *hosts = get(get(job, "counts"), "hosts");
    if (!cJSON_IsNumber(hosts) || hosts->valuedouble != rows)
        expect_differ(differences, "job %s: it tells of %.0f hosts, and its counts of others",
                      json_text(job, "id"), rows);
}

static void check_one_outcome_each(const cJSON *job, struct buf *differences) {
    struct strmap seen = {0};
    const cJSON *row;
    cJSON *report = empty_report(job);
    cJSON_ArrayForEach(row, get(job, "rows")) {
        const char *list = list_of(job, row), *name = json_text(row, "name");
        if (strmap_put(&seen, name, &seen) != NULL)
            expect_differ(differences, "job %s: it tells of %s twice", json_text(job, "id"), name);
        if (list == NULL)
            expect_differ(differences, "job %s: it is over, and %s is %s", json_text(job, "id"),
                          name, json_text(row, "state"));
        else
            cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(report, list),
                                 cJSON_CreateString(name));
    }
    check_report(job, report, differences);
    strmap_deinit(&seen);
    cJSON_Delete(report);
}

// --- against what was told before

static cJSON *remember(const cJSON *job) {
    cJSON *lines = cJSON_CreateArray();
    const cJSON *row;
    cJSON_ArrayForEach(row, get(job, "rows")) {
        struct buf line = {0};
        buf_addf(&line, "%s %s", json_text(row, "name"), json_text(row, "state"));
        cJSON_AddItemToArray(lines, cJSON_CreateString(line.data));
        buf_deinit(&line);
    }
    return lines;
}

static void check_same(const char *id, const cJSON *before, const cJSON *now,
                       struct buf *differences) {
    const cJSON *was = before->child, *is_now = now->child;
    for (; was != NULL && is_now != NULL; was = was->next, is_now = is_now->next)
        if (strcmp(was->valuestring, is_now->valuestring) != 0)
            expect_differ(differences, "job %s: it was over, and said: %s; now it says: %s", id,
                          was->valuestring, is_now->valuestring);
    if (was != NULL || is_now != NULL)
        expect_differ(differences, "job %s: it was over, and has other hosts now", id);
}

static void check_memory(const struct outcomes *o, struct buf *differences) {
    const cJSON *job, *before;
    struct strmap told = {0};
    cJSON_ArrayForEach(job, o->jobs) {
        strmap_put(&told, json_text(job, "id"), &told);
        if (!is_over(job)) continue;
        before = get(o->memory, json_text(job, "id"));
        cJSON *now = remember(job);
        if (before != NULL) check_same(json_text(job, "id"), before, now, differences);
        cJSON_DeleteItemFromObjectCaseSensitive(o->memory, json_text(job, "id"));
        cJSON_AddItemToObject(o->memory, json_text(job, "id"), now);
    }
    cJSON_ArrayForEach(before, o->memory) {
        if (strmap_get(&told, before->string) != NULL) continue;
        if (!o->may_forget)
            expect_differ(differences, "job %s: it was over, and is told of no more",
                          before->string);
    }
    strmap_deinit(&told);
}

// --- against the devices

struct verdict { // of the last job that touched a device
    const char *job, *started;
    const char *version; // NULL: it may run this or that
};

// Later than any moment.
static const char no_end[] = "~";

static struct verdict judge(const struct outcomes *o, const cJSON *job, const cJSON *row) {
    const char *started = json_text(row, "started");
    const bool is_known =
        *started != '\0' && strcmp(started, o->since) >= 0 && !is(row, "state", "in_hand");
    return (struct verdict){.job = json_text(job, "id"),
                            .started = is_known ? started : no_end,
                            .version =
                                is_known && was_completed(row) ? json_text(job, "version") : NULL};
}

static void take(struct verdict *last, const struct verdict *verdict) {
    const int order = strcmp(verdict->started, last->started);
    if (order > 0)
        *last = *verdict;
    else if (order == 0) // within a millisecond
        last->version = NULL;
}

// The verdicts, one for each row at most.
static struct verdict *judge_all(const struct outcomes *o, struct strmap *by_host) {
    const cJSON *job, *row;
    size_t rows = 1, count = 0;
    cJSON_ArrayForEach(job, o->jobs) rows += (size_t)cJSON_GetArraySize(get(job, "rows"));
    struct verdict *verdicts = mem_array(rows, sizeof *verdicts);
    cJSON_ArrayForEach(job, o->jobs) {
        if (reads(job) || (is_over(job) && strcmp(json_text(job, "ended"), o->since) < 0)) continue;
        cJSON_ArrayForEach(row, get(job, "rows")) {
            if (is(row, "state", "waiting") || is(row, "state", "skipped")) continue;
            verdicts[count] = judge(o, job, row);
            struct verdict *last = strmap_put(by_host, json_text(row, "name"), &verdicts[count]);
            if (last == NULL)
                count++;
            else
                take(last, &verdicts[count]);
        }
    }
    return verdicts;
}

static void check_device(const cJSON *device, const struct verdict *last, const cJSON *born,
                         struct buf *differences) {
    const char *name = json_text(device, "name"), *runs = json_text(device, "version");
    if (last != NULL && last->version != NULL && strcmp(last->version, runs) != 0)
        expect_differ(differences, "job %s says that %s runs %s; it runs %s", last->job, name,
                      last->version, runs);
    if (last == NULL && born != NULL && strcmp(json_text(born, "version"), runs) != 0)
        expect_differ(differences, "no job says that it touched %s, which ran %s; it runs %s", name,
                      json_text(born, "version"), runs);
}

static void check_devices(const struct outcomes *o, struct buf *differences) {
    struct strmap by_host = {0};
    const cJSON *device, *born = o->born == NULL ? NULL : o->born->child;
    struct verdict *verdicts = judge_all(o, &by_host);
    cJSON_ArrayForEach(device, o->devices) {
        check_device(device, strmap_get(&by_host, json_text(device, "name")), born, differences);
        if (born != NULL) born = born->next; // the network's order stays
    }
    strmap_deinit(&by_host);
    free(verdicts);
}

void outcomes_check(const struct outcomes *o, struct buf *differences) {
    const cJSON *job;
    cJSON_ArrayForEach(job, o->jobs) {
        if (!is_over(job)) continue;
        check_one_outcome_each(job, differences);
        check_counts(job, differences);
    }
    check_memory(o, differences);
    if (o->devices != NULL) check_devices(o, differences);
}
