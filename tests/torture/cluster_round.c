// Acts follow one another after some milliseconds to a second; what takes longer (a node that
// stands still, a database that is away) goes on meanwhile. Whoever asks for a job asks one node
// after another, under the same key, until one takes it; one that none took is asked for at the
// end.
#include "tests/torture/cluster_round.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/torture/body.h"
#include "tests/torture/cluster_truth.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    POSTS_MAX = 6,
    HOSTS_MAX = 32,
    RETRIES_MAX = 4,
    ID_MAX = 64,
    PATH_LEN = 200,
    PATIENCE_S = 2, // with an answer: the node may stand still
    TURN_US = 20000,
    TAKEN_MS = 30000, // for a job to be taken when all is well
    DONE_MS = 240000,
};

struct player {
    struct draw d;
    struct place place;
    struct cluster cluster;
    cJSON *born;
    FILE *acts;
    uint64_t begun_ms;
    char bodies[POSTS_MAX][BODY_MAX]; // of the jobs that were asked for, by the number in their key
    char ids[POSTS_MAX + RETRIES_MAX][ID_MAX]; // "": none was told; those of retries come last
    unsigned posts, retries;
};

__attribute__((format(printf, 2, 3))) static void tell(struct player *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(p->acts, "%6.3f  ", (double)(clock_boot_ms() - p->begun_ms) / 1000);
    vfprintf(p->acts, format, args);
    fputc('\n', p->acts);
    fflush(p->acts);
    va_end(args);
}

// --- requests

static unsigned any_node(struct player *p) {
    return draw_number(&p->d, 0, p->cluster.count - 1);
}

enum { NO_ANSWER = -1, UNWELL = 503 };

// The status. The answer's JSON, where it has one, in *json, which may be NULL.
static long send(struct player *p, unsigned node, const char *method, const char *path,
                 const cJSON *headers, const char *body, long timeout_s, cJSON **json) {
    char url[300];
    struct reply reply;
    struct error why;
    snprintf(url, sizeof url, "%s%s", p->cluster.nodes[node].url, path);
    const struct client_request request = {.method = method,
                                           .url = url,
                                           .headers = headers,
                                           .body = body,
                                           .body_len = body == NULL ? 0 : strlen(body),
                                           .is_json = body != NULL && *body != '\0',
                                           .timeout_s = timeout_s};
    if (client_send(&request, &reply, &why) != 0) {
        tell(p, "node %u: %s", node, why.text);
        return NO_ANSWER;
    }
    const long status = reply.status;
    tell(p, "node %u: %s %s: %ld %.150s", node, method, path, status, reply.body);
    if (json != NULL) json_parse(reply.body, reply.body_len, json, &why);
    reply_deinit(&reply);
    return status;
}

static int unexpected(unsigned node, const char *path, long status, struct error *err) {
    return error_set(err, "node %u answered %s with %ld", node, path, status);
}

// --- jobs

static int take_id(struct player *p, unsigned number, const cJSON *job, struct error *err) {
    const char *id = json_text(job, "id");
    if (p->ids[number][0] == '\0') snprintf(p->ids[number], ID_MAX, "%s", id);
    if (*id != '\0' && strcmp(p->ids[number], id) == 0) return 0;
    return error_set(err, "key-%u was job %s, and is job %s now", number, p->ids[number], id);
}

static cJSON *headers_of(unsigned number) {
    char key[32];
    cJSON *headers = cJSON_CreateObject();
    snprintf(key, sizeof key, "key-%u", number);
    cJSON_AddStringToObject(headers, "Idempotency-Key", key);
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    return headers;
}

// From that node on, each is asked once at most.
static int ask_for(struct player *p, unsigned number, unsigned first, bool *is_taken,
                   struct error *err) {
    cJSON *headers = headers_of(number);
    int rc = 0;
    *is_taken = false;
    for (unsigned i = 0; i < p->cluster.count && rc == 0 && !*is_taken; i++) {
        const unsigned node = (first + i) % p->cluster.count;
        cJSON *job = NULL;
        const long status =
            send(p, node, "POST", "/upgrade-os/", headers, p->bodies[number], PATIENCE_S, &job);
        *is_taken = status == 202;
        if (*is_taken)
            rc = take_id(p, number, job, err);
        else if (status != NO_ANSWER && status != UNWELL)
            rc = unexpected(node, "/upgrade-os/", status, err);
        cJSON_Delete(job);
    }
    cJSON_Delete(headers);
    return rc;
}

