#include "bench/model.h"

#include "common/mem.h"
#include "simulator/draw.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US_PER_MS = 1000 };

// --- the world

// The rules are the plan's: the world only uses them.
static void lend_faults(struct model *m) {
    m->world.faults = m->plan->faults;
    fault_rewind(&m->world.faults);
}

static void take_faults_back(struct model *m) {
    m->world.faults = (struct fault_list){0};
}

static bool is_visited(const struct model *m, uint32_t host) {
    return m->plan->odd != NULL && m->plan->odd[host] && m->histogram == NULL;
}

static void end_visits(struct model *m) {
    for (uint32_t host = 0; m->visits != NULL && host < m->plan->network.devices; host++) {
        visit_free(m->visits[host], 0);
        m->visits[host] = NULL;
    }
    visitor_forget(&m->visitor);
}

static void bear_all(struct model *m, uint64_t seed) {
    end_visits(m);
    take_faults_back(m);
    world_reset(&m->world, seed);
    lend_faults(m);
    m->world_is_used = false;
}

void model_seed(struct model *model, uint64_t seed) {
    bear_all(model, seed);
}

// The simulator cuts its delays to whole microseconds; the orchestrator takes whole milliseconds.
static uint64_t scaled_ms(uint64_t ms, double time_scale) {
    return (uint64_t)ceil((double)ms * time_scale);
}

void model_scale(struct model *model, double time_scale) {
    struct session_config *session = &model->session;
    model->world.time_scale = time_scale;
    session->call_timeout_ms = scaled_ms(session->call_timeout_ms, time_scale);
    session->install_timeout_ms = scaled_ms(session->install_timeout_ms, time_scale);
    model->peers.max_age_ms = scaled_ms(model->peers.max_age_ms, time_scale);
    model->peers.wait_ms = scaled_ms(model->peers.wait_ms, time_scale);
}

// --- devices of which the latencies tell all

static uint64_t call_of(const struct model *m, uint32_t device, enum operation operation,
                        uint32_t attempt) {
    return draw_call(m->world.seed, m->plan->hashes[device], operation, attempt);
}

static uint64_t slowed(const struct model *m, uint32_t device, uint64_t us) {
    const double factor = m->slowness[m->plan->inventory->hosts[device].dev_type];
    return factor == 1 ? us : (uint64_t)((double)us * factor);
}

static uint64_t latency_us(void *arg, uint32_t device, enum operation operation, uint32_t attempt) {
    const struct model *m = arg;
    const uint64_t us = draw_latency_us(call_of(m, device, operation, attempt),
                                        m->plan->network.latency[operation]);
    return slowed(m, device, world_scaled(&m->world, us));
}

static bool is_current(void *arg, uint32_t device) {
    const struct model *m = arg;
    return strcmp(world_version(&m->world, device), m->version) == 0;
}

static bool install_fails(void *arg, uint32_t device, uint32_t attempt) {
    const struct model *m = arg;
    return m->plan->failure_rate > 0 && draw_fault(call_of(m, device, OPERATION_INSTALL, attempt),
                                                   m->plan->failure_rule) < m->plan->failure_rate;
}

// --- durations of a real run

// Evenly within a bucket; one draw for a host.
static uint64_t histogram_us(const struct model *m, uint32_t device) {
    const struct model_histogram *h = m->histogram;
    double total = 0;
    for (size_t i = 0; i < h->len; i++)
        total += h->counts[i];
    double at = rng_unit(call_of(m, device, OPERATION_COUNT, 1)) * total;
    size_t bucket = 0;
    while (bucket + 1 < h->len && at >= h->counts[bucket])
        at -= h->counts[bucket++];
    double low = bucket == 0 ? 0 : h->bounds_s[bucket - 1], high = h->bounds_s[bucket];
    double part = h->counts[bucket] > 0 ? at / h->counts[bucket] : 0;
    return (uint64_t)((low + part * (high - low)) * 1e6);
}

// All of it in the first call.
static uint64_t duration_us(void *arg, uint32_t device, enum operation operation,
                            uint32_t attempt) {
    const struct model *m = arg;
    (void)attempt;
    return operation == OPERATION_LOGIN ? slowed(m, device, histogram_us(m, device)) : 0;
}

