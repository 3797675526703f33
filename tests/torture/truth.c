#include "tests/torture/truth.h"

#include "common/client.h"
#include "common/count.h"
#include "common/json.h"
#include "common/strmap.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 1000, PATH_LEN = 512 };

static const char *const outcomes[] = {"changed", "unchanged", "failed", "skipped"};
enum { CHANGED, UNCHANGED, FAILED, SKIPPED, OUTCOMES };
_Static_assert(OUTCOMES == COUNT(outcomes), "each has its name");

struct check {
    const char *api, *admin, *id, *version;
    cJSON *job, *pages, *report, *devices, *audit; // answers, as they came
    struct strmap states;                          // host to its outcome's name, of outcomes[]
    size_t counts[OUTCOMES];
    struct buf why;
};

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(get(object, key));
    return text == NULL ? "" : text;
}

// --- the hosts of the job

static int take_host(struct check *c, const cJSON *row, struct error *err) {
    const char *name = text_of(row, "name"), *state = text_of(row, "state");
    const char *error = text_of(row, "error"), *skipped = text_of(row, "skipped_because");
    if (*error != '\0' || *skipped != '\0')
        buf_addf(&c->why, "  %s %s: %s%s\n", name, state, error, skipped);
    for (size_t i = 0; i < OUTCOMES; i++) {
        if (strcmp(state, outcomes[i]) != 0) continue;
        c->counts[i]++;
        if (strmap_put(&c->states, name, (void *)(uintptr_t)outcomes[i]) == NULL) return 0;
        return error_set(err, "%s is listed twice", name);
    }
    return error_set(err, "%s is %s, and the job is done", name, state);
}

// The pages are kept, whose strings the map borrows.
static int take_page(struct check *c, const char *after, const cJSON **hosts, struct error *err) {
    char path[PATH_LEN];
    cJSON *page = NULL;
    snprintf(path, sizeof path, "/jobs/%s/hosts/?limit=%d%s%s", c->id, PAGE,
             *after == '\0' ? "" : "&after=", after);
    int rc = client_get_json(c->api, NULL, path, &page, err);
    if (rc != 0) return rc;
    cJSON_AddItemToArray(c->pages, page);
    *hosts = get(page, "hosts");
    const cJSON *row;
    cJSON_ArrayForEach(row, *hosts) {
        if (rc == 0) rc = take_host(c, row, err);
    }
    return rc;
}

static int take_hosts(struct check *c, struct error *err) {
    const char *after = "";
    const cJSON *hosts;
    int rc;
    c->pages = cJSON_CreateArray();
    while ((rc = take_page(c, after, &hosts, err)) == 0 && cJSON_GetArraySize(hosts) > 0)
        after = text_of(cJSON_GetArrayItem(hosts, cJSON_GetArraySize(hosts) - 1), "name");
    return rc;
}

// --- the job itself, and its report

static int check_count(const struct check *c, const char *what, size_t expected,
                       struct error *err) {
    const cJSON *count = get(get(c->job, "counts"), what);
    if (count != NULL && count->valuedouble == (double)expected) return 0;
    return error_set(err, "it counts %.0f %s, and %zu are", count == NULL ? -1 : count->valuedouble,
                     what, expected);
}

static int check_job(struct check *c, struct error *err) {
    char path[PATH_LEN];
    snprintf(path, sizeof path, "/jobs/%s/", c->id);
    int rc = client_get_json(c->api, NULL, path, &c->job, err);
    if (rc != 0) return rc;
    if (strcmp(text_of(c->job, "state"), "done") != 0)
        return error_set(err, "it is %s, and a client was told that it is over",
                         text_of(c->job, "state"));
    rc = check_count(c, "hosts", c->states.count, err);
    for (size_t i = 0; i < OUTCOMES && rc == 0; i++)
        rc = check_count(c, outcomes[i], c->counts[i], err);
    if (rc == 0) rc = check_count(c, "waiting", 0, err);
    if (rc == 0) rc = check_count(c, "in_hand", 0, err);
    return rc;
}

static bool is_listed_as(const char *state, const char *list) {
    if (strcmp(list, "completed") != 0) return strcmp(state, list) == 0;
    return state == outcomes[CHANGED] || state == outcomes[UNCHANGED];
}

