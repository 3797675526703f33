// Acts follow one another after some milliseconds to a second; what takes longer (a node that
// stands still, a database that is away) goes on meanwhile.
#include "tests/torture/cluster_round.h"

#include "common/client.h"
#include "common/clock.h"
#include "common/file.h"
#include "tests/torture/cluster_people.h"
#include "tests/torture/cluster_truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS_MAX = 32 };

// --- devices

static int ask_simulator(struct people *p, const char *method, const char *body, long status,
                         struct error *err) {
    char url[100];
    snprintf(url, sizeof url, "%s/faults/", p->cluster.simulator.url);
    people_tell(p, "simulator: %s /faults/ %s", method, body == NULL ? "" : body);
    return client_expect(&(struct client_request){.method = method,
                                                  .url = url,
                                                  .body = body,
                                                  .body_len = body == NULL ? 0 : strlen(body),
                                                  .is_json = body != NULL},
                         status, NULL, err);
}

static int add_fault(struct people *p, struct error *err) {
    char body[BODY_MAX];
    body_draw_fault(&p->d, &p->place, body);
    body_quote(body);
    return ask_simulator(p, "POST", body, 201, err);
}

static int remove_faults(struct people *p, struct error *err) {
    return ask_simulator(p, "DELETE", NULL, 204, err);
}

// --- nodes and their database

static int kill_one(struct people *p, struct error *err) {
    const unsigned node = people_any_node(p), away_ms = draw_number(&p->d, 1, 2000);
    (void)err;
    people_tell(p, "node %u is killed, for %u ms", node, away_ms);
    cluster_kill(&p->cluster, node, away_ms);
    return 0;
}

static int terminate_one(struct people *p, struct error *err) {
    const unsigned node = people_any_node(p);
    (void)err;
    people_tell(p, "node %u is to end", node);
    cluster_terminate(&p->cluster, node);
    return 0;
}

// For longer than the lease, nearly as long, or for a moment.
static unsigned draw_while(struct draw *d) {
    if (draw_chance(d, 35)) return draw_number(d, 9000, 14000);
    return draw_chance(d, 40) ? draw_number(d, 5500, 8500) : draw_number(d, 50, 4000);
}

static int stand_still(struct people *p, struct error *err) {
    const unsigned node = people_any_node(p), for_ms = draw_while(&p->d);
    (void)err;
    people_tell(p, "node %u stands still for %u ms", node, for_ms);
    cluster_stand_still(&p->cluster, node, for_ms);
    return 0;
}

// Answers of the database are on their way for so long that some of them are grants: what these
// allow is not to be sent when it goes on again, for another has its hosts then.
static int stand_still_before_it_sends(struct people *p, struct error *err) {
    const unsigned node = people_any_node(p), for_ms = draw_number(&p->d, 10500, 13500);
    const unsigned delay_ms = draw_number(&p->d, 200, 500);
    people_tell(p, "node %u and the database: delayed (%u); then it stands still for %u ms", node,
                delay_ms, for_ms);
    cluster_cut(&p->cluster, node, LAB_DELAY, delay_ms, 2UL * delay_ms);
    int rc = people_pass_time(p, delay_ms * 3 / 2, err);
    cluster_stand_still(&p->cluster, node, for_ms);
    return rc;
}

static int cut_off(struct people *p, struct error *err) {
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
    const unsigned node = people_any_node(p), for_ms = draw_while(&p->d);
    const unsigned delay_ms = draw_number(&p->d, 5, 600);
    (void)err;
    people_tell(p, "node %u and the database: %s for %u ms (%u)", node, modes[i].name, for_ms,
                delay_ms);
    cluster_cut(&p->cluster, node, modes[i].mode, delay_ms, for_ms);
    return 0;
}

static int end_sessions(struct people *p, struct error *err) {
    const bool all = draw_chance(&p->d, 50);
    (void)err;
    people_tell(p, "%s sessions of the database end", all ? "all" : "some");
    cluster_end_sessions(&p->cluster, all);
    return 0;
}

