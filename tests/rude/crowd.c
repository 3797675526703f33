// One loop of poll().
#include "tests/rude/crowd.h"

#include "common/address.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/rng.h"
#include "common/secret.h"
#include "tests/rude/clients.h"
#include "tests/rude/device.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTORS = 2048 };

struct visit { // a connection to a device
    struct visit *next;
    struct talk talk;
};

struct crowd {
    uint64_t seed, visits_count; // ever
    uint64_t now_ms, due_ms;     // when all have a turn again
    bool is_due;
    struct device *devices;
    struct visit *visits;
    struct clients clients;
    bool has_said_played, has_left;
    struct pollset set;
};

static volatile sig_atomic_t is_ending, clients_are_to_leave;

static void on_signal(int signum) {
    if (signum == SIGHUP) clients_are_to_leave = 1;
    if (signum == SIGTERM) is_ending = 1;
}

// --- the devices

static int open_devices(struct crowd *c, struct error *err) {
    c->devices = mem_array(device_kinds_count, sizeof *c->devices);
    int rc = 0;
    for (size_t i = 0; i < device_kinds_count && rc == 0; i++)
        rc = device_open(&c->devices[i], &device_kinds[i], err);
    return rc;
}

// Quotation marks take two bytes on the wire.
static void add_long_text(cJSON *host, const char *key) {
    char text[SECRET_MAX + 1] = "";
    memset(text, '"', SECRET_MAX);
    cJSON_AddStringToObject(host, key, text);
}

// Each is in a rack of its own, and so in a group of its own: it holds nobody up.
static cJSON *host_of(const struct device *d, size_t rack) {
    char text[24];
    snprintf(text, sizeof text, "%zu", rack);
    cJSON *host = cJSON_CreateObject();
    cJSON_AddStringToObject(host, "hostname", "127.0.0.1");
    cJSON_AddNumberToObject(host, "port", d->port);
    cJSON_AddStringToObject(host, "platform", "acmeos");
    cJSON_AddStringToObject(host, "dev_type", "leaf");
    cJSON_AddStringToObject(host, "rack", text);
    if (d->kind->port == DEVICE_SPEAKS_TLS) cJSON_AddTrueToObject(host, "tls");
    if (d->kind->port == DEVICE_TAKES_LITTLE) {
        add_long_text(host, "username");
        add_long_text(host, "password");
    }
    return host;
}

// In an order that is drawn.
static int write_hosts(const struct crowd *c, const char *dir, struct error *err) {
    char path[256];
    struct buf text = {0};
    cJSON *hosts = cJSON_CreateObject();
    size_t *order = mem_array(device_kinds_count, sizeof *order);
    for (size_t i = 0; i < device_kinds_count; i++) {
        const size_t at = (size_t)rng_range(rng_mix(c->seed, i), 0, i);
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < device_kinds_count; i++) {
        const struct device *d = &c->devices[order[i]];
        cJSON_AddItemToObject(hosts, d->name, host_of(d, order[i]));
    }
    char *json = cJSON_Print(hosts);
    buf_adds(&text, json);
    snprintf(path, sizeof path, "%s/rude.json", dir);
    const int rc = file_write(path, &text, err);
    cJSON_free(json);
    cJSON_Delete(hosts);
    buf_deinit(&text);
    free(order);
    return rc;
}

static void take_visits(struct crowd *c, struct device *d) {
    const struct act *acts;
    int fd;
    while ((fd = device_accept(d, &acts)) >= 0) {
        struct visit *v = mem_zalloc(sizeof *v);
        talk_init(&v->talk, fd, acts, d, rng_mix(c->seed, ++c->visits_count));
        v->next = c->visits;
        c->visits = v;
    }
}

static void end_visit(struct visit **link) {
    struct visit *v = *link;
    *link = v->next;
    talk_deinit(&v->talk);
    free(v);
}

