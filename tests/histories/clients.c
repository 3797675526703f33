// What clients ask of the orchestrator: jobs, retries of them, and that a job is paused, goes on,
// or is cancelled. What api_tasks.c and api_jobs.c are live. Whom nobody listens to comes again.
#include "common/json.h"
#include "common/policy_hash.h"
#include "orchestrator/job_image.h"
#include "orchestrator/request.h"
#include "orchestrator/retry.h"
#include "orchestrator/select.h"
#include "tests/histories/world_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_AFTER_MS = 10 };

struct job *clients_job(const struct world *w, unsigned number) {
    const char id[2] = {(char)('0' + number), 0};
    return jobs_find(w->at->live, id);
}

// --- the request

static void write_hosts(const char *field, unsigned hosts, struct buf *out) {
    const char *comma = "";
    buf_addf(out, "\"%s\": [", field);
    for (unsigned h = 0; h < PLAN_HOSTS; h++) {
        if ((hosts >> h & 1) == 0) continue;
        buf_addf(out, "%s\"h%u\"", comma, h);
        comma = ", ";
    }
    buf_adds(out, "]");
}

static void write_failures(const struct plan_job *planned, struct buf *out) {
    if (planned->failures_unit == FAILURES_HOSTS)
        buf_addf(out, ", \"max_failures\": %u", planned->failures);
    if (planned->failures_unit == FAILURES_IN_100)
        buf_addf(out, ", \"max_failures\": \"%u%%\"", planned->failures);
}

static void write_request(const struct plan_job *planned, struct buf *out) {
    buf_adds(out, "{");
    write_hosts("filter_hosts", planned->hosts, out);
    if (!planned->reads) buf_addf(out, ", \"version\": \"%s\"", versions[planned->version]);
    if (planned->workers > 0) buf_addf(out, ", \"workers\": %u", planned->workers);
    if (planned->canaries != 0) {
        buf_adds(out, ", ");
        write_hosts("canaries", planned->canaries, out);
    }
    write_failures(planned, out);
    if (planned->host_timeout_ms > 0)
        buf_addf(out, ", \"host_timeout\": \"%ums\"", planned->host_timeout_ms);
    if (planned->job_timeout_ms > 0)
        buf_addf(out, ", \"job_timeout\": \"%ums\"", planned->job_timeout_ms);
    buf_adds(out, "}");
}

// --- the job

static void on_created(void *arg, enum store_status status, uint64_t number) {
    struct creating *creating = arg;
    struct world *w = creating->world;
    struct job *job = creating->job;
    const unsigned which = (unsigned)(creating - w->at->creating);
    creating->job = NULL;
    if (status != STORE_OK) {
        story_tell(w, "job %s is refused: the store has not kept it", job->id);
        job_free(job);
        return;
    }
    w->jobs[which].is_created = true;
    job->number = number;
    story_tell(w, "job %s is taken", job->id);
    for (unsigned i = 0; i < w->plan->controls_count; i++)
        if (!w->plan->controls[i].is_absent && w->plan->controls[i].job == which)
            world_at(w, w->now_ms + w->plan->controls[i].at_ms, EVENT_CONTROL, i);
    jobs_add(w->at->live, job);
    gate_submit(w->at->gate, job);
}

static void create(struct world *w, unsigned number, struct job *job) {
    struct buf image = {0};
    job_image_write(&image, job->inventory, &job->selection, &job->grouping,
                    policy_hash(world_policy(w)));
    job->created_ms = world_wall_ms(w);
    w->at->creating[number] = (struct creating){w, job};
    w->jobs[number].view = world_view(w);
    const struct store_job row = {.id = job->id,
                                  .task = job->task->name,
                                  .request = job->request,
                                  .image = image.data,
                                  .image_len = image.len,
                                  .shards = job->shards,
                                  .hosts = job->selection.count,
                                  .state = JOB_WAITING,
                                  .created_ms = job->created_ms};
    store_queue_create(&w->at->queue, &row, on_created, &w->at->creating[number]); // with the image
    world_at(w, w->now_ms, EVENT_STORE, w->at->life);
}

static unsigned hosts_of(const struct job *job) {
    unsigned hosts = 0;
    for (size_t i = 0; i < job->selection.count; i++)
        hosts |= 1U << strtoul(job->inventory->hosts[job->selection.hosts[i]].name + 1, NULL, 10);
    return hosts;
}

static struct job *make_job(const struct world *w, unsigned number, const cJSON *body,
                            const struct task_request *request, struct error *err) {
    const char id[2] = {(char)('0' + number), 0};
    struct inventory *inventory = world_inventory(w);
    struct selection selection;
    struct grouping grouping;
    struct buf text = {0};
    if (select_hosts(request, world_policy(w), inventory, &selection, &grouping, err) != 0)
        return NULL;
    json_add_text(&text, body);
    struct job *job = job_new(id, request->task, &request->args, text.data,
                              inventory_ref(inventory), &selection, &grouping);
    buf_deinit(&text);
    job->brakes = request->brakes;
    if (w->plan->nodes > 0)
        job_share_out(job, shards_of(world_policy(w), inventory, &job->selection));
    return job;
}

