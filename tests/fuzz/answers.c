// What a service answers the terminal client, in lines: a job, then pages of its hosts. The client
// prints it, and draws its timeline.
#include "common/timeline.h"
#include "orchestrator/cli_job.h"
#include "orchestrator/job_timeline.h"
#include "tests/fuzz/fuzz.h"

static void check_job(const cJSON *object) {
    struct cli_job job = {0};
    struct error err = {0};
    if (cli_job_read(object, &job, &err) != 0) {
        assert(job.task == NULL && err.text[0] != '\0');
        return;
    }
    assert(strlen(job.id) == JOB_ID_MAX - 1 || fuzz_is_line(job.id));
    assert(job.task == NULL || fuzz_is_line(job.task));
    assert(job.version == NULL || fuzz_is_line(job.version));
    assert(job.why == NULL || fuzz_is_line(job.why));
    assert(cli_job_state_name(&job)[0] != '\0');
    cli_job_took_ms(&job, 1600000000000);
    cli_job_is_well(&job);
    cli_job_count_over(&job);
    cli_job_deinit(&job);
}

static void check_rows(const cJSON *page) {
    cJSON *copy = cJSON_Duplicate(page, true), *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(copy, "hosts")) {
        struct cli_host host = {0};
        struct error err = {0};
        if (cli_host_read(row, &host, &err) != 0)
            assert(err.text[0] != '\0');
        else
            assert(fuzz_is_line(host.name) && fuzz_is_line(host.reason) &&
                   host.state < HOST_STATES);
    }
    cJSON_Delete(copy);
}

static void check_picture(struct job_timeline *t) {
    const struct timeline drawn = job_timeline_drawn(t);
    struct buf svg = {0};
    struct error err;
    assert(drawn.count <= TIMELINE_HOSTS_MAX);
    if (timeline_write(&drawn, &svg, &err) == 0) {
        assert(svg.len > 0 && strstr(svg.data, "\n<svg ") != NULL);
        for (size_t i = 0; i < svg.len; i++) // XML has no other control characters
            assert((unsigned char)svg.data[i] >= 0x20 || strchr("\n\t\r", svg.data[i]) != NULL);
    }
    buf_deinit(&svg);
}

static cJSON *next(struct fuzz_lines *lines) {
    char *line = fuzz_line(lines);
    cJSON *json = NULL;
    struct error err;
    if (line == NULL) return NULL;
    if (json_parse(line, strlen(line), &json, &err) != 0) json = NULL;
    free(line);
    return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_lines lines = {(const char *)data, size};
    struct job_timeline timeline = {0};
    struct error err = {0};
    bool more = true;
    mem_init();
    cJSON *job = next(&lines), *page;
    if (job == NULL) return 0;
    check_job(job);
    int rc = job_timeline_begin(&timeline, job, &err);
    assert(rc == 0 || err.text[0] != '\0');
    while (rc == 0 && more && (page = next(&lines)) != NULL) {
        rc = job_timeline_add(&timeline, page, &more, &err);
        assert(rc == 0 || err.text[0] != '\0');
        assert(timeline.count <= timeline.expected);
        check_rows(page);
        cJSON_Delete(page);
    }
    if (rc == 0) check_picture(&timeline);
    job_timeline_deinit(&timeline);
    cJSON_Delete(job);
    return 0;
}
