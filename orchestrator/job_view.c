// Rows are written straight into the text: a page of a large job is a matter of microseconds, and
// the loop that does it drives devices, too.
#include "orchestrator/job_view.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/suggest.h"
#include "common/timestamp.h"

#include <stdlib.h>
#include <string.h>

const char *const job_state_names[JOB_DONE + 1] = {
    [JOB_WAITING] = "waiting",       [JOB_RUNNING] = "running", [JOB_PAUSED] = "paused",
    [JOB_CANCELLING] = "cancelling", [JOB_DONE] = "done",
};

const char *const job_outcome_names[JOB_STOPPED + 1] = {
    [JOB_COMPLETED] = "completed",
    [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled",
    [JOB_STOPPED] = "stopped",
};

// --- values; each after its key

void job_view_add_text(struct buf *out, const char *key, const char *text) {
    buf_addf(out, ", \"%s\": ", key);
    if (text == NULL)
        buf_adds(out, "null");
    else
        buf_add_json(out, text);
}

static void add_number(struct buf *out, const char *key, uint64_t number) {
    buf_addf(out, ", \"%s\": ", key);
    buf_add_uint(out, number);
}

static void add_time(struct buf *out, const char *key, long long wall_ms) { // 0, or none: null
    char text[TIMESTAMP_MAX];
    timestamp_format(wall_ms, text);
    job_view_add_text(out, key, wall_ms > 0 ? text : NULL);
}

// JSON as somebody sent it, on one line: without the white space between its words.
static void add_json(struct buf *out, const char *key, const char *json) {
    bool in_string = false;
    buf_addf(out, ", \"%s\": ", key);
    buf_reserve(out, strlen(json));
    for (const char *c = json; *c != '\0'; c++) {
        if (!in_string && strchr(" \t\r\n", *c) != NULL) continue;
        if (*c == '"') in_string = !in_string;
        buf_add(out, c, 1);
        if (in_string && *c == '\\' && c[1] != '\0') buf_add(out, ++c, 1);
    }
}

// --- a job

struct facts {
    const char *id, *task, *request, *version, *why;
    enum job_state state;
    enum job_outcome outcome;
    long long created_ms, started_ms, ended_ms;
    uint64_t hosts, counts[HOST_STATES];
};

static void write_counts(struct buf *out, const struct facts *f) {
    buf_adds(out, ", \"counts\": {\"hosts\": ");
    buf_add_uint(out, f->hosts);
    for (int state = 0; state < HOST_STATES; state++)
        add_number(out, host_state_names[state], f->counts[state]);
    buf_adds(out, "}");
}

// By a brake, which says what it is: job_stop_write(). That of a row may say anything.
static void write_stopped_by(struct buf *out, const struct facts *f) {
    cJSON *why = NULL;
    struct error err;
    if (f->outcome != JOB_STOPPED)
        job_view_add_text(out, "stopped_by", NULL);
    else if (f->why != NULL && json_parse(f->why, strlen(f->why), &why, &err) == 0)
        add_json(out, "stopped_by", f->why);
    else
        buf_adds(out, ", \"stopped_by\": {\"reason\": \"\", \"host\": null}");
    cJSON_Delete(why);
}

static void write_job(struct buf *out, const struct facts *f) {
    buf_adds(out, "{\"id\": ");
    buf_add_json(out, f->id);
    job_view_add_text(out, "task", f->task);
    job_view_add_text(out, "state", job_state_names[f->state]);
    job_view_add_text(out, "outcome", f->state == JOB_DONE ? job_outcome_names[f->outcome] : NULL);
    add_json(out, "request", f->request);
    add_time(out, "created", f->created_ms);
    add_time(out, "started", f->started_ms);
    add_time(out, "ended", f->ended_ms);
    write_counts(out, f);
    write_stopped_by(out, f);
    job_view_add_text(out, "version", f->version);
    if (f->state == JOB_WAITING) job_view_add_text(out, "waiting_for", f->why);
    if (f->state == JOB_PAUSED && f->why != NULL) job_view_add_text(out, "paused_because", f->why);
    buf_adds(out, "}");
}

void job_view_write(struct buf *out, const struct job *job) {
    struct facts f = {
        .id = job->id,
        .task = job->task->name,
        .request = job->request,
        .version = job->args.version[0] == '\0' ? NULL : job->args.version,
        .why = job->why,
        .state = job->state,
        .outcome = job->outcome,
        .created_ms = job->created_ms,
        .started_ms = job->started_ms,
        .ended_ms = job->ended_ms,
        .hosts = job->selection.count,
    };
    for (int state = 0; state < HOST_STATES; state++)
        f.counts[state] = job->counts[state];
    write_job(out, &f);
}

static void count_row(struct facts *f, const struct store_job *row) {
    uint64_t over = 0;
    f->hosts = row->hosts;
    for (int state = HOST_IN_HAND + 1; state < HOST_STATES; state++) {
        f->counts[state] = row->results[state];
        over += row->results[state];
    }
    f->counts[HOST_WAITING] = over < row->hosts ? row->hosts - over : 0;
}

// A row that was spoilt is shown as far as it can be.
void job_view_write_row(struct buf *out, const struct store_job *row) {
    struct facts f = {
        .id = row->id == NULL ? "" : row->id,
        .task = row->task,
        .request = "null",
        .why = row->text,
        .state = row->state <= JOB_DONE ? row->state : 0,
        .outcome = row->outcome <= JOB_STOPPED ? row->outcome : JOB_NO_OUTCOME,
        .created_ms = row->created_ms,
        .started_ms = row->started_ms,
        .ended_ms = row->ended_ms,
    };
    cJSON *request = NULL;
    struct error err;
    if (row->request != NULL && json_parse(row->request, strlen(row->request), &request, &err) == 0)
        f.request = row->request;
    f.version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "version"));
    count_row(&f, row);
    write_job(out, &f);
    cJSON_Delete(request);
}