static void submit(struct world *w, unsigned number, const cJSON *body) {
    const struct plan_job *asked = w->jobs[number].asked;
    const struct task *reading = asked->reads_load ? &task_get_cpu_ram : &task_get_version;
    const struct task *task = asked->reads ? reading : &task_upgrade_os;
    struct task_request request;
    struct error err;
    if (request_parse(task, body, &request, &err) != 0) {
        story_broken(w, in_order, "the request of job %u is none: %s", number, err.text);
        return;
    }
    struct job *job = make_job(w, number, body, &request, &err);
    if (job == NULL) {
        story_broken(w, in_order, "job %u cannot be: %s", number, err.text);
    } else {
        const bool is_refused = canaries_mark(job, &request.canaries, &err) != 0;
        referee_submitted(w, number, hosts_of(job), is_refused ? err.text : NULL);
        if (is_refused)
            job_free(job);
        else
            create(w, number, job);
    }
    request_deinit(&request);
}

static cJSON *parse(const struct plan_job *planned) {
    struct buf text = {0};
    struct error err;
    cJSON *body = NULL;
    write_request(planned, &text);
    if (json_parse(text.data, text.len, &body, &err) != 0) abort();
    buf_deinit(&text);
    return body;
}

// NULL: there is nothing to try again, or not yet.
static cJSON *parse_retry(struct world *w, unsigned number) {
    const struct plan_job *planned = &w->plan->jobs[number];
    struct error err;
    uint64_t n;
    int status;
    struct job *done = NULL;
    if (clients_job(w, planned->retried) != NULL ||
        (done = recovery_read(w, planned->retried, &n)) == NULL) {
        world_at(w, w->now_ms + AGAIN_AFTER_MS, EVENT_JOB, number);
        return NULL;
    }
    cJSON *body = retry_request(done, planned->states, &status, &err);
    if (body == NULL) referee_nothing_to_retry(w, number);
    job_free(done);
    return body;
}

void clients_submit(struct world *w, unsigned number) {
    const struct plan_job *planned = &w->plan->jobs[number];
    if (w->at->is_ending) {
        w->late |= 1U << number;
        return;
    }
    cJSON *body = planned->is_retry ? parse_retry(w, number) : parse(planned);
    if (body != NULL) submit(w, number, body);
    cJSON_Delete(body);
}

void clients_done(struct world *w, unsigned job) {
    const struct plan *p = w->plan;
    for (unsigned i = 0; i < p->jobs_count; i++)
        if (p->jobs[i].is_retry && !p->jobs[i].is_absent && p->jobs[i].retried == job)
            world_at(w, w->now_ms + p->jobs[i].at_ms, EVENT_JOB, i);
}

// --- controls

static void on_kept(void *arg, enum store_status status, uint64_t n) {
    const struct controlling *controlling = arg;
    if (status == STORE_OK) referee_control_kept(controlling->world, controlling, n);
}

static void cancel(struct world *w, struct job *job, struct controlling *controlling) {
    w->jobs[controlling->job].is_to_be_cancelled = true;
    const bool is_done = gate_cancel(w->at->gate, job, on_kept, controlling);
    story_tell(w, "job %u is to be cancelled%s", controlling->job, is_done ? "" : ", and is not");
}

static void pause(struct world *w, struct job *job, struct controlling *controlling,
                  unsigned for_ms) {
    if (job->state != JOB_WAITING && job->state != JOB_RUNNING) return;
    story_tell(w, "job %u is to be paused", controlling->job);
    referee_is_to_pause(w, controlling);
    if (!gate_pause(w->at->gate, job, on_kept, controlling)) {
        w->jobs[controlling->job].rests = false; // its end is being kept
        return;
    }
    world_at(w, w->now_ms + for_ms, EVENT_RESUME, w->at->life);
}

static bool let_go_on(struct world *w, struct job *job, unsigned number) {
    struct buf differs = {0};
    recovery_look_up(w, job, &differs);
    const bool goes_on = differs.len == 0;
    referee_let_go_on(w, number, goes_on);
    story_tell(w, "job %u is to go on%s%s", number,
               goes_on ? "" : ", but does not: ", goes_on ? "" : differs.data);
    if (goes_on) gate_unpause(w->at->gate, job);
    buf_deinit(&differs);
    return goes_on;
}

void clients_control(struct world *w, unsigned number) {
    const struct plan_control *control = &w->plan->controls[number];
    struct controlling *controlling = &w->at->controlling[number];
    if (w->at->is_ending) {
        w->late_controls |= 1U << number;
        return;
    }
    struct job *job = clients_job(w, control->job);
    if (job == NULL) return; // it is over
    *controlling = (struct controlling){.world = w, .job = control->job, .kind = control->kind};
    if (control->kind == CONTROL_CANCEL)
        cancel(w, job, controlling);
    else if (control->kind == CONTROL_PAUSE)
        pause(w, job, controlling, control->for_ms);
    else if (job->state == JOB_PAUSED)
        let_go_on(w, job, control->job);
}

void clients_resume(struct world *w) {
    if (w->at->is_ending) return;
    w->is_put_right = true;
    for (unsigned i = 0; i < w->plan->jobs_count; i++) {
        struct job *job = clients_job(w, i);
        struct controlling *controlling = &w->at->controlling[PLAN_CONTROLS + i];
        if (job == NULL || job->state != JOB_PAUSED || let_go_on(w, job, i)) continue;
        *controlling = (struct controlling){.world = w, .job = i, .kind = CONTROL_CANCEL};
        cancel(w, job, controlling);
    }
}
