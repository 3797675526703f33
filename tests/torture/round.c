// The steps are drawn one by one. What makes the answer of one uncertain (a full disk, an inventory
// that cannot be read) is kept in mind, so that as much as possible is expected of each answer.
//
//      actions, with some progress of the network between them
//      -> all is well again -> every job that was asked for is asked for again, by its key
//      -> all are resumed -> all come to their end -> nothing is left behind
#include "tests/torture/round.h"

#include "common/buf.h"
#include "tests/torture/body.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POSTS_MAX = 24, RETRIES_MAX = 8, NAME = 16 };

struct script {
    struct draw d;
    struct place place;
    cJSON *inventory; // as the orchestrator is told it: at the port that devices have
    cJSON *steps;
    char bodies[POSTS_MAX][BODY_MAX]; // of the jobs that were asked for, by the number in their key
    unsigned posts;
    char known[POSTS_MAX + RETRIES_MAX][NAME]; // variables that hold ids
    unsigned known_count, retries, kills;
    bool is_by_url; // the inventory is the simulator's, not a file
    bool is_disk_bad, is_inventory_bad, had_another_inventory;
};

// No answer takes longer, however slow the machine is: 100 s, as usual, for each that never comes
// would be most of the time that there is.
static void hurry(cJSON *item) {
    cJSON *request = cJSON_GetObjectItemCaseSensitive(item, "request");
    if (request != NULL && !cJSON_HasObjectItem(request, "timeout"))
        cJSON_AddStringToObject(request, "timeout", "20s");
    for (cJSON *child = item->child; child != NULL; child = child->next)
        hurry(child);
}

// A step in JSON, with ' for ".
__attribute__((format(printf, 2, 3))) static void step(struct script *s, const char *format, ...) {
    char some[2048];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(some, sizeof some, format, args);
    va_end(args);
    assert(len > 0 && (size_t)len < sizeof some);
    body_quote(some);
    cJSON *parsed = cJSON_Parse(some);
    assert(parsed != NULL);
    hurry(parsed);
    cJSON_AddItemToArray(s->steps, parsed);
}

static bool is_well(const struct script *s) {
    return !s->is_disk_bad && !s->is_inventory_bad;
}

// --- jobs

static void know(struct script *s, const char *name) {
    snprintf(s->known[s->known_count++], NAME, "%s", name);
}

// Asks for a job, however often it takes.
static void ask_for(struct script *s, unsigned post) {
    step(s,
         "{'eventually': {'interval': '20ms', 'steps': [{'request': {'headers': {'Prefer': "
         "'respond-async', 'Idempotency-Key': 'key-%u'}, 'json': %s, 'capture': {'job%u': 'id'}, "
         "'expect': {'status': 202}}}]}}",
         post, s->bodies[post], post);
}

static void post(struct script *s) {
    char name[NAME];
    if (s->posts == POSTS_MAX) return;
    const unsigned number = s->posts++;
    body_draw_job(&s->d, &s->place, s->bodies[number]);
    if (is_well(s) && draw_chance(&s->d, 80)) {
        ask_for(s, number);
        snprintf(name, sizeof name, "job%u", number);
        know(s, name);
    } else if (draw_chance(&s->d, 50)) { // by somebody who goes away
        step(s,
             "{'request': {'headers': {'Idempotency-Key': 'key-%u'}, 'json': %s, 'abandon': true}}",
             number, s->bodies[number]);
    } else {
        step(s,
             "{'request': {'headers': {'Prefer': 'respond-async', 'Idempotency-Key': 'key-%u'}, "
             "'json': %s, 'expect': {'status': [202, 502, 503]}}}",
             number, s->bodies[number]);
    }
}

static void read_devices(struct script *s) {
    step(s,
         "{'request': {'path': '%s', 'headers': {'Prefer': 'respond-async'}, 'json': {}, "
         "'expect': {'status': [%s]}}}",
         DRAW_ONE(&s->d, "/get-version/", "/get-cpu-ram/"), is_well(s) ? "202" : "202, 502, 503");
}

static const char *one_known(struct script *s) {
    return s->known[draw_number(&s->d, 0, s->known_count - 1)];
}