static void turn_visits(struct crowd *c, const struct pollfd *ready) {
    for (struct visit **link = &c->visits; *link != NULL;) {
        struct visit *v = *link;
        const bool is_readable = talk_is_reading(&v->talk) && (ready++)->revents != 0;
        if (is_readable || c->is_due) talk_turn(&v->talk, is_readable, c->now_ms);
        if (v->talk.fd < 0)
            end_visit(link);
        else
            link = &v->next;
    }
}

// --- the loop

// Whoever is new stands at the front of its list and was not waited for: it comes last.
static int turn(struct crowd *c, struct error *err) {
    c->set.count = 0;
    for (size_t i = 0; i < device_kinds_count; i++)
        if (device_is_listening(&c->devices[i])) pollset_add(&c->set, c->devices[i].listener);
    const size_t visits = c->set.count;
    for (const struct visit *v = c->visits; v != NULL; v = v->next)
        if (talk_is_reading(&v->talk)) pollset_add(&c->set, v->talk.fd);
    const size_t clients = c->set.count;
    clients_watch(&c->clients, &c->set);
    if (poll(c->set.fds, c->set.count, TALK_TURN_MS) < 0) return 0; // a signal
    c->now_ms = clock_boot_ms();
    c->is_due = c->now_ms >= c->due_ms;
    if (c->is_due) c->due_ms = c->now_ms + TALK_TURN_MS;
    int rc = clients_turn(&c->clients, c->set.fds + clients, c->is_due, c->now_ms, err);
    turn_visits(c, c->set.fds + visits);
    for (size_t i = 0, at = 0; i < device_kinds_count; i++)
        if (device_is_listening(&c->devices[i]) && c->set.fds[at++].revents != 0)
            take_visits(c, &c->devices[i]);
    if (c->is_due && !c->has_left) clients_send(&c->clients, c->now_ms);
    return rc;
}

static int say(const char *line, struct error *err) {
    if (printf("%s\n", line) > 0 && fflush(stdout) == 0) return 0;
    return error_system(err, -errno, "stdout");
}

static int leave(struct crowd *c, struct error *err) {
    char line[64];
    c->has_left = true;
    snprintf(line, sizeof line, "left %llu connections", c->clients.connections);
    int rc = clients_leave(&c->clients, err);
    return rc == 0 ? say(line, err) : rc;
}

static int run(struct crowd *c, struct error *err) {
    int rc = 0;
    while (rc == 0 && is_ending == 0) {
        rc = turn(c, err);
        if (rc == 0 && clients_are_to_leave != 0 && !c->has_left) rc = leave(c, err);
        if (rc != 0 || c->has_said_played || c->clients.unplayed > 0) continue;
        c->has_said_played = true;
        rc = say("played", err);
    }
    return rc == 0 ? clients_check_played(&c->clients, err) : rc;
}

// --- life

static void crowd_deinit(struct crowd *c) {
    clients_deinit(&c->clients);
    while (c->visits != NULL)
        end_visit(&c->visits);
    for (size_t i = 0; c->devices != NULL && i < device_kinds_count; i++)
        device_close(&c->devices[i]);
    free(c->devices);
    free(c->set.fds);
}

int crowd_main(int argc, char **argv) {
    struct crowd c = {0};
    struct error err;
    union address targets[CLIENT_TARGETS];
    int rc = argc == 2 + CLIENT_TARGETS ? 0 : error_set(&err, "unknown arguments");
    if (rc == 0) c.seed = strtoull(argv[0], NULL, 10);
    signal(SIGHUP, on_signal);
    signal(SIGTERM, on_signal);
    for (int i = 0; i < CLIENT_TARGETS && rc == 0; i++)
        rc = address_parse(argv[2 + i], &targets[i], &err);
    if (rc == 0) rc = limits_descriptors(DESCRIPTORS, &err);
    if (rc == 0) rc = open_devices(&c, &err);
    if (rc == 0) rc = write_hosts(&c, argv[1], &err);
    if (rc == 0) rc = say("devices", &err);
    if (rc == 0) {
        clients_init(&c.clients, c.seed, targets);
        rc = run(&c, &err);
    }
    crowd_deinit(&c);
    if (rc != 0) fprintf(stderr, "crowd: %s\n", err.text);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
