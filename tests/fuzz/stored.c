// A job as a store may give it back, in lines: its task, its request, then numbers of its row
// (hosts, state, outcome), then its events, each kind, host, attempt, result, ms, state, outcome,
// and behind a | what the device runs and behind another the text. Its image is right.
#include "common/inventory_parse.h"
#include "orchestrator/job_image.h"
#include "orchestrator/job_stored.h"
#include "orchestrator/job_view.h"
#include "orchestrator/policy_grouping.h"
#include "tests/fuzz/fuzz.h"

#define LEAF(name, rack)                                                                           \
    "\"" name "\": {\"platform\": \"acmeos\", \"dev_type\": \"leaf\", \"rack\": \"" rack           \
    "\", \"hostname\": \"127.0.0.1\", \"port\": 8300}"

static const char network[] =
    "{\"earth\": {" LEAF("a", "1") ", " LEAF("b", "1") ", " LEAF("c", "2") ", " LEAF("d", "2") "}}";
static const char id[] = "8e03978e-40d5-43dd-bc93-6894a57f9324";

static struct buf make_image(void) {
    struct filter all = {.all = true};
    struct inventory *inventory = NULL;
    struct selection selection;
    struct grouping grouping;
    struct policy policy;
    struct error err;
    struct buf image = {0};
    cJSON *document = fuzz_json_of(network, sizeof network - 1);
    policy_default(&policy);
    int rc = inventory_parse(document, &inventory, &err);
    if (rc == 0) rc = inventory_select(inventory, &all, &all, &selection, &err);
    if (rc == 0) rc = policy_grouping(&grouping, &policy, inventory, &selection, &err);
    assert(rc == 0);
    job_image_write(&image, inventory, &selection, &grouping, 7);
    grouping_deinit(&grouping);
    selection_deinit(&selection);
    inventory_unref(inventory);
    policy_deinit(&policy);
    cJSON_Delete(document);
    return image;
}

// Each host is in one state, and those in doubt are in hand.
static void check_job(const struct job *job) {
    size_t counts[HOST_STATES] = {0}, in_doubt = 0, len = 0;
    for (size_t i = 0; i < job->selection.count; i++) {
        const struct job_host *h = &job->hosts[i];
        assert(h->state < HOST_STATES);
        counts[h->state]++;
        in_doubt += h->is_in_doubt;
        assert(!h->is_in_doubt || h->state == HOST_IN_HAND);
        assert(h->attempt <= 2 && (h->from == 0 || job_version(job, h->from) != NULL));
    }
    for (int state = 0; state < HOST_STATES; state++)
        assert(counts[state] == job->counts[state]);
    assert(in_doubt == job->in_doubt && in_doubt <= job->counts[HOST_IN_HAND]);
    char *report = job_report_json(job, &len);
    fuzz_is_json(report, len);
    free(report);
    struct buf text = {0};
    job_view_write(&text, job);
    fuzz_is_json(text.data, text.len);
    buf_deinit(&text);
}

// False: it is none.
static bool read_event(char *line, struct store_event *event) {
    unsigned kind, host, attempt, result, ms, state, outcome;
    char *version = strchr(line, '|'), *text = version == NULL ? NULL : strchr(version + 1, '|');
    if (text != NULL) *text++ = '\0';
    if (version != NULL) *version++ = '\0';
    if (sscanf(line, "%u %u %u %u %u %u %u", &kind, &host, &attempt, &result, &ms, &state,
               &outcome) != 7)
        return false;
    *event = (struct store_event){.kind = (enum store_kind)(kind & 0xff),
                                  .job = 7,
                                  .wall_ms = 1600000000000,
                                  .ms = ms,
                                  .host = host == 99 ? STORE_NO_HOST : host,
                                  .attempt = (uint8_t)attempt,
                                  .result = (enum host_state)(result & 0xff),
                                  .state = (enum job_state)(state & 0xff),
                                  .outcome = (enum job_outcome)(outcome & 0xff),
                                  .version = version == NULL || *version == '\0' ? NULL : version,
                                  .text = text};
    struct error err;
    return store_event_check(event, &err) == 0;
}

// What may not follow changes nothing.
static void apply_all(struct job *job, struct store_job *row, struct fuzz_lines *lines) {
    char *line;
    for (; (line = fuzz_line(lines)) != NULL; free(line)) {
        struct store_event event;
        struct error err = {0};
        if (!read_event(line, &event)) continue;
        const size_t waiting = job->counts[HOST_WAITING], in_hand = job->counts[HOST_IN_HAND];
        if (store_job_may_take(row, &event)) store_job_take(row, &event);
        row->text = NULL;
        if (job_apply(job, &event, &err) != 0)
            assert(err.text[0] != '\0' && waiting == job->counts[HOST_WAITING] &&
                   in_hand == job->counts[HOST_IN_HAND]);
        check_job(job);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_lines lines = {(const char *)data, size};
    struct error err = {0};
    unsigned hosts = 4, state = JOB_WAITING, outcome = 0;
    mem_init();
    char *task = fuzz_line(&lines), *request = fuzz_line(&lines), *numbers = fuzz_line(&lines);
    if (numbers != NULL) sscanf(numbers, "%u %u %u", &hosts, &state, &outcome);
    struct buf image = make_image();
    struct store_job row = {.number = 7,
                            .id = id,
                            .task = task,
                            .request = request,
                            .image = image.data,
                            .image_len = image.len,
                            .hosts = hosts,
                            .state = (enum job_state)(state & 0xff),
                            .outcome = (enum job_outcome)(outcome & 0xff),
                            .created_ms = 1600000000000};
    struct job *job = NULL;
    if (store_job_check(&row, &err) == 0) job = job_from_store(&row, &err);
    assert(job != NULL || err.text[0] != '\0');
    if (job != NULL) {
        apply_all(job, &row, &lines);
        job_settle(job);
        check_job(job);
        assert(job->counts[HOST_IN_HAND] == job->in_doubt);
        job_free(job);
    }
    buf_deinit(&image);
    free(task);
    free(request);
    free(numbers);
    return 0;
}