// A retry that is refused leaves the variable with the job that it was to try again: its hosts may
// not be in the inventory any more.
static void retry(struct script *s) {
    char name[NAME];
    if (s->retries == RETRIES_MAX) return;
    const char *job = one_known(s);
    snprintf(name, sizeof name, "retry%u", s->retries++);
    step(s, "{'request': {'path': '/jobs/${%s}/', 'capture': {'%s': 'id'}}}", job, name);
    step(s,
         "{'request': {'method': 'POST', 'path': '/jobs/${%s}/retry/', 'capture': {'%s': 'id'}, "
         "'expect': {'status': [202, 400, 409%s]}}}",
         job, name, is_well(s) ? "" : ", 502, 503");
    know(s, name);
}

static void control(struct script *s) {
    if (s->known_count == 0) return;
    if (draw_chance(&s->d, 20)) {
        retry(s);
        return;
    }
    step(s,
         "{'request': {'method': 'POST', 'path': '/jobs/${%s}/%s/', 'expect': {'status': [202, "
         "409%s]}}}",
         one_known(s), DRAW_ONE(&s->d, "pause", "resume", "cancel", "pause", "resume"),
         s->is_disk_bad ? ", 503" : "");
}

static void look(struct script *s) {
    const bool is_of_one = s->known_count > 0 && draw_chance(&s->d, 60);
    if (is_of_one)
        step(s, "{'request': {'path': '/jobs/${%s}/%s'}}", one_known(s),
             DRAW_ONE(&s->d, "", "hosts/", "report/"));
    else
        step(s, "{'request': {'path': '%s'}}", DRAW_ONE(&s->d, "/jobs/", "/metrics/", "/livez"));
}

// --- the machine

static bool spoils(const char *mode) {
    return strcmp(mode, "o") != 0 && strcmp(mode, "s") != 0;
}

static void write_disk(struct script *s, const char *mode) {
    step(s, "{'files': {'disk': '%s'}}", mode);
    s->is_disk_bad = spoils(mode);
}

static void set_disk(struct script *s, const char *mode) {
    const bool was_bad = s->is_disk_bad;
    write_disk(s, mode);
    if (was_bad && !s->is_disk_bad)
        step(s, "{'eventually': {'interval': '20ms', 'steps': [{'metrics': {'values': "
                "{'orchestrator_store_writable': 1}}}]}}");
}

static void spoil_disk(struct script *s) {
    set_disk(s, DRAW_ONE(&s->d, "f", "f", "e", "r", "s"));
}

static void start_again(struct script *s) {
    if (s->is_disk_bad) write_disk(s, "o"); // else it would not start
    if (draw_chance(&s->d, 30))
        step(s, "{'signal': {'do': 'restart', 'options': {'workers': %u}}}",
             draw_number(&s->d, 1, 20));
    else
        step(s, "{'signal': {'do': 'restart'}}");
}

static void kill_it(struct script *s) {
    s->kills++;
    step(s, "{'signal': {'do': 'kill'}}");
    if (draw_chance(&s->d, 30))
        step(s, "{'when': {'operation': 'logout', 'count': 1000000, 'within': '%ums'}}",
             draw_number(&s->d, 1, 300));
    start_again(s);
}

static void stop_it(struct script *s) {
    if (s->is_disk_bad) set_disk(s, "o"); // else what is in hand would have no outcome
    start_again(s);
}

static void suspend(struct script *s) {
    if (draw_chance(&s->d, 30))
        step(s, "{'signal': {'program': 'simulator', 'do': 'suspend', 'for': '%ums'}}",
             draw_number(&s->d, 10, 400));
    else
        step(s, "{'signal': {'do': 'suspend', 'for': '%ums'}}", draw_number(&s->d, 10, 1500));
}

static void hang_up(struct script *s) {
    step(s, "{'signal': {'do': 'hangup'}}");
}

// --- the inventory

static void tell_port(cJSON *inventory) {
    cJSON *site, *host;
    cJSON_ArrayForEach(site, inventory) {
        cJSON_ArrayForEach(host, site) cJSON_ReplaceItemInObjectCaseSensitive(
            host, "port", cJSON_CreateString("${devices_port}"));
    }
}

