// The simulator: options in, network, listeners, loop, and a clean end.
#include "common/address.h"
#include "common/count.h"
#include "common/file.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/options.h"
#include "common/program.h"
#include "simulator/admin.h"
#include "simulator/network_source.h"
#include "simulator/server.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = OPTIONS_EXIT_USAGE, DESCRIPTORS = 4096 };

struct config {
    struct network_source source;
    union address devices, admin;
    unsigned addresses;
    uint64_t seed;
    struct http_hosts hosts; // names of the admin API
    bool latency_given;
    struct duration_range latency;
    double time_scale;
    const char *tls; // the file for the CA's certificate; NULL: the devices speak plain text
};

// --- options

static int set_network(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct config *)config)->source.network = value;
    return 0;
}

static int set_inventory(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct config *)config)->source.inventory = value;
    return 0;
}

static int set_policy(void *config, const char *value, struct error *err) {
    (void)err;
    ((struct config *)config)->source.policy = value;
    return 0;
}

static int set_devices(void *config, const char *value, struct error *err) {
    return address_parse(value, &((struct config *)config)->devices, err);
}

static int set_devices_tls(void *config, const char *value, struct error *err) {
    if (*value == '\0') return error_set(err, "expected a file");
    ((struct config *)config)->tls = value;
    return 0;
}

static int set_admin(void *config, const char *value, struct error *err) {
    return address_parse(value, &((struct config *)config)->admin, err);
}

static int set_host_name(void *config, const char *value, struct error *err) {
    return http_hosts_add(&((struct config *)config)->hosts, value, err);
}

static int parse_whole(const char *value, uint64_t low, uint64_t high, uint64_t *out,
                       struct error *err) {
    size_t digits = strspn(value, "0123456789");
    uint64_t n = digits == 0 || digits > 19 ? 0 : strtoull(value, NULL, 10);
    if (digits == 0 || digits > 19 || value[digits] != '\0' || n < low || n > high)
        return error_set(err, "'%.40s': expected a whole number from %llu to %llu", value,
                         (unsigned long long)low, (unsigned long long)high);
    *out = n;
    return 0;
}

static int set_addresses(void *config, const char *value, struct error *err) {
    uint64_t n = 1;
    int rc = parse_whole(value, 1, SERVER_ADDRESSES_MAX, &n, err);
    if (rc == 0) ((struct config *)config)->addresses = (unsigned)n;
    return rc;
}

static int set_seed(void *config, const char *value, struct error *err) {
    return parse_whole(value, 0, INT64_MAX, &((struct config *)config)->seed, err);
}

static int set_latency(void *config, const char *value, struct error *err) {
    struct config *c = config;
    c->latency_given = true;
    return duration_range_parse(value, &c->latency, err);
}

static int set_time_scale(void *config, const char *value, struct error *err) {
    char *end;
    double scale = strtod(value, &end);
    if (end == value || *end != '\0' || !(scale >= 0 && scale <= WORLD_TIME_SCALE_MAX))
        return error_set(err, "'%.40s': expected a number from 0 to %d", value,
                         WORLD_TIME_SCALE_MAX);
    ((struct config *)config)->time_scale = scale;
    return 0;
}

static const struct option_spec specs[] = {
    {"network", "FILE", "read the network from this YAML file (default: a built-in one, ACME's)",
     set_network},
    {"inventory", "FILE|DIR",
     "make the network of this inventory: ACME's form, Nornir's or Ansible's, JSON or YAML",
     set_inventory},
    {"policy", "FILE",
     "the redundancy groups and throttles that the referee watches (default: as the network file "
     "says, or ACME's)",
     set_policy},
    {"devices", "HOST:PORT", "accept connections to all devices here (default: 127.0.0.1:8300)",
     set_devices},
    {"addresses", "N",
     "accept them on N addresses in a row, of which --devices is the first (default: 1)",
     set_addresses},
    {"devices-tls", "FILE",
     "speak TLS to all of them, with certificates of a CA of its own, whose certificate it writes "
     "here: for orchestrator --device-ca FILE",
     set_devices_tls},
    {"admin", "HOST:PORT", "serve the admin API here (default: 127.0.0.1:8301)", set_admin},
    {"host-name", "NAME", "also answer requests to this name there (repeatable)", set_host_name},
    {"seed", "N", "the same number gives the same versions, delays and faults again (default: 1)",
     set_seed},
    {"latency", "RANGE",
     "how long each call takes, such as 10ms..2s or 0 (default: as the network says)", set_latency},
    {"time-scale", "X", "multiply every simulated delay: 0.1 is ten times as fast (default: 1)",
     set_time_scale},
};

static const struct options options = {
    .program = "simulator",
    .summary =
        "Simulates a network of devices that clients log in to and upgrade. Its admin API takes\n"
        "the faults that are to happen, and tells what did happen and which rules of safe\n"
        "upgrading were broken. With port 0 it listens on any free port.",
    .specs = specs,
    .count = COUNT(specs),
};

// --- the program

struct program {
    struct config config;
    struct network network;
    struct world world;
    struct device_ca *ca; // where they speak TLS
    struct server *server;
    struct admin admin;
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    char (*hosts)[ADDRESS_TEXT_MAX];
    const char **host_list;
};

