#include "orchestrator/cli_view.h"

#include "common/count.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

enum { ID_SHOWN = 8 };

// --- hosts

static void add_painted(struct buf *out, const struct cli_style *style, enum host_state state,
                        int width, const char *text) {
    const bool paints = style->has_colour && cli_colours[state] != NULL;
    buf_addf(out, "%s%-*s%s", paints ? cli_colours[state] : "", width, text,
             paints ? cli_colour_end : "");
}

static void begin_line(struct buf *out, const char *time, enum host_state state,
                       const struct cli_style *style) {
    buf_addf(out, "%s  ", time);
    add_painted(out, style, state, 7, host_state_names[state]);
    buf_adds(out, "  ");
}

void cli_view_host(struct buf *out, const char *time, const struct cli_host *host,
                   const struct cli_style *style) {
    begin_line(out, time, host->state, style);
    buf_addf(out, "%s  %s\n", host->name, host->reason);
}

void cli_view_more(struct buf *out, const char *time, size_t count, const char *reason,
                   const struct cli_style *style) {
    begin_line(out, time, HOST_SKIPPED, style);
    buf_addf(out, "%zu more host%s  %s\n", count, count == 1 ? "" : "s", reason);
}

void cli_view_state(struct buf *out, const char *time, const struct cli_job *job) {
    const char *why =
        job->state == JOB_CANCELLING ? "what is being installed comes to its end" : job->why;
    buf_addf(out, "%s  %s%s%s\n", time, cli_job_state_name(job), why == NULL ? "" : ": ",
             why == NULL ? "" : why);
}

// --- the table

static size_t width_of(const struct cli_host *hosts, size_t count, enum host_state state) {
    size_t width = 0;
    for (size_t i = 0; i < count; i++)
        if (hosts[i].state == state && strlen(hosts[i].name) > width) width = strlen(hosts[i].name);
    return width;
}

// How many from here on were skipped for one reason, one after another.
static size_t count_alike(const struct cli_host *hosts, size_t count) {
    size_t alike = 0;
    while (alike < count && hosts[alike].state == HOST_SKIPPED &&
           strcmp(hosts[alike].reason, hosts->reason) == 0)
        alike++;
    return alike;
}

static void add_rows(struct buf *out, const struct cli_host *hosts, size_t count,
                     enum host_state state, const struct cli_style *style) {
    const int width = (int)width_of(hosts, count, state);
    for (size_t i = 0; i < count; i++) {
        if (hosts[i].state != state) continue;
        buf_addf(out, "  %-*s  %s\n", width, hosts[i].name, hosts[i].reason);
        const size_t alike = style->is_shortened ? count_alike(&hosts[i], count - i) : 0;
        if (alike <= CLI_ALIKE_MAX) continue;
        buf_addf(out, "  %-*s  (and %zu more hosts for the same reason, to %s)\n", width, "",
                 alike - 1, hosts[i + alike - 1].name);
        i += alike - 1;
    }
}

void cli_view_table(struct buf *out, const struct cli_host *hosts, size_t count,
                    const struct cli_style *style) {
    static const enum host_state states[] = {HOST_FAILED, HOST_SKIPPED};
    for (size_t s = 0; s < COUNT(states); s++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += hosts[i].state == states[s];
        if (found == 0) continue;
        add_painted(out, style, states[s], 0, host_state_names[states[s]]);
        buf_addf(out, " (%zu)%s\n", found, states[s] == HOST_SKIPPED ? ", because of" : "");
        add_rows(out, hosts, count, states[s], style);
    }
}

// --- a job

static void add_what(struct buf *out, const struct cli_job *job) {
    buf_addf(out, "%s%s%s", job->task == NULL ? "job" : job->task, job->version == NULL ? "" : " ",
             job->version == NULL ? "" : job->version);
}

static void add_hosts(struct buf *out, const struct cli_job *job) {
    buf_addf(out, "%llu host%s", (unsigned long long)job->hosts, job->hosts == 1 ? "" : "s");
}

static void add_counts(struct buf *out, const struct cli_job *job) {
    static const char *const words[HOST_STATES] = {"waiting",           "in hand", "changed",
                                                   "as wanted already", "failed",  "skipped"};
    add_hosts(out, job);
    for (int state = 0; state < HOST_STATES; state++)
        if (job->counts[state] > 0)
            buf_addf(out, ", %llu %s", (unsigned long long)job->counts[state], words[state]);
}

void cli_view_heading(struct buf *out, const struct cli_job *job) {
    buf_addf(out, "job %s: ", job->id);
    add_what(out, job);
    buf_adds(out, ", ");
    add_hosts(out, job);
    buf_adds(out, "\n");
}

void cli_view_end(struct buf *out, const struct cli_job *job, const struct cli_style *style) {
    const bool is_well = cli_job_is_well(job);
    char took[CLI_DURATION_MAX];
    cli_duration(cli_job_took_ms(job, 0), took);
    add_painted(out, style, is_well ? HOST_CHANGED : HOST_FAILED, 0, cli_job_state_name(job));
    buf_adds(out, ": ");
    add_counts(out, job);
    buf_addf(out, ", in %s\n", took);
    if (job->why != NULL) buf_addf(out, "it was stopped: %s\n", job->why);
}

void cli_view_control(struct buf *out, const struct cli_job *job) {
    buf_addf(out, "job %s is %s: ", job->id, cli_job_state_name(job));
    add_counts(out, job);
    buf_adds(out, "\n");
}