// --- what is asked for

static int in_parameter(const char *name, struct error *err) {
    error_in(err, "%s", name);
    return ERROR_INPUT;
}

int job_page_limit(const char *limit, size_t *out, struct error *err) {
    size_t number = 0;
    *out = JOB_PAGE_LIMIT;
    if (limit == NULL) return 0;
    const size_t digits = strspn(limit, "0123456789");
    if (digits > 0 && digits <= 4 && limit[digits] == '\0') number = strtoul(limit, NULL, 10);
    if (number == 0 || number > JOB_PAGE_LIMIT_MAX) {
        error_set(err, "'%.40s' is none; expected a number from 1 to %d", limit,
                  JOB_PAGE_LIMIT_MAX);
        return in_parameter("limit", err);
    }
    *out = number;
    return 0;
}

// The number of a state, by its name among those known.
static int find_state(const char *state, const char *const *names, size_t count, size_t *out,
                      struct error *err) {
    struct buf known = {0};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], state) == 0) {
            *out = i;
            buf_deinit(&known);
            return 0;
        }
        buf_addf(&known, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    const char *nearest = suggest(state, names, count);
    error_set(err, "there is no state '%.40s'; %s %s", state,
              nearest == NULL ? "known are:" : "did you mean",
              nearest == NULL ? known.data : nearest);
    buf_deinit(&known);
    return in_parameter("state", err);
}

int job_page_state(const char *state, enum job_state *out, struct error *err) {
    size_t number = 0;
    *out = 0;
    if (state == NULL) return 0;
    int rc = find_state(state, job_state_names + 1, COUNT(job_state_names) - 1, &number, err);
    if (rc == 0) *out = (enum job_state)(number + 1);
    return rc;
}

static int find_after(const struct job *job, const char *after, size_t *from, struct error *err) {
    for (size_t i = 0; i < job->selection.count; i++)
        if (strcmp(job->inventory->hosts[job->selection.hosts[i]].name, after) == 0) {
            *from = i + 1;
            return 0;
        }
    error_set(err, "the job has no host '%.100s'", after);
    return in_parameter("after", err);
}

int job_page_parse(const struct job *job, const char *state, const char *after, const char *limit,
                   struct job_page *page, struct error *err) {
    struct job_page p = {.any_state = state == NULL};
    size_t number = HOST_WAITING;
    int rc = job_page_limit(limit, &p.limit, err);
    if (rc == 0 && state != NULL)
        rc = find_state(state, host_state_names, HOST_STATES, &number, err);
    if (rc == 0 && after != NULL) rc = find_after(job, after, &p.from, err);
    if (rc != 0) return rc;
    p.state = (enum host_state)number;
    *page = p;
    return 0;
}

// --- hosts

struct rows {
    const struct job *job;
    uint32_t *places; // of the page's hosts, in the selection
    size_t count;
    uint32_t first, last; // in the inventory
    uint32_t *cohorts;    // of the hosts from first to last
};

