#include "bench/model.h"

#include "common/mem.h"
#include "simulator/draw.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The rules are the plan's: the world only uses them.
static void lend_faults(struct model *m) {
    m->world.faults = m->plan->faults;
    fault_rewind(&m->world.faults);
}

static void take_faults_back(struct model *m) {
    m->world.faults = (struct fault_list){0};
}

void model_init(struct model *model, const struct plan *plan, const char *version,
                const struct model_histogram *histogram) {
    *model = (struct model){.plan = plan,
                            .version = version,
                            .histogram = histogram,
                            .session = {.username = plan->network.username,
                                        .password = plan->network.password,
                                        .connect_timeout_ms = SESSION_CONNECT_TIMEOUT_MS,
                                        .call_timeout_ms = SESSION_CALL_TIMEOUT_MS,
                                        .install_timeout_ms = SESSION_INSTALL_TIMEOUT_MS}};
    for (size_t i = 0; i < NETWORK_TYPES_MAX; i++)
        model->slowness[i] = 1;
    world_init(&model->world, &plan->network, 1, 1);
    lend_faults(model);
    snprintf(model->args.version, sizeof model->args.version, "%s", version);
    model->visitor = (struct visitor){.world = &model->world,
                                      .config = &model->session,
                                      .task = &task_upgrade_os,
                                      .args = &model->args};
    if (plan->odd != NULL) model->visits = mem_array(plan->network.devices, sizeof *model->visits);
}

void model_deinit(struct model *model) {
    take_faults_back(model);
    world_deinit(&model->world);
    visitor_deinit(&model->visitor);
    free(model->visits);
}

void model_seed(struct model *model, uint64_t seed) {
    take_faults_back(model);
    world_reset(&model->world, seed);
    lend_faults(model);
    if (model->visits != NULL)
        memset(model->visits, 0, model->plan->network.devices * sizeof *model->visits);
}

// The simulator cuts its delays to whole microseconds; the orchestrator takes whole milliseconds.
static uint64_t scaled_ms(uint64_t ms, double time_scale) {
    return (uint64_t)ceil((double)ms * time_scale);
}

void model_scale(struct model *model, double time_scale) {
    model->world.time_scale = time_scale;
    model->session.call_timeout_ms = scaled_ms(model->session.call_timeout_ms, time_scale);
    model->session.install_timeout_ms = scaled_ms(model->session.install_timeout_ms, time_scale);
}

static uint64_t call_of(const struct model *m, uint32_t device, enum operation operation,
                        uint32_t attempt) {
    return draw_call(m->world.seed, m->plan->hashes[device], operation, attempt);
}

static uint64_t latency_us(const struct model *m, uint32_t device, enum operation operation,
                           uint32_t attempt) {
    return world_scaled(&m->world, draw_latency_us(call_of(m, device, operation, attempt),
                                                   m->plan->network.latency[operation]));
}

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

// The host waits for the answer to a call, no longer than the timeout. False: it was not there.
static bool wait(struct virtual_host *host, uint64_t takes_us, uint64_t timeout_ms) {
    host->times_out = takes_us > timeout_ms * 1000;
    host->us += host->times_out ? timeout_ms * 1000 : takes_us;
    return !host->times_out;
}

static bool install_fails(const struct model *m, uint32_t host) {
    return m->plan->failure_rate > 0 && draw_fault(call_of(m, host, OPERATION_INSTALL, 1),
                                                   m->plan->failure_rule) < m->plan->failure_rate;
}

static struct virtual_host add_latencies(const struct model *m, uint32_t host, bool current) {
    const uint64_t call_ms = m->session.call_timeout_ms;
    struct virtual_host drawn = {.fails = true};
    if (!wait(&drawn, latency_us(m, host, OPERATION_LOGIN, 1), call_ms)) return drawn;
    if (!wait(&drawn, latency_us(m, host, OPERATION_GET_VERSION, 1), call_ms)) return drawn;
    if (!current) {
        uint64_t install_us = latency_us(m, host, OPERATION_INSTALL, 1);
        if (!wait(&drawn, install_us, m->session.install_timeout_ms) || install_fails(m, host))
            return drawn;
        if (!wait(&drawn, latency_us(m, host, OPERATION_GET_VERSION, 2), call_ms)) return drawn;
    }
    wait(&drawn, latency_us(m, host, OPERATION_LOGOUT, 1), call_ms);
    return (struct virtual_host){.us = drawn.us}; // a logout that is not answered fails nobody
}

// Once for a seed, however often it is drawn: a device that was upgraded is another.
static struct virtual_host visit_once(struct model *m, uint32_t host) {
    struct model_visit *known = &m->visits[host];
    if (known->known) return known->host;
    struct visit_result result = visit(&m->visitor, &m->plan->inventory->hosts[host], host);
    *known = (struct model_visit){
        .known = true,
        .host = {.us = result.us, .fails = result.fails, .times_out = result.times_out}};
    return known->host;
}

static struct virtual_host draw(struct model *m, uint32_t host) {
    const struct plan *plan = m->plan;
    if (plan->odd != NULL && plan->odd[host] && m->histogram == NULL) return visit_once(m, host);
    bool current = strcmp(world_version(&m->world, host), m->version) == 0;
    if (m->histogram == NULL) return add_latencies(m, host, current);
    return (struct virtual_host){.us = histogram_us(m, host),
                                 .fails = !current && install_fails(m, host)};
}

struct virtual_host model_draw(void *arg, uint32_t host) {
    struct model *m = arg;
    if (m->plan->inventory->hosts[host].platform != 0)
        return (struct virtual_host){.passed_over = true};
    struct virtual_host drawn = draw(m, host);
    double factor = m->slowness[m->plan->inventory->hosts[host].dev_type] / m->world.time_scale;
    if (factor != 1) drawn.us = (uint64_t)((double)drawn.us * factor);
    return drawn;
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