static int stop_database(struct people *p, struct error *err) {
    const unsigned for_ms =
        draw_chance(&p->d, 40) ? draw_number(&p->d, 7000, 12000) : draw_number(&p->d, 1, 3000);
    (void)err;
    people_tell(p, "the database crashes, for %u ms", for_ms);
    cluster_stop_database(&p->cluster, for_ms);
    return 0;
}

// --- the round

static const struct {
    int (*play)(struct people *p, struct error *err);
    unsigned weight;
} acts[] = {
    {people_post, 20},  {people_control, 18},
    {people_look, 6},   {people_read_devices, 4},
    {add_fault, 10},    {remove_faults, 2},
    {kill_one, 9},      {terminate_one, 5},
    {stand_still, 5},   {stand_still_before_it_sends, 7},
    {cut_off, 9},       {end_sessions, 5},
    {stop_database, 2},
};

static int act(struct people *p, struct error *err) {
    unsigned weights[COUNT(acts)];
    for (size_t i = 0; i < COUNT(acts); i++)
        weights[i] = acts[i].weight;
    const size_t drawn = draw_weighted(&p->d, weights, COUNT(acts));
    const unsigned order = draw_number(&p->d, 0, 6), ms = draw_number(&p->d, 10, 20) << order;
    int rc = acts[drawn].play(p, err);
    return rc == 0 ? people_pass_time(p, ms, err) : rc;
}

static int check(struct people *p, struct cluster_round *r, struct error *err) {
    struct buf differences = {0};
    int rc = cluster_truth(&p->cluster, p->born, &differences, &r->jobs, &r->hosts, err);
    if (differences.len > 0) {
        people_tell(p, "not true:\n%s", differences.data);
        rc = error_set(err, "%.400s", differences.data);
    }
    buf_deinit(&differences);
    return rc;
}

static int finish(struct people *p, struct cluster_round *r, struct error *err) {
    people_tell(p, "all is to be well again");
    int rc = cluster_settle(&p->cluster, err);
    if (rc == 0) rc = remove_faults(p, err);
    if (rc == 0) rc = people_end(p, err);
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

static int play(struct people *p, struct cluster_round *r, struct error *err) {
    const unsigned count = draw_number(&p->d, 15, 45);
    cJSON *devices = NULL;
    int rc = client_get_json(p->cluster.simulator.url, NULL, "/devices/", &devices, err);
    p->born = cJSON_DetachItemFromObjectCaseSensitive(devices, "devices");
    cJSON_Delete(devices);
    if (rc == 0) rc = people_post(p, err);
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
static cJSON *make_network(struct people *p) {
    cJSON *network = cJSON_CreateObject(), *latency = cJSON_AddObjectToObject(network, "latency");
    cJSON_AddStringToObject(network, "inventory", "inventory.json");
    add_range(latency, "login", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "get_version", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "get_cpu_ram", 0, draw_number(&p->d, 1, 50));
    add_range(latency, "install_os_version", 50, draw_number(&p->d, 100, 600));
    if (draw_chance(&p->d, 50)) add_range(latency, "reboot", 50, draw_number(&p->d, 60, 400));
    return network;
}

static void draw_place(struct people *p) {
    do {
        place_deinit(&p->place);
        place_draw(&p->place, &p->d);
    } while (p->place.sites < 2 || p->place.hosts > HOSTS_MAX);
}

static int prepare(struct people *p, const char *dir, struct error *err) {
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
static void keep_events(struct people *p, const char *dir) {
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
    if (system(command) != 0) people_tell(p, "the database could not be read");
}

int cluster_round_play(struct cluster_round *r, struct error *err) {
    struct people p = {.d = {.seed = r->seed}, .begun_ms = clock_boot_ms()};
    char name[40];
    snprintf(name, sizeof name, "round_%llu", (unsigned long long)r->seed);
    int rc = prepare(&p, r->dir, err);
    if (rc == 0)
        rc = cluster_start(&p.cluster, r->server, r->dir, name, r->nodes, p.place.policy != NULL,
                           err);
    if (rc == 0) rc = play(&p, r, err);
    if (rc != 0 && p.cluster.count > 0) {
        people_tell(&p, "%s", err->text);
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