static void on_part_closed(void *arg) {
    (void)arg; // the loop ends when nothing is left in it
}

static void end(struct program *p) {
    if (uv_is_closing((uv_handle_t *)&p->term)) return;
    uv_close((uv_handle_t *)&p->term, NULL);
    uv_close((uv_handle_t *)&p->interrupt, NULL);
    admin_close(&p->admin, on_part_closed, p);
    server_close(p->server, on_part_closed, p);
}

static void on_signal(uv_signal_t *handle, int number) {
    (void)number;
    end(handle->data);
}

static int load_network(struct program *p, struct error *err) {
    const struct config *c = &p->config;
    int rc = network_source_load(&c->source, &p->network, &p->world.faults, err);
    if (c->latency_given) network_set_latency(&p->network, c->latency);
    return rc;
}

static struct listing_addresses list_addresses(struct program *p) {
    unsigned count = p->config.addresses;
    p->hosts = mem_array(count, sizeof *p->hosts);
    p->host_list = mem_array(count, sizeof *p->host_list);
    for (unsigned i = 0; i < count; i++) {
        address_format_host(server_address(p->server, i), p->hosts[i]);
        p->host_list[i] = p->hosts[i];
    }
    return (struct listing_addresses){p->host_list, count,
                                      address_port(server_address(p->server, 0)), p->ca != NULL};
}

static void advise(struct error *err, const char *option) {
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used,
             " (%s HOST:PORT chooses another address, port 0 any free one)", option);
}

static int start_ca(struct program *p, struct error *err) {
    if (p->config.tls == NULL) return 0;
    int rc = device_ca_new(&p->ca, err);
    if (rc == 0) rc = file_write(p->config.tls, device_ca_certificate(p->ca), err);
    if (rc != 0) error_from(err, "--devices-tls");
    return rc;
}

static int start(struct program *p, struct error *err) {
    int rc = start_ca(p, err);
    if (rc != 0) return rc;
    rc = server_start(p->server, &p->loop, &p->world, p->ca, &p->config.devices,
                      p->config.addresses, err);
    if (rc < 0) advise(err, "--devices");
    if (rc != 0) return rc;
    struct listing_addresses addresses = list_addresses(p);
    rc = admin_start(&p->admin, &p->loop, &p->config.admin, &p->config.hosts, p->server, &addresses,
                     err);
    if (rc != 0) {
        advise(err, "--admin");
        server_close(p->server, on_part_closed, p);
        return rc;
    }
    uv_signal_init(&p->loop, &p->term);
    uv_signal_init(&p->loop, &p->interrupt);
    p->term.data = p->interrupt.data = p;
    uv_signal_start(&p->term, on_signal, SIGTERM);
    uv_signal_start(&p->interrupt, on_signal, SIGINT);
    return 0;
}

static int say_ready(const struct program *p, struct error *err) {
    char devices[ADDRESS_TEXT_MAX], admin[ADDRESS_TEXT_MAX];
    address_format(server_address(p->server, 0), devices);
    address_format(http_address(p->admin.http), admin);
    return program_ready(err, "simulator: %u devices on %s, admin http://%s", p->network.devices,
                         devices, admin);
}

static int open_loop(struct program *p, struct error *err) {
    int rc = limits_descriptors(DESCRIPTORS + p->config.addresses, err);
    if (rc != 0) return rc;
    rc = uv_loop_init(&p->loop);
    return rc == 0 ? 0 : error_system(err, rc, "there is no event loop");
}

static int run(struct program *p) {
    struct error err;
    int exit_code = EXIT_SUCCESS;
    if (load_network(p, &err) != 0)
        exit_code = EXIT_USAGE;
    else if (open_loop(p, &err) != 0)
        exit_code = EXIT_FAILURE;
    if (exit_code != EXIT_SUCCESS) {
        fprintf(stderr, "simulator: %s\n", err.text);
        fault_deinit(&p->world.faults);
        network_deinit(&p->network);
        return exit_code;
    }
    struct fault_list faults = p->world.faults;
    world_init(&p->world, &p->network, p->config.seed, p->config.time_scale);
    p->world.faults = faults;
    p->server = mem_zalloc(sizeof *p->server);
    if (start(p, &err) != 0) {
        fprintf(stderr, "simulator: %s\n", err.text);
        exit_code = EXIT_FAILURE;
    } else if (say_ready(p, &err) != 0) {
        fprintf(stderr, "simulator: %s\n", err.text);
        exit_code = EXIT_FAILURE;
        end(p);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    free(p->hosts);
    free(p->host_list);
    free(p->server);
    device_ca_free(p->ca);
    world_deinit(&p->world);
    network_deinit(&p->network);
    return exit_code;
}

int main(int argc, char **argv) {
    program_init();
    struct program p = {.config = {.addresses = 1, .seed = 1, .time_scale = 1}};
    struct error err;
    int exit_code = EXIT_SUCCESS;
    address_parse("127.0.0.1:8300", &p.config.devices, &err);
    address_parse("127.0.0.1:8301", &p.config.admin, &err);
    if (!options_parse(&options, &p.config, argc, argv, &exit_code))
        return program_end("simulator", exit_code);
    return run(&p);
}
