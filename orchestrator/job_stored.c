#include "orchestrator/job_stored.h"

#include "common/json.h"
#include "common/mem.h"
#include "orchestrator/canaries.h"
#include "orchestrator/job_image.h"
#include "orchestrator/request.h"

#include <string.h>

static const struct task *find_task(const char *name, struct error *err) {
    for (size_t i = 0; i < tasks_count; i++)
        if (name != NULL && strcmp(tasks[i]->name, name) == 0) return tasks[i];
    error_set(err, "its task %.60s is none of this orchestrator's", name == NULL ? "(none)" : name);
    return NULL;
}

// What it asked for was right when it was stored, and is checked as strictly again.
static int parse(const struct task *task, const char *text, cJSON **body,
                 struct task_request *request, struct error *err) {
    int rc =
        text == NULL ? error_set(err, "there is none") : json_parse(text, strlen(text), body, err);
    if (rc == 0) rc = request_parse(task, *body, request, err);
    if (rc != 0) error_from(err, "its request");
    return rc;
}

static int check_row(const struct store_job *row, struct error *err) {
    if (row->id == NULL || row->id[0] == '\0' || strlen(row->id) >= JOB_ID_MAX)
        return error_set(err, "its id is none");
    if (row->image == NULL) return error_set(err, "the image of its hosts and groups is missing");
    return 0;
}

static struct job *make_of(const struct store_job *row, const struct task_request *request,
                           struct error *err) {
    struct job_image image;
    if (job_image_read(row->image, row->image_len, &image, err) != 0) return NULL;
    if (image.selection.count != row->hosts) {
        error_set(err, "it has %llu hosts, and its image %zu", (unsigned long long)row->hosts,
                  image.selection.count);
        job_image_deinit(&image);
        return NULL;
    }
    struct job *job = job_new(row->id, request->task, &request->args, row->request, image.inventory,
                              &image.selection, &image.grouping);
    job->number = row->number;
    job->n = row->n;
    job->key = row->key == NULL ? NULL : mem_strdup(row->key);
    job->created_ms = row->created_ms;
    job->brakes = request->brakes;
    job->is_excerpt = true;
    if (canaries_mark(job, &request->canaries, err) == 0) return job;
    error_from(err, "its request");
    job_free(job);
    return NULL;
}

static struct job *make(const struct store_job *row, struct error *err) {
    struct task_request request;
    struct job *job = NULL;
    cJSON *body = NULL;
    if (check_row(row, err) != 0) return NULL;
    const struct task *task = find_task(row->task, err);
    if (task != NULL && parse(task, row->request, &body, &request, err) == 0) {
        job = make_of(row, &request, err);
        request_deinit(&request);
    }
    cJSON_Delete(body);
    return job;
}

struct job *job_from_store(const struct store_job *row, struct error *err) {
    struct job *job = make(row, err);
    if (job == NULL)
        error_from(err, "job %.36s", row->id == NULL || row->id[0] == '\0' ? "?" : row->id);
    return job;
}