static void find_rows(struct rows *rows, const struct job *job, const struct job_page *page) {
    *rows = (struct rows){.job = job, .places = mem_array(page->limit, sizeof *rows->places)};
    for (size_t i = page->from; i < job->selection.count && rows->count < page->limit; i++)
        if (page->any_state || job->hosts[i].state == page->state)
            rows->places[rows->count++] = (uint32_t)i;
}

// The cohorts stand in the order of their first hosts, and each one's hosts in inventory order: so
// those that have nothing of the page are passed over as a whole.
static void find_cohorts(struct rows *rows) {
    const struct grouping *g = &rows->job->grouping;
    const uint32_t *hosts = rows->job->selection.hosts;
    if (rows->count == 0) return;
    rows->first = hosts[rows->places[0]];
    rows->last = hosts[rows->places[rows->count - 1]];
    rows->cohorts = mem_array(rows->last - rows->first + 1, sizeof *rows->cohorts);
    for (uint32_t c = 0; c < g->cohorts_count; c++) {
        const uint32_t *order = &g->order[g->cohorts[c].first], count = g->cohorts[c].count;
        if (order[0] > rows->last) break;
        if (order[count - 1] < rows->first) continue;
        for (uint32_t i = 0; i < count && order[i] <= rows->last; i++)
            if (order[i] >= rows->first) rows->cohorts[order[i] - rows->first] = c;
    }
}

void job_view_begin_host(struct buf *out, const struct inventory *inventory,
                         const struct host *host, const struct grouping *grouping,
                         const struct cohort *cohort) {
    buf_adds(out, "{\"name\": ");
    buf_add_json(out, host->name);
    job_view_add_text(out, "site",
                      host->site == INVENTORY_NO_NAME ? NULL : inventory_site(inventory, host));
    job_view_add_text(out, "dev_type",
                      host->dev_type == INVENTORY_NO_NAME ? NULL
                                                          : inventory_dev_type(inventory, host));
    buf_adds(out, ", \"groups\": ");
    grouping_write_names(out, grouping, cohort);
}

static void write_row(struct buf *out, const struct rows *rows, uint32_t place,
                      const struct job_host *h) {
    const struct job *job = rows->job;
    const uint32_t number = job->selection.hosts[place];
    const struct host *host = &job->inventory->hosts[number];
    const bool is_begun = h->state != HOST_WAITING && h->started_ms != 0;
    job_view_begin_host(out, job->inventory, host, &job->grouping,
                        &job->grouping.cohorts[rows->cohorts[number - rows->first]]);
    job_view_add_text(out, "state", host_state_names[h->state]);
    add_time(out, "started", is_begun ? h->started_ms : 0);
    if (is_begun && h->state != HOST_IN_HAND)
        add_number(out, "duration_ms", h->duration_ms);
    else
        job_view_add_text(out, "duration_ms", NULL);
    job_view_add_text(out, "from_version", job_version(job, h->from));
    job_view_add_text(out, "to_version", job_version(job, h->to));
    job_view_add_text(out, "error", h->state == HOST_FAILED ? h->text : NULL);
    job_view_add_text(out, "skipped_because", h->state == HOST_SKIPPED ? h->text : NULL);
    buf_addf(out, ", \"in_doubt\": %s}", h->is_in_doubt ? "true" : "false");
}

void job_view_write_hosts(struct buf *out, const struct job *job, const struct job_page *page) {
    struct rows rows;
    find_rows(&rows, job, page);
    find_cohorts(&rows);
    buf_adds(out, "{\"hosts\": [");
    for (size_t i = 0; i < rows.count; i++) {
        if (i > 0) buf_adds(out, ", ");
        write_row(out, &rows, rows.places[i], &job->hosts[rows.places[i]]);
    }
    buf_adds(out, "]}");
    free(rows.places);
    free(rows.cohorts);
}

uint32_t *job_view_cohorts(const struct job *job) {
    const struct grouping *g = &job->grouping;
    uint32_t *cohorts = mem_array(job->selection.count, sizeof *cohorts);
    for (uint32_t c = 0; c < g->cohorts_count; c++)
        for (uint32_t i = 0; i < g->cohorts[c].count; i++)
            cohorts[job_place(job, g->order[g->cohorts[c].first + i])] = c;
    return cohorts;
}

void job_view_write_host(struct buf *out, const struct job *job, uint32_t place, uint32_t cohort,
                         const struct job_host *as) {
    const uint32_t host = job->selection.hosts[place];
    struct rows rows = {.job = job, .first = host, .last = host, .cohorts = &cohort};
    write_row(out, &rows, place, as);
}
