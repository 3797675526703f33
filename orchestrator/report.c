#include "orchestrator/report.h"

#include "common/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { UNKNOWN = HOST_SKIPPED + 1 };

struct report {
    const struct inventory *inventory;
    unsigned char *results; // enum host_result, by index into the inventory
};

struct report *report_new(const struct inventory *inventory) {
    struct report *report = mem_zalloc(sizeof *report);
    report->inventory = inventory;
    report->results = mem_array(inventory->count, 1);
    for (size_t i = 0; i < inventory->count; i++)
        report->results[i] = UNKNOWN;
    return report;
}

void report_free(struct report *report) {
    if (report == NULL) return;
    free(report->results);
    free(report);
}

void report_event(void *self, const struct event *event) {
    (void)self;
    if (event->kind != EVENT_TASK_INSTANCE_COMPLETED) return;
    struct report *report = event->job->report;
    unsigned char *result = &report->results[event->host - report->inventory->hosts];
    assert(*result == UNKNOWN); // each host exactly once
    *result = (unsigned char)event->result;
}

static void write_list(struct buf *out, const struct job *job, const char *name, unsigned results) {
    const struct inventory *inventory = job->inventory;
    buf_addf(out, "\"%s\": [", name);
    const char *comma = "";
    for (size_t i = 0; i < job->selection.count; i++) {
        uint32_t host = job->selection.hosts[i];
        if ((results >> job->report->results[host] & 1) == 0) continue;
        buf_adds(out, comma);
        buf_add_json(out, inventory->hosts[host].name);
        comma = ", ";
    }
    buf_adds(out, "]");
}

char *report_json(const struct job *job, size_t *len) {
    struct buf out = {0};
    buf_adds(&out, "{");
    write_list(&out, job, "failed", 1U << HOST_FAILED);
    buf_adds(&out, ", ");
    write_list(&out, job, "skipped", 1U << HOST_SKIPPED);
    buf_adds(&out, ", ");
    write_list(&out, job, "completed", 1U << HOST_CHANGED | 1U << HOST_UNCHANGED);
    buf_adds(&out, "}\n");
    *len = out.len;
    return buf_take(&out);
}