static void write_inventory(struct script *s, const cJSON *inventory) {
    cJSON *one = cJSON_CreateObject();
    cJSON_AddItemToObject(cJSON_AddObjectToObject(one, "files"), "inventory.json",
                          cJSON_Duplicate(inventory, true));
    cJSON_AddItemToArray(s->steps, one);
}

// A host more, which nothing listens for.
static void write_another(struct script *s) {
    cJSON *another = cJSON_Duplicate(s->inventory, true);
    cJSON *host = cJSON_Duplicate(another->child->child, true);
    cJSON_ReplaceItemInObjectCaseSensitive(host, "port", cJSON_CreateNumber(1));
    cJSON_AddItemToObject(cJSON_AddObjectToObject(another, "pluto"), "leaf00.pluto", host);
    write_inventory(s, another);
    cJSON_Delete(another);
    s->is_inventory_bad = false;
    s->had_another_inventory = true;
}

static void mend_inventory(struct script *s) {
    if (s->is_by_url) return;
    write_inventory(s, s->inventory);
    s->is_inventory_bad = false;
}

// Jobs are asked for while whoever has the inventory is slow to answer, by one and then by others,
// of whom some must wait until there may be another reading.
#define LOOKS "{'request': {'path': '/jobs/'}}, {'request': {'path': '/jobs/'}}"
#define READS_DEVICES                                                                              \
    "{'request': {'path': '/get-version/', 'headers': {'Prefer': 'respond-async'}, 'json': {}, "   \
    "'expect': {'status': [202, 502, 503]}}}"

static void slow_inventory_down(struct script *s) {
    if (s->posts == POSTS_MAX) return;
    const unsigned number = s->posts++;
    body_draw_job(&s->d, &s->place, s->bodies[number]);
    step(
        s,
        "{'parallel': [{'signal': {'program': 'simulator', 'do': 'suspend', 'for': '%ums'}}, "
        "{'request': {'headers': {'Prefer': 'respond-async', 'Idempotency-Key': 'key-%u'}, 'json': "
        "%s, 'expect': {'status': [202, 502, 503]}}}, [" LOOKS ", " READS_DEVICES "], [" LOOKS
        ", " LOOKS ", " READS_DEVICES "], [" LOOKS ", " LOOKS ", " LOOKS ", " READS_DEVICES "]]}",
        draw_number(&s->d, 50, 800), number, s->bodies[number]);
}

static void change_inventory(struct script *s) {
    if (s->is_by_url) {
        slow_inventory_down(s);
        return;
    }
    if (s->is_inventory_bad) {
        mend_inventory(s);
        return;
    }
    switch (draw_number(&s->d, 0, 3)) {
    case 0:
        step(s, "{'files': {'inventory.json': '{'}}");
        break;
    case 1:
        step(s, "{'files': {'inventory.json': null}}");
        break;
    case 2:
        write_another(s);
        return;
    default:
        mend_inventory(s);
        return;
    }
    s->is_inventory_bad = true;
}

// --- the devices

static void add_fault(struct script *s) {
    char fault[BODY_MAX];
    body_draw_fault(&s->d, &s->place, fault);
    step(s,
         "{'request': {'to': 'simulator', 'path': '/faults/', 'json': %s, 'expect': {'status': "
         "201}}}",
         fault);
}

static void remove_faults(struct script *s) {
    step(s, "{'request': {'to': 'simulator', 'method': 'DELETE', 'path': '/faults/', 'expect': "
            "{'status': 204}}}");
}

// Who connects meanwhile waits until it gives up, or is given up.
static void silence(struct script *s) {
    step(s, "{'files': {'silent': '${devices_port}'}}");
    step(s, "{'when': {'operation': 'login', 'count': 1000000, 'within': '%ums'}}",
         draw_number(&s->d, 10, 500));
    step(s, "{'files': {'silent': ''}}");
}

// --- the round