static int check_list(const struct check *c, const char *list, struct error *err) {
    const cJSON *host;
    cJSON_ArrayForEach(host, get(c->report, list)) {
        const char *state = strmap_get(&c->states, host->valuestring);
        if (state == NULL || !is_listed_as(state, list))
            return error_set(err, "its report says %s of %s, which is %s", list, host->valuestring,
                             state == NULL ? "none of its hosts" : state);
    }
    return 0;
}

// As many in the lists as there are hosts, each where it belongs: so each is there once, unless one
// is there twice in the place of another.
static int check_report(struct check *c, struct error *err) {
    static const char *const lists[] = {"completed", "failed", "skipped"};
    char path[PATH_LEN];
    struct strmap seen = {0};
    const cJSON *host;
    snprintf(path, sizeof path, "/jobs/%s/report/", c->id);
    int rc = client_get_json(c->api, NULL, path, &c->report, err);
    for (size_t i = 0; i < COUNT(lists) && rc == 0; i++) {
        rc = check_list(c, lists[i], err);
        cJSON_ArrayForEach(host, get(c->report, lists[i])) {
            strmap_put(&seen, host->valuestring, (void *)(uintptr_t)lists[i]);
        }
    }
    if (rc == 0 && seen.count != c->states.count)
        rc = error_set(err, "its report has %zu of its %zu hosts", seen.count, c->states.count);
    strmap_deinit(&seen);
    return rc;
}

// --- the devices

static int check_device(const struct check *c, const cJSON *device, struct error *err) {
    const char *name = text_of(device, "name"), *runs = text_of(device, "version");
    const char *state = strmap_get(&c->states, name);
    if (state == NULL) return error_set(err, "%s is no host of it", name);
    const bool has_changed = strcmp(runs, c->version) == 0;
    const bool is_said = state == outcomes[CHANGED] || state == outcomes[UNCHANGED];
    if (has_changed == is_said) return 0;
    return error_set(err, "%s is %s, and runs %s", name, state, runs);
}

static int check_devices(struct check *c, struct error *err) {
    const cJSON *device;
    int rc = client_get_json(c->admin, NULL, "/devices/", &c->devices, err);
    cJSON_ArrayForEach(device, get(c->devices, "devices")) {
        if (rc == 0) rc = check_device(c, device, err);
    }
    const size_t count = (size_t)cJSON_GetArraySize(get(c->devices, "devices"));
    if (rc == 0 && count != c->states.count)
        rc = error_set(err, "it has %zu hosts of %zu devices", c->states.count, count);
    return rc;
}

static int check_audit(struct check *c, struct error *err) {
    int rc = client_get_json(c->admin, NULL, "/audit/?violations", &c->audit, err);
    const cJSON *violations = get(c->audit, "violations");
    if (rc != 0 || cJSON_GetArraySize(violations) == 0) return rc;
    char *text = cJSON_PrintUnformatted(cJSON_GetArrayItem(violations, 0));
    rc = error_set(err, "the referee saw %d violations, the first: %s",
                   cJSON_GetArraySize(violations), text);
    cJSON_free(text);
    return rc;
}

static void tell(struct check *c, struct truth *truth) {
    *truth = (struct truth){.hosts = c->states.count,
                            .changed = c->counts[CHANGED],
                            .unchanged = c->counts[UNCHANGED],
                            .failed = c->counts[FAILED],
                            .skipped = c->counts[SKIPPED],
                            .why = c->why};
    c->why = (struct buf){0};
}

int truth_check(const char *api, const char *admin, const char *id, const char *version,
                struct truth *truth, struct error *err) {
    struct check c = {.api = api, .admin = admin, .id = id, .version = version};
    int rc = take_hosts(&c, err);
    if (rc == 0) rc = check_job(&c, err);
    if (rc == 0) rc = check_report(&c, err);
    if (rc == 0) rc = check_devices(&c, err);
    if (rc == 0) rc = check_audit(&c, err);
    if (rc == 0) tell(&c, truth);
    if (rc != 0) error_from(err, "job %s", id);
    buf_deinit(&c.why);
    strmap_deinit(&c.states);
    cJSON_Delete(c.job);
    cJSON_Delete(c.pages);
    cJSON_Delete(c.report);
    cJSON_Delete(c.devices);
    cJSON_Delete(c.audit);
    return rc;
}
