#include "simulator/console_methods.h"

#include "common/acmeos.h"
#include "common/count.h"
#include "common/json.h"
#include "simulator/draw.h"

#include <inttypes.h>
#include <string.h>

// --- params

static enum rpc_error check_none(const struct network *n, const cJSON *params,
                                 struct error *detail) {
    (void)n;
    if (cJSON_GetArraySize(params) == 0) return RPC_OK;
    if (cJSON_IsArray(params))
        error_set(detail, "params go by name, and this method takes none");
    else
        error_set(detail, "%.100s: this method takes no params", params->child->string);
    return RPC_INVALID_PARAMS;
}

static int check_named(const cJSON *params, struct error *detail) {
    if (params == NULL) return error_set(detail, "missing");
    return json_as_object(params, detail);
}

uint64_t console_login_epoch(const cJSON *params) {
    const cJSON *epoch = cJSON_GetObjectItemCaseSensitive(params, "epoch");
    return epoch == NULL ? ACMEOS_NO_EPOCH : (uint64_t)epoch->valuedouble;
}

// A device that takes no epochs knows no such param. That there is no such device is told later.
static bool takes_epochs(const struct network *n, const char *hostname) {
    uint32_t device;
    return !network_find(n, hostname, &device) || network_takes_epochs(n, device);
}

static enum rpc_error check_login(const struct network *n, const cJSON *params,
                                  struct error *detail) {
    static const char *const names[] = {"hostname", "username", "password", "epoch"};
    enum { REQUIRED = 3 };
    const char *value;
    uint64_t epoch;
    int rc = check_named(params, detail);
    for (size_t i = 0; i < REQUIRED && rc == 0; i++)
        rc = json_string(params, names[i], &value, detail);
    if (rc != 0) return RPC_INVALID_PARAMS;
    const bool may_say_one = takes_epochs(n, json_text(params, "hostname"));
    rc = json_only(params, names, may_say_one ? COUNT(names) : REQUIRED, detail);
    if (rc == 0) rc = json_uint_opt(params, "epoch", 0, ACMEOS_EPOCH_MAX, &epoch, detail);
    return rc == 0 ? RPC_OK : RPC_INVALID_PARAMS;
}

static enum rpc_error check_install(const struct network *n, const cJSON *params,
                                    struct error *detail) {
    (void)n;
    if (check_named(params, detail) != 0) return RPC_INVALID_PARAMS;
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(params, "version");
    if (version == NULL) {
        error_set(detail, "version: missing");
        return RPC_INVALID_PARAMS;
    }
    if (!cJSON_IsString(version) || !acmeos_version_valid(version->valuestring))
        return RPC_VERSION_FORMAT;
    return JSON_ONLY(params, detail, "version") == 0 ? RPC_OK : RPC_INVALID_PARAMS;
}

// --- carrying out

static void login(const struct console_work *work, struct buf *result) {
    char host[NETWORK_HOST_MAX];
    network_host(work->world->network, work->device, host);
    buf_adds(result, "{\"hostname\": ");
    buf_add_json(result, host);
    buf_adds(result, ", \"platform\": \"acmeos\"");
    const uint64_t epoch = console_login_epoch(work->params);
    if (epoch != ACMEOS_NO_EPOCH) buf_addf(result, ", \"epoch\": %" PRIu64, epoch);
    buf_adds(result, "}");
}

// installing: what is being installed, or NULL.
static void write_version(struct buf *result, const char *version, const char *installing) {
    const char *dot = strrchr(version, '.');
    buf_addf(result, "{\"os_version\": \"%.*s\", \"revision\": \"%s\", \"full_version\": \"%s\"",
             (int)(dot - version), version, dot + 1, version);
    if (installing != NULL) buf_addf(result, ", \"installing\": \"%s\"", installing);
    buf_adds(result, "}");
}

static void get_version(const struct console_work *work, struct buf *result) {
    const char *version = world_version(work->world, work->device);
    if (work->effect == FAULT_WRONG_VERSION) // one that nobody asks for
        version = strcmp(version, "0.0.0") == 0 ? "0.0.1" : "0.0.0";
    write_version(result, version, world_installing(work->world, work->device));
}

static void get_cpu_ram(const struct console_work *work, struct buf *result) {
    unsigned cpu = (unsigned)rng_range(rng_mix(work->draw, DRAW_CPU), 10, 50);
    unsigned ram = (unsigned)rng_range(rng_mix(work->draw, DRAW_RAM), 1024, 2048);
    buf_addf(result, "{\"cpu\": %u, \"ram_total\": 4096, \"ram_used\": %u}", cpu, ram);
}

// The wrong version: the device says that it installed what it was asked to, and did not.
static void install(const struct console_work *work, struct buf *result) {
    struct world *w = work->world;
    const char *version = cJSON_GetObjectItemCaseSensitive(work->params, "version")->valuestring;
    if (work->effect != FAULT_WRONG_VERSION)
        w->devices[work->device].version = versions_intern(&w->versions, version);
    write_version(result, version, NULL);
}

static void logout(const struct console_work *work, struct buf *result) {
    (void)work;
    buf_adds(result, "true");
}

static const struct {
    enum rpc_error (*check)(const struct network *n, const cJSON *params, struct error *detail);
    void (*carry_out)(const struct console_work *work, struct buf *result);
} methods[OPERATION_COUNT] = {
    [OPERATION_LOGIN] = {check_login, login},
    [OPERATION_GET_VERSION] = {check_none, get_version},
    [OPERATION_GET_CPU_RAM] = {check_none, get_cpu_ram},
    [OPERATION_INSTALL] = {check_install, install},
    [OPERATION_LOGOUT] = {check_none, logout},
};

enum rpc_error console_check_params(const struct network *n, enum operation operation,
                                    const cJSON *params, struct error *detail) {
    return methods[operation].check(n, params, detail);
}

void console_carry_out(enum operation operation, const struct console_work *work,
                       struct buf *result) {
    methods[operation].carry_out(work, result);
}