static const struct {
    void (*play)(struct script *s);
    unsigned weight;
} actions[] = {
    {post, 25},   {control, 20}, {add_fault, 15},    {kill_it, 12},         {stop_it, 6},
    {suspend, 8}, {look, 6},     {read_devices, 5},  {change_inventory, 6}, {spoil_disk, 6},
    {silence, 5}, {hang_up, 2},  {remove_faults, 2},
};

static void mend_some(struct script *s) {
    if (s->is_disk_bad && draw_chance(&s->d, 50)) set_disk(s, "o");
    if (s->is_inventory_bad && draw_chance(&s->d, 40)) mend_inventory(s);
}

static void let_some_happen(struct script *s) {
    if (draw_chance(&s->d, 30)) return;
    step(s, "{'when': {'operation': '%s', 'phase': '%s', 'count': %u, 'within': '%ums'}}",
         DRAW_ONE(&s->d, "login", "get_version", "install_os_version", "logout"),
         DRAW_ONE(&s->d, "begun", "answered"), draw_number(&s->d, 1, 6),
         draw_number(&s->d, 10, 300));
}

static void act(struct script *s) {
    unsigned weights[COUNT(actions)];
    for (size_t i = 0; i < COUNT(actions); i++)
        weights[i] = actions[i].weight;
    actions[draw_weighted(&s->d, weights, COUNT(actions))].play(s);
    let_some_happen(s);
    mend_some(s);
}

static void mend_all(struct script *s) {
    set_disk(s, "o");
    mend_inventory(s);
    remove_faults(s);
}

// Those that were refused come about now, and those that nobody waited for are told by their key.
static void end_all(struct script *s) {
    char name[NAME];
    s->known_count = 0;
    for (unsigned i = 0; i < s->posts; i++) {
        ask_for(s, i);
        snprintf(name, sizeof name, "job%u", i);
        know(s, name);
    }
    for (unsigned i = 0; i < s->retries; i++) {
        snprintf(name, sizeof name, "retry%u", i);
        know(s, name);
    }
    for (unsigned i = 0; i < s->known_count; i++)
        step(s,
             "{'request': {'method': 'POST', 'path': '/jobs/${%s}/resume/', 'expect': {'status': "
             "[202, 409]}}}",
             s->known[i]);
    // A job of another inventory stays paused.
    for (unsigned i = 0; s->had_another_inventory && i < s->known_count; i++)
        step(s,
             "{'request': {'method': 'POST', 'path': '/jobs/${%s}/cancel/', 'expect': {'status': "
             "[202, 409]}}}",
             s->known[i]);
    for (unsigned i = 0; i < s->known_count; i++)
        step(s, "{'job': {'id': '${%s}', 'timeout': '60s'}}", s->known[i]);
}

// Readings make events, by which the service notices which of those who followed it have left.
#define IDLE                                                                                       \
    "{'eventually': {'timeout': '60s', 'steps': [{'request': {'path': '/get-version/', 'json': "   \
    "{}}}, {'metrics': {'values': {'orchestrator_workers_busy': 0, 'orchestrator_event_streams': " \
    "1}}}, {'metrics': {'of': 'simulator', 'values': {'simulator_connections': 0}}}]}}"

// What a process has open that has done one thing of each kind.
static void count_descriptors(struct script *s) {
    step(s, "{'request': {'path': '/get-version/', 'headers': {'Prefer': 'respond-async'}, 'json': "
            "{}, 'capture': {'first': 'id'}, 'expect': {'status': 202}}}");
    step(s, "{'job': {'id': '${first}'}}");
    step(s, "{'request': {'path': '/jobs/'}}"); // which the store is read for
    step(s, IDLE);
    step(s, "{'metrics': {'values': {'process_open_fds': {'at_least': 1}}}}");
}

// The last process of the round has no more open, whatever it went through.
static void check_descriptors(struct script *s) {
    step(s, "{'request': {'json': {'version': '6.1.0'}, 'timeout': '60s'}}");
    step(s, "{'eventually': {'timeout': '60s', 'steps': [" IDLE ", {'metrics': {'changes': "
            "{'process_open_fds': {'at_most': 0}}}}]}}");
}