void cli_view_job(struct buf *out, const struct cli_job *job, const char *request,
                  long long now_wall_ms) {
    char took[CLI_DURATION_MAX];
    cli_duration(cli_job_took_ms(job, now_wall_ms), took);
    buf_addf(out, "job      %s\n", job->id);
    buf_adds(out, "task     ");
    add_what(out, job);
    buf_addf(out, "\nrequest  %s\n", request);
    buf_addf(out, "state    %s%s%s\n", cli_job_state_name(job), job->why == NULL ? "" : ": ",
             job->why == NULL ? "" : job->why);
    if (job->started_ms > 0)
        buf_addf(out, "%s %s\n", job->ended_ms > 0 ? "took    " : "so far  ", took);
    buf_adds(out, "hosts    ");
    add_counts(out, job);
    buf_adds(out, "\n");
}

// --- many jobs

static size_t shared_beginning(const char *a, const char *b) {
    size_t len = 0;
    while (a[len] != '\0' && a[len] == b[len])
        len++;
    return len;
}

// Neighbours in a list of a thousand at most.
static int shown_of_id(const struct cli_listed *list, size_t count) {
    size_t shown = ID_SHOWN;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            const size_t shared = shared_beginning(list[i].job.id, list[k].job.id);
            if (shared >= shown) shown = shared + 1;
        }
    return (int)shown;
}

void cli_view_jobs(struct buf *out, const struct cli_listed *list, size_t count,
                   long long now_wall_ms) {
    const int shown = shown_of_id(list, count);
    if (count == 0) {
        buf_adds(out, "no jobs\n");
        return;
    }
    buf_addf(out, "%-*s  %-10s  %-24s  %-19s  %7s  %7s  %7s  %7s  %7s\n", shown, "ID", "STATE",
             "TASK", "CREATED", "TOOK", "HOSTS", "OVER", "FAILED", "SKIPPED");
    for (size_t i = 0; i < count; i++) {
        const struct cli_job *job = &list[i].job;
        struct buf what = {0};
        char took[CLI_DURATION_MAX];
        cli_duration(cli_job_took_ms(job, now_wall_ms), took);
        add_what(&what, job);
        buf_addf(out, "%-*.*s  %-10s  %-24s  %-19s  %7s  %7llu  %7llu  %7llu  %7llu\n", shown,
                 shown, job->id, cli_job_state_name(job), what.data, list[i].created, took,
                 (unsigned long long)job->hosts, (unsigned long long)cli_job_count_over(job),
                 (unsigned long long)job->counts[HOST_FAILED],
                 (unsigned long long)job->counts[HOST_SKIPPED]);
        buf_deinit(&what);
    }
}

// --- a dry run

static void add_shown(struct buf *out, const char *text) {
    char *shown = mem_strdup(text);
    text_line(shown);
    buf_adds(out, shown);
    free(shown);
}

static void add_value(struct buf *out, const cJSON *value) {
    struct buf text = {0};
    if (value == NULL) return;
    json_add_text(&text, value);
    add_shown(out, text.data);
    buf_deinit(&text);
}

static void add_list(struct buf *out, const cJSON *list) {
    const cJSON *value;
    cJSON_ArrayForEach(value, list) {
        if (value != list->child) buf_adds(out, ", ");
        add_value(out, value);
    }
}

static void add_limit(struct buf *out, const cJSON *limit) {
    const cJSON *field;
    cJSON_ArrayForEach(field, limit) {
        buf_adds(out, field == limit->child ? "; limited by " : ", ");
        add_shown(out, field->string);
        buf_adds(out, " ");
        add_value(out, field);
    }
}

int cli_view_dry_run(struct buf *out, const cJSON *answer, struct error *err) {
    static const char *const numbers[] = {"to_change", "as_wanted", "newer", "unknown"};
    static const char *const words[] = {"to change", "as wanted already", "running a newer version",
                                        "not known"};
    const cJSON *value, *groups = NULL;
    uint64_t hosts = 0, count;
    int rc = json_uint(answer, "hosts", 0, UINT32_MAX, &hosts, err);
    if (rc != 0) return rc;
    buf_addf(out, "dry run: %llu hosts", (unsigned long long)hosts);
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (json_uint(answer, numbers[i], 0, UINT32_MAX, &count, err) == 0 && count > 0)
            buf_addf(out, ", %llu %s", (unsigned long long)count, words[i]);
    value = cJSON_GetObjectItemCaseSensitive(answer, "duration");
    buf_adds(out, "\nit would take: ");
    if (cJSON_IsString(value))
        add_value(out, value);
    else
        buf_adds(out, "not known yet, no such device has been upgraded");
    add_limit(out, cJSON_GetObjectItemCaseSensitive(answer, "limited_by"));
    value = cJSON_GetObjectItemCaseSensitive(answer, "canaries");
    if (cJSON_GetArraySize(value) > 0) {
        buf_adds(out, "\ncanaries, before all others: ");
        add_list(out, value);
    }
    cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(answer, "skipped")) {
        buf_adds(out, "\nskipped: ");
        add_shown(out, value->string);
        buf_adds(out, ": ");
        add_value(out, value);
    }
    groups = cJSON_GetObjectItemCaseSensitive(answer, "groups");
    buf_addf(out, "\n%d redundancy groups, each with its hosts in their order\n",
             cJSON_GetArraySize(groups));
    cJSON_ArrayForEach(value, groups) {
        buf_adds(out, "  ");
        add_value(out, cJSON_GetObjectItemCaseSensitive(value, "name"));
        buf_adds(out, "  ");
        add_list(out, cJSON_GetObjectItemCaseSensitive(value, "hosts"));
        buf_adds(out, "\n");
    }
    return 0;
}
