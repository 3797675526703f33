#include "orchestrator/cli_timeline.h"

#include "common/file.h"

#include <string.h>

// So many hosts are asked for at once: as many as the service gives.
#define PAGE "1000"

// As part of a URL.
static void add_quoted(struct buf *out, const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (; *text != '\0'; text++)
        buf_addf(out, strchr(plain, *text) != NULL ? "%c" : "%%%02X", (unsigned char)*text);
}

static int load_job(const char *base_url, const struct client_trust *trust, const char *job_path,
                    struct job_timeline *timeline, struct error *err) {
    cJSON *job = NULL;
    int rc = client_get_json(base_url, trust, job_path, &job, err);
    if (rc != 0) return rc;
    rc = job_timeline_begin(timeline, job, err);
    cJSON_Delete(job);
    return rc;
}

static int load_page(const char *base_url, const struct client_trust *trust, const char *job_path,
                     struct job_timeline *timeline, bool *more, struct error *err) {
    struct buf path = {0};
    cJSON *page = NULL;
    buf_addf(&path, "%shosts/?limit=" PAGE, job_path);
    if (timeline->last != NULL) buf_adds(&path, "&after=");
    if (timeline->last != NULL) add_quoted(&path, timeline->last);
    int rc = client_get_json(base_url, trust, path.data, &page, err);
    if (rc == 0) {
        rc = job_timeline_add(timeline, page, more, err);
        if (rc != 0) error_from(err, "%s%s", base_url, path.data);
    }
    cJSON_Delete(page);
    buf_deinit(&path);
    return rc;
}

int cli_timeline_load(const char *base_url, const struct client_trust *trust, const char *job_id,
                      struct job_timeline *timeline, struct error *err) {
    struct buf path = {0};
    *timeline = (struct job_timeline){0};
    buf_adds(&path, "/jobs/");
    add_quoted(&path, job_id);
    buf_adds(&path, "/");
    int rc = load_job(base_url, trust, path.data, timeline, err);
    bool more = rc == 0 && timeline->expected > 0;
    while (rc == 0 && more)
        rc = load_page(base_url, trust, path.data, timeline, &more, err);
    buf_deinit(&path);
    return rc;
}

int cli_timeline(const char *base_url, const struct client_trust *trust, const char *job_id,
                 const char *path, struct error *err) {
    struct job_timeline job;
    struct buf svg = {0};
    int rc = cli_timeline_load(base_url, trust, job_id, &job, err);
    if (rc == 0) {
        const struct timeline drawn = job_timeline_drawn(&job);
        rc = timeline_write(&drawn, &svg, err);
    }
    if (rc == 0) rc = file_write(path, &svg, err);
    job_timeline_deinit(&job);
    buf_deinit(&svg);
    return rc;
}