static cJSON *make_options(struct script *s, const char *preload) {
    struct draw *d = &s->d;
    cJSON *options = cJSON_CreateObject();
    char text[64];
    if (!s->is_by_url) cJSON_AddStringToObject(options, "inventory", "${dir}/inventory.json");
    cJSON_AddStringToObject(options, "log_level", "debug");
    cJSON_AddNumberToObject(options, "workers", draw_number(d, 1, draw_chance(d, 50) ? 3 : 50));
    if (draw_chance(d, 40)) cJSON_AddNumberToObject(options, "asks", draw_number(d, 1, 10));
    if (draw_chance(d, 20)) cJSON_AddNumberToObject(options, "max_jobs", draw_number(d, 1, 3));
    cJSON_AddStringToObject(options, "connect_timeout", "1s");
    cJSON_AddStringToObject(options, "call_timeout", "1s");
    cJSON_AddStringToObject(options, "install_timeout", "2s");
    cJSON_AddStringToObject(options, "peer_max_age", DRAW_ONE(d, "200ms", "1s", "60s", "60s"));
    if (draw_chance(d, 30)) {
        snprintf(text, sizeof text, "%ums", draw_number(d, 10, 500));
        cJSON_AddStringToObject(options, "peer_wait", text);
    }
    cJSON_AddBoolToObject(options, "restarts", true);
    cJSON *environment = cJSON_AddObjectToObject(options, "environment");
    cJSON_AddStringToObject(environment, "LD_PRELOAD", preload);
    cJSON_AddStringToObject(environment, "ASAN_OPTIONS", "verify_asan_link_order=0");
    cJSON_AddStringToObject(environment, "DISK_MODE", "${dir}/disk");
    cJSON_AddStringToObject(environment, "DISK_FOLDER", "${dir}");
    cJSON_AddStringToObject(environment, "SILENT_PORT", "${dir}/silent");
    return options;
}

static cJSON *make_scenario(struct script *s, uint64_t seed, const char *preload) {
    cJSON *scenario = cJSON_CreateObject();
    char name[64];
    snprintf(name, sizeof name, "Torture, seed %llu", (unsigned long long)seed);
    cJSON_AddStringToObject(scenario, "name", name);
    cJSON_AddNumberToObject(scenario, "seed", (double)seed);
    cJSON *network = cJSON_AddObjectToObject(scenario, "network");
    cJSON_AddStringToObject(network, "inventory", "inventory.json");
    cJSON_AddItemToObject(network, "latency", cJSON_Duplicate(s->place.latency, true));
    if (s->place.policy != NULL)
        cJSON_AddItemToObject(scenario, "policy", cJSON_Duplicate(s->place.policy, true));
    cJSON_AddItemToObject(scenario, "orchestrator", make_options(s, preload));
    cJSON *files = cJSON_AddObjectToObject(scenario, "files");
    cJSON_AddStringToObject(files, "disk", "o");
    cJSON_AddStringToObject(files, "silent", "");
    cJSON_AddItemToObject(files, "inventory.json", cJSON_Duplicate(s->inventory, true));
    return scenario;
}

void round_draw(uint64_t seed, const char *preload, struct round *round) {
    struct script s = {.d = {.seed = seed}, .steps = cJSON_CreateArray()};
    place_draw(&s.place, &s.d);
    s.inventory = cJSON_Duplicate(s.place.inventory, true);
    tell_port(s.inventory);
    s.is_by_url = draw_chance(&s.d, 30);
    cJSON *scenario = make_scenario(&s, seed, preload);
    const unsigned count = draw_number(&s.d, 5, 40);
    count_descriptors(&s);
    post(&s);
    for (unsigned i = 0; i < count; i++)
        act(&s);
    mend_all(&s);
    end_all(&s);
    check_descriptors(&s);
    cJSON_AddItemToObject(scenario, "steps", s.steps);
    *round = (struct round){.scenario = scenario, .inventory = s.place.inventory, .kills = s.kills};
    s.place.inventory = NULL;
    cJSON_Delete(s.inventory);
    place_deinit(&s.place);
}

void round_deinit(struct round *round) {
    cJSON_Delete(round->scenario);
    cJSON_Delete(round->inventory);
}