// --- contacts

static void begin_run(void *arg) {
    struct model *m = arg;
    const struct session_config *session = &m->session;
    const bool is_timed = m->histogram == NULL;
    if (m->world_is_used) bear_all(m, m->world.seed);
    memset(m->contacts, 0, m->plan->network.devices * sizeof *m->contacts);
    m->session.keep_ms = m->peers.max_age_ms;
    m->devices = (struct contact_devices){
        .arg = m,
        .latency_us = is_timed ? latency_us : duration_us,
        .is_current = is_current,
        .install_fails = install_fails,
        .call_timeout_us = is_timed ? session->call_timeout_ms * US_PER_MS : UINT64_MAX,
        .install_timeout_us = is_timed ? session->install_timeout_ms * US_PER_MS : UINT64_MAX,
        .keep_us = session->keep_ms * US_PER_MS};
}

static void end_visit_if_over(struct model *m, uint32_t host, uint64_t now_us,
                              const struct contact_update *update) {
    if (!update->is_over) return;
    visit_free(m->visits[host], now_us);
    m->visits[host] = NULL;
}

static void contact(void *arg, uint32_t host, enum contact_task task, uint64_t now_us,
                    struct contact_update *update) {
    struct model *m = arg;
    if (!is_visited(m, host)) {
        contact_begin(&m->contacts[host], &m->devices, host, task, now_us, update);
        return;
    }
    m->world_is_used = true;
    m->visits[host] =
        visit_begin(&m->visitor, &m->plan->inventory->hosts[host], host, task, now_us, update);
    end_visit_if_over(m, host, now_us, update);
}

static void tell(void *arg, uint32_t host, enum contact_input input, uint64_t now_us,
                 struct contact_update *update) {
    struct model *m = arg;
    if (!is_visited(m, host)) {
        contact_tell(&m->contacts[host], &m->devices, host, input, now_us, update);
        return;
    }
    visit_tell(m->visits[host], input, now_us, update);
    end_visit_if_over(m, host, now_us, update);
}

struct virtual_devices model_devices(struct model *model) {
    return (struct virtual_devices){
        .arg = model, .begin = begin_run, .contact = contact, .tell = tell};
}

void model_run_hosts(struct model *m, unsigned workers, struct virtual_host *hosts,
                     struct virtual_result *result) {
    const struct virtual_devices devices = model_devices(m);
    struct virtual_job job = {.inventory = m->plan->inventory,
                              .grouping = &m->plan->grouping,
                              .workers = workers,
                              .peers = m->peers,
                              .hosts = hosts};
    if (m->histogram != NULL) job.peers.check = false;
    virtual_run(&job, &devices, result);
}

void model_run(struct model *m, unsigned workers, struct virtual_result *result) {
    model_run_hosts(m, workers, NULL, result);
}

uint64_t model_upgrade_us(struct model *m, uint32_t host) {
    uint64_t now_us = 0;
    struct contact_update update;
    begin_run(m);
    for (contact(m, host, CONTACT_UPGRADE, now_us, &update); !update.is_over;) {
        const enum contact_input input = update.asks ? CONTACT_GRANTED : CONTACT_DUE;
        if (!update.asks) now_us = update.due_us;
        tell(m, host, input, now_us, &update);
    }
    return now_us;
}

// --- life

void model_init(struct model *model, const struct plan *plan, const char *version,
                const struct model_histogram *histogram) {
    *model = (struct model){.plan = plan,
                            .version = version,
                            .histogram = histogram,
                            .session = {.username = plan->network.username,
                                        .password = plan->network.password,
                                        .connect_timeout_ms = SESSION_CONNECT_TIMEOUT_MS,
                                        .call_timeout_ms = SESSION_CALL_TIMEOUT_MS,
                                        .install_timeout_ms = SESSION_INSTALL_TIMEOUT_MS},
                            .peers = {.check = true, .max_age_ms = PEERS_MAX_AGE_MS}};
    for (size_t i = 0; i < NETWORK_TYPES_MAX; i++)
        model->slowness[i] = 1;
    world_init(&model->world, &plan->network, 1, 1);
    lend_faults(model);
    snprintf(model->args.version, sizeof model->args.version, "%s", version);
    model->visitor =
        (struct visitor){.world = &model->world, .config = &model->session, .args = &model->args};
    model->contacts = mem_array(plan->network.devices, sizeof *model->contacts);
    if (plan->odd != NULL) model->visits = mem_array(plan->network.devices, sizeof *model->visits);
}