// By somebody who does not wait to hear whether it is taken.
static void abandon(struct player *p, unsigned number, unsigned node) {
    char url[100];
    struct error ignored;
    cJSON *headers = headers_of(number);
    snprintf(url, sizeof url, "%s/upgrade-os/", p->cluster.nodes[node].url);
    client_abandon(&(struct client_request){.method = "POST",
                                            .url = url,
                                            .headers = headers,
                                            .body = p->bodies[number],
                                            .body_len = strlen(p->bodies[number]),
                                            .is_json = true},
                   &ignored);
    tell(p, "node %u: POST of key-%u, abandoned", node, number);
    cJSON_Delete(headers);
}

static int post(struct player *p, struct error *err) {
    bool is_taken;
    if (p->posts == POSTS_MAX) return 0;
    const unsigned number = p->posts++, node = any_node(p);
    body_draw_job(&p->d, &p->place, p->bodies[number]);
    body_quote(p->bodies[number]);
    if (!draw_chance(&p->d, 15)) return ask_for(p, number, node, &is_taken, err);
    abandon(p, number, node);
    return 0;
}

// NULL: none is known.
static const char *one_known(struct player *p) {
    const unsigned count = POSTS_MAX + p->retries;
    for (unsigned i = 0, at = draw_number(&p->d, 0, count - 1); i < count; i++)
        if (p->ids[(at + i) % count][0] != '\0') return p->ids[(at + i) % count];
    return NULL;
}

