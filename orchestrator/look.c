#include "orchestrator/look.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static bool on_open_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct look *look = arg;
    (void)event;
    look->open = mem_grow(look->open, &look->open_cap, look->open_count + 1, sizeof *look->open);
    struct look_found *found = &look->open[look->open_count++];
    *found = (struct look_found){.number = row->number};
    memcpy(found->id, row->id, strnlen(row->id, JOB_ID_MAX - 1));
    return true;
}

static bool on_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct look_events *events = ((struct look *)arg)->at;
    (void)row;
    events->list = mem_grow(events->list, &events->cap, events->count + 1, sizeof *events->list);
    struct store_event *copy = &events->list[events->count++];
    *copy = *event;
    copy->version = event->version == NULL ? NULL : mem_strdup(event->version);
    copy->text = event->text == NULL ? NULL : mem_strdup(event->text);
    return true;
}

static void read_events(struct look *look, const struct look_source *source,
                        const struct look_job *job) {
    const struct store_query query = {.kind = STORE_READ_EVENTS,
                                      .job = job->number,
                                      .after = job->heard,
                                      .limit = LOOK_EVENTS_MAX};
    look->at = &look->events[look->events_count++];
    *look->at = (struct look_events){.number = job->number};
    look->rc = source->rows(source->self, &query, on_event, look, &look->err);
    look->is_cut |= look->at->count == LOOK_EVENTS_MAX;
}

// Who is there comes first: the others are judged by what was so before their events were read.
void look_read(struct look *look, const struct look_source *source) {
    const struct store_query open = {.kind = STORE_READ_JOBS, .is_open = true};
    look->events = mem_array(look->asked_count, sizeof *look->events);
    look->rc = source->view(source->self, &look->view, &look->err);
    if (look->rc == 0) look->rc = source->rows(source->self, &open, on_open_job, look, &look->err);
    for (size_t i = 0; i < look->asked_count && look->rc == 0; i++)
        read_events(look, source, &look->asked[i]);
}

static void free_events(struct look_events *events) {
    for (size_t i = 0; i < events->count; i++) {
        free((char *)(uintptr_t)events->list[i].version); // copies of ours
        free((char *)(uintptr_t)events->list[i].text);
    }
    free(events->list);
}

void look_deinit(struct look *look) {
    for (size_t i = 0; i < look->events_count; i++)
        free_events(&look->events[i]);
    free(look->events);
    free(look->asked);
    free(look->open);
    free(look->view.nodes);
    free(look->view.places);
    free(look->view.owners);
    *look = (struct look){0};
}