void model_deinit(struct model *model) {
    end_visits(model);
    take_faults_back(model);
    world_deinit(&model->world);
    visitor_deinit(&model->visitor);
    free(model->contacts);
    free(model->visits);
}

// --- the histogram of a real run

// What lies beyond the last bound has no upper one: it is taken to reach twice as far.
static double upper_bound(double bound, const struct model_histogram *h) {
    if (isinf(bound)) return h->len == 0 ? 1 : 2 * h->bounds_s[h->len - 1];
    return bound;
}

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

// Behind a label's value, of which at is the opening quote; NULL where it has no end.
static const char *skip_quoted(const char *at) {
    for (at++; *at != '"'; at++) {
        if (*at == '\\') at++;
        if (*at == '\0' || *at == '\n') return NULL;
    }
    return at + 1;
}

// Reads {le="0.5", other="x"} at *at, up to behind the brace. False: it is malformed or has no le.
static bool read_bound(const char **at, double *bound) {
    const char *c = skip_blanks(*at);
    bool found = false;
    if (*c++ != '{') return false;
    for (c = skip_blanks(c); *c != '}';) {
        size_t name = strcspn(c, " \t=}\n");
        const char *value = skip_blanks(c + name), *end = NULL;
        if (*value == '=') value = skip_blanks(value + 1);
        if (*value != '"' || (end = skip_quoted(value)) == NULL) return false;
        if (name == 2 && strncmp(c, "le", 2) == 0) {
            char *stop;
            *bound = strtod(value + 1, &stop);
            if (stop == value + 1 || stop + 1 != end || isnan(*bound)) return false;
            found = true;
        }
        c = skip_blanks(end);
        if (*c == ',')
            c = skip_blanks(c + 1);
        else if (*c != '}')
            return false;
    }
    *at = c + 1;
    return found;
}

static bool read_count(const char *at, double *count) {
    char *end;
    at = skip_blanks(at);
    *count = strtod(at, &end);
    return end > at && strchr(" \t\r\n", *end) != NULL && *count >= 0 && !isinf(*count);
}

static int no_histogram(const char *why, struct error *err) {
    return error_set(err, "orchestrator_host_duration_seconds is no histogram: %s", why);
}

static int add_bucket(struct model_histogram *h, double bound, double count, double *before,
                      struct error *err) {
    if (h->len == MODEL_BUCKETS_MAX) return no_histogram("it has too many buckets", err);
    if (h->len > 0 && bound <= h->bounds_s[h->len - 1])
        return no_histogram("its bounds do not ascend; save /metrics/ of one process", err);
    if (count < *before) return no_histogram("its counts go down", err);
    h->bounds_s[h->len] = upper_bound(bound, h);
    h->counts[h->len++] = count - *before;
    *before = count;
    return 0;
}

int model_histogram_parse(const char *scrape, struct model_histogram *histogram,
                          struct error *err) {
    static const char name[] = "orchestrator_host_duration_seconds_bucket";
    struct model_histogram h = {0};
    double before = 0, bound = 0, count;
    for (const char *line = scrape; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        line = skip_blanks(line);
        const char *at = line + sizeof name - 1;
        if (strncmp(line, name, sizeof name - 1) != 0 || strchr(" \t{", *at) == NULL) continue;
        if (!read_bound(&at, &bound) || !read_count(at, &count))
            return no_histogram("a bucket is not to be read", err);
        int rc = add_bucket(&h, bound, count, &before, err);
        if (rc != 0) return rc;
    }
    if (h.len > 0 && !isinf(bound)) return no_histogram("its last bucket is not le=\"+Inf\"", err);
    if (before <= 0)
        return error_set(err, "no host was timed: orchestrator_host_duration_seconds has no count; "
                              "save /metrics/ after a run");
    *histogram = h;
    return 0;
}