static int control_at(struct player *p, unsigned node, const char *id, const char *verb,
                      struct error *err) {
    char path[PATH_LEN];
    cJSON *job = NULL;
    snprintf(path, sizeof path, "/jobs/%s/%s/", id, verb);
    const bool is_retry = strcmp(verb, "retry") == 0;
    const long status = send(p, node, "POST", path, NULL, "", PATIENCE_S, &job);
    if (status == 202 && is_retry && p->retries < RETRIES_MAX)
        snprintf(p->ids[POSTS_MAX + p->retries++], ID_MAX, "%s", json_text(job, "id"));
    cJSON_Delete(job);
    const bool may_be = status == 202 || status == 409 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

static int control(struct player *p, struct error *err) {
    const char *id = one_known(p);
    const char *verb =
        DRAW_ONE(&p->d, "pause", "resume", "cancel", "pause", "resume", "pause", "resume", "retry");
    const unsigned node = any_node(p);
    if (id == NULL || (strcmp(verb, "retry") == 0 && p->retries == RETRIES_MAX)) return 0;
    return control_at(p, node, id, verb, err);
}

static int look(struct player *p, struct error *err) {
    char path[PATH_LEN];
    const char *id = one_known(p);
    const unsigned node = any_node(p);
    if (id != NULL && draw_chance(&p->d, 60))
        snprintf(path, sizeof path, "/jobs/%s/%s", id, DRAW_ONE(&p->d, "", "hosts/", "report/"));
    else
        snprintf(path, sizeof path, "%s", DRAW_ONE(&p->d, "/jobs/", "/metrics/", "/nodes/"));
    const long status = send(p, node, "GET", path, NULL, NULL, PATIENCE_S, NULL);
    const bool may_be = status == 200 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

static int read_devices(struct player *p, struct error *err) {
    const char *path = DRAW_ONE(&p->d, "/get-version/", "/get-cpu-ram/");
    const unsigned node = any_node(p);
    cJSON *headers = cJSON_CreateObject();
    cJSON_AddStringToObject(headers, "Prefer", "respond-async");
    const long status = send(p, node, "POST", path, headers, "{}", PATIENCE_S, NULL);
    cJSON_Delete(headers);
    const bool may_be = status == 202 || status == UNWELL || status == NO_ANSWER;
    return may_be ? 0 : unexpected(node, path, status, err);
}

// --- devices

static int ask_simulator(struct player *p, const char *method, const char *body, long status,
                         struct error *err) {
    char url[100];
    snprintf(url, sizeof url, "%s/faults/", p->cluster.simulator.url);
    tell(p, "simulator: %s /faults/ %s", method, body == NULL ? "" : body);
    return client_expect(&(struct client_request){.method = method,
                                                  .url = url,
                                                  .body = body,
                                                  .body_len = body == NULL ? 0 : strlen(body),
                                                  .is_json = body != NULL},
                         status, NULL, err);
}

static int add_fault(struct player *p, struct error *err) {
    char body[BODY_MAX];
    body_draw_fault(&p->d, &p->place, body);
    body_quote(body);
    return ask_simulator(p, "POST", body, 201, err);
}

static int remove_faults(struct player *p, struct error *err) {
    return ask_simulator(p, "DELETE", NULL, 204, err);
}

// --- nodes and their database

static int kill_one(struct player *p, struct error *err) {
    const unsigned node = any_node(p), away_ms = draw_number(&p->d, 1, 2000);
    (void)err;
    tell(p, "node %u is killed, for %u ms", node, away_ms);
    cluster_kill(&p->cluster, node, away_ms);
    return 0;
}

static int terminate_one(struct player *p, struct error *err) {
    const unsigned node = any_node(p);
    (void)err;
    tell(p, "node %u is to end", node);
    cluster_terminate(&p->cluster, node);
    return 0;
}

// For longer than the lease, nearly as long, or for a moment.
static unsigned draw_while(struct draw *d) {
    if (draw_chance(d, 35)) return draw_number(d, 9000, 14000);
    return draw_chance(d, 40) ? draw_number(d, 5500, 8500) : draw_number(d, 50, 4000);
}

static int stand_still(struct player *p, struct error *err) {
    const unsigned node = any_node(p), for_ms = draw_while(&p->d);
    (void)err;
    tell(p, "node %u stands still for %u ms", node, for_ms);
    cluster_stand_still(&p->cluster, node, for_ms);
    return 0;
}

static int pass_time(struct player *p, unsigned ms, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + ms;
    int rc;
    while ((rc = cluster_tend(&p->cluster, err)) == 0 && clock_boot_ms() < until_ms)
        usleep(TURN_US);
    return rc;
}

// Answers of the database are on their way for so long that some of them are grants: what these
// allow is not to be sent when it goes on again, for another has its hosts then.
static int stand_still_before_it_sends(struct player *p, struct error *err) {
    const unsigned node = any_node(p), for_ms = draw_number(&p->d, 10500, 13500);
    const unsigned delay_ms = draw_number(&p->d, 200, 500);
    tell(p, "node %u and the database: delayed (%u); then it stands still for %u ms", node,
         delay_ms, for_ms);
    cluster_cut(&p->cluster, node, LAB_DELAY, delay_ms, 2 * delay_ms);
    int rc = pass_time(p, delay_ms * 3 / 2, err);
    cluster_stand_still(&p->cluster, node, for_ms);
    return rc;
}

static int cut_off(struct player *p, struct error *err) {
    static const struct {
        enum lab_proxy_mode mode;
        const char *name;
    } modes[] = {
        {LAB_FREEZE, "frozen"},
        {LAB_FREEZE, "frozen"},
        {LAB_REFUSE, "refused"},
        {LAB_DELAY, "delayed"},
        {LAB_LOSE_QUESTION, "cut, a question lost"},
        {LAB_LOSE_ANSWER, "cut, an answer lost"},
        {LAB_LOSE_END, "cut, the end of an answer lost"},
    };
    const size_t i = draw_number(&p->d, 0, COUNT(modes) - 1);
    const unsigned node = any_node(p), for_ms = draw_while(&p->d);
    const unsigned delay_ms = draw_number(&p->d, 5, 600);
    (void)err;
    tell(p, "node %u and the database: %s for %u ms (%u)", node, modes[i].name, for_ms, delay_ms);
    cluster_cut(&p->cluster, node, modes[i].mode, delay_ms, for_ms);
    return 0;
}

static int end_sessions(struct player *p, struct error *err) {
    const bool all = draw_chance(&p->d, 50);
    (void)err;
    tell(p, "%s sessions of the database end", all ? "all" : "some");
    cluster_end_sessions(&p->cluster, all);
    return 0;
}

static int stop_database(struct player *p, struct error *err) {
    const unsigned for_ms =
        draw_chance(&p->d, 40) ? draw_number(&p->d, 7000, 12000) : draw_number(&p->d, 1, 3000);
    (void)err;
    tell(p, "the database crashes, for %u ms", for_ms);
    cluster_stop_database(&p->cluster, for_ms);
    return 0;
}

// --- the round

static const struct {
    int (*play)(struct player *p, struct error *err);
    unsigned weight;
} acts[] = {
    {post, 20},         {control, 18},
    {look, 6},          {read_devices, 4},
    {add_fault, 10},    {remove_faults, 2},
    {kill_one, 9},      {terminate_one, 5},
    {stand_still, 5},   {stand_still_before_it_sends, 7},
    {cut_off, 9},       {end_sessions, 5},
    {stop_database, 2},
};

static int act(struct player *p, struct error *err) {
    unsigned weights[COUNT(acts)];
    for (size_t i = 0; i < COUNT(acts); i++)
        weights[i] = acts[i].weight;
    const size_t drawn = draw_weighted(&p->d, weights, COUNT(acts));
    const unsigned order = draw_number(&p->d, 0, 6), ms = draw_number(&p->d, 10, 20) << order;
    int rc = acts[drawn].play(p, err);
    return rc == 0 ? pass_time(p, ms, err) : rc;
}

// --- the end of it

// Also those that none took before.
static int ask_for_all(struct player *p, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + TAKEN_MS;
    int rc = 0;
    for (unsigned i = 0; i < p->posts && rc == 0; i++) {
        bool is_taken = false;
        while (rc == 0 && !is_taken) {
            rc = ask_for(p, i, any_node(p), &is_taken, err);
            if (rc == 0 && !is_taken && clock_boot_ms() >= until_ms)
                rc = error_set(err, "all is well, and no node takes key-%u", i);
            if (rc == 0 && !is_taken) rc = pass_time(p, 100, err);
        }
    }
    return rc;
}

// Paused ones are resumed. *open: those that are not done.
static int look_at_all(struct player *p, const cJSON *jobs, unsigned *open, struct error *err) {
    const cJSON *job;
    int rc = 0;
    *open = 0;
    cJSON_ArrayForEach(job, cJSON_GetObjectItemCaseSensitive(jobs, "jobs")) {
        const char *state = json_text(job, "state");
        if (strcmp(state, "done") == 0) continue;
        error_set(err, "job %s is %s still", json_text(job, "id"), state);
        *open += 1;
        if (rc == 0 && strcmp(state, "paused") == 0)
            rc = control_at(p, any_node(p), json_text(job, "id"), "resume", err);
    }
    return rc;
}

static int await_done(struct player *p, struct error *err) {
    const uint64_t until_ms = clock_boot_ms() + DONE_MS;
    unsigned open = 1;
    for (int rc = 0; rc == 0;) {
        cJSON *jobs = NULL;
        rc = client_get_json(p->cluster.nodes[any_node(p)].url, NULL, "/jobs/?limit=1000", &jobs,
                             err);
        if (rc == 0) rc = look_at_all(p, jobs, &open, err);
        cJSON_Delete(jobs);
        if (rc != 0 || open == 0) return rc;
        if (clock_boot_ms() >= until_ms) return ERROR_INPUT; // the text says which
        rc = pass_time(p, 300, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// A client who waits is told by any node that it is over.
static int await_reports(struct player *p, struct error *err) {
    for (unsigned i = 0; i < p->posts; i++) {
        cJSON *headers = headers_of(i);
        cJSON_DeleteItemFromObjectCaseSensitive(headers, "Prefer");
        const unsigned node = any_node(p);
        const long status = send(p, node, "POST", "/upgrade-os/", headers, p->bodies[i], 20, NULL);
        cJSON_Delete(headers);
        if (status != 200) return unexpected(node, "/upgrade-os/ for a report", status, err);
    }
    return 0;
}

static int check(struct player *p, struct cluster_round *r, struct error *err) {
    struct buf differences = {0};
    int rc = cluster_truth(&p->cluster, p->born, &differences, &r->jobs, &r->hosts, err);
    if (differences.len > 0) {
        tell(p, "not true:\n%s", differences.data);
        rc = error_set(err, "%.400s", differences.data);
    }
    buf_deinit(&differences);
    return rc;
}

static int finish(struct player *p, struct cluster_round *r, struct error *err) {
    tell(p, "all is to be well again");
    int rc = cluster_settle(&p->cluster, err);
    if (rc == 0) rc = remove_faults(p, err);
    if (rc == 0) rc = ask_for_all(p, err);
    if (rc == 0) rc = await_done(p, err);
    if (rc == 0) rc = await_reports(p, err);
    if (rc == 0) rc = check(p, r, err);
    if (rc != 0) return rc;
    const unsigned left = p->cluster.left; // before all are told to
    rc = cluster_end(&p->cluster, err);
    if (rc != 0) return rc;
    unsigned dead = 0;
    sscanf(lab_ask(p->cluster.database, "select count(*) from orchestrator.nodes"), "%u", &dead);
    if (dead > left + p->cluster.count) r->taken = dead - left - p->cluster.count;
    return 0;
}

static int play(struct player *p, struct cluster_round *r, struct error *err) {
    const unsigned count = draw_number(&p->d, 15, 45);
    cJSON *devices = NULL;
    int rc = client_get_json(p->cluster.simulator.url, NULL, "/devices/", &devices, err);
    p->born = cJSON_DetachItemFromObjectCaseSensitive(devices, "devices");
    cJSON_Delete(devices);
    if (rc == 0) rc = post(p, err);
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = act(p, err);
    return rc == 0 ? finish(p, r, err) : rc;
}

// --- where it takes place

static int write_json(const char *dir, const char *name, const cJSON *value, struct error *err) {
    char path[CLUSTER_PATH + 20];
    struct buf text = {0};
    char *json = cJSON_Print(value);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    buf_adds(&text, json);
    int rc = file_write(path, &text, err);
    buf_deinit(&text);
    cJSON_free(json);
    return rc;
}

static void add_range(cJSON *latency, const char *operation, unsigned low_ms, unsigned high_ms) {
    char text[64];
    snprintf(text, sizeof text, "%ums..%ums", low_ms, high_ms);
    cJSON_AddStringToObject(latency, operation, text);
}

// Slow enough that all jobs together outlast a lease, and not by much.
static cJSON *make_network(struct player *p) {
    cJSON *network = cJSON_CreateObject(), *latency = cJSON_AddObjectToObject(network, "latency");
    cJSON_AddStringToObject(network, "inventory", "inventory.json");
    add_range(latency, "login", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "get_version", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "get_cpu_ram", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "install_os_version", 50, draw_number(&p->d, 100, 600));
    if (draw_chance(&p->d, 50)) add_range(latency, "reboot", 50, draw_number(&p->d, 60, 400));
    return network;
}

static void draw_place(struct player *p) {
    do {
        place_deinit(&p->place);
        place_draw(&p->place, &p->d);
    } while (p->place.sites < 2 || p->place.hosts > HOSTS_MAX);
}

static int prepare(struct player *p, const char *dir, struct error *err) {
    char path[CLUSTER_PATH + 20];
    snprintf(path, sizeof path, "%s/acts", dir);
    p->acts = fopen(path, "w");
    if (p->acts == NULL) return error_set(err, "%s cannot be written", path);
    draw_place(p);
    cJSON *network = make_network(p);
    int rc = write_json(dir, "network.json", network, err);
    cJSON_Delete(network);
    if (rc == 0) rc = write_json(dir, "inventory.json", p->place.inventory, err);
    if (rc == 0 && p->place.policy != NULL)
        rc = write_json(dir, "policy.json", p->place.policy, err);
    return rc;
}

// What the database has is part of the evidence.
static void keep_events(struct player *p, const char *dir) {
    char command[1000];
    struct error ignored;
    if (!cluster_has_database(&p->cluster)) {
        p->cluster.database_starts_ms = 1;
        cluster_tend(&p->cluster, &ignored);
    }
    snprintf(
        command, sizeof command,
        "for what in jobs nodes shards 'events order by job, n'; do psql -q '%s' -c \"select * "
        "from orchestrator.$what\"; done >'%s/database' 2>&1",
        p->cluster.database, dir);
    if (system(command) != 0) tell(p, "the database could not be read");
}

int cluster_round_play(struct cluster_round *r, struct error *err) {
    struct player p = {.d = {.seed = r->seed}, .begun_ms = clock_boot_ms()};
    char name[40];
    snprintf(name, sizeof name, "round_%llu", (unsigned long long)r->seed);
    int rc = prepare(&p, r->dir, err);
    if (rc == 0)
        rc = cluster_start(&p.cluster, r->server, r->dir, name, r->nodes, p.place.policy != NULL,
                           err);
    if (rc == 0) rc = play(&p, r, err);
    if (rc != 0 && p.cluster.count > 0) {
        tell(&p, "%s", err->text);
        keep_events(&p, r->dir);
    }
    cluster_drop(&p.cluster);
    r->kills = p.cluster.kills;
    r->stops = p.cluster.stops;
    r->cuts = p.cluster.cuts;
    if (p.acts != NULL) fclose(p.acts);
    cJSON_Delete(p.born);
    place_deinit(&p.place);
    return rc;
}
