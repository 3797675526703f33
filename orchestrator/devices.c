#include "orchestrator/devices.h"

#include "common/mem.h"
#include "common/rng.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 256 };

// --- lists

void device_list_insert(struct device_list *list, struct device *device, struct device *ahead) {
    device->ahead = ahead;
    device->behind = ahead == NULL ? list->first : ahead->behind;
    if (device->behind != NULL)
        device->behind->ahead = device;
    else
        list->last = device;
    if (ahead != NULL)
        ahead->behind = device;
    else
        list->first = device;
    list->count++;
}

void device_list_append(struct device_list *list, struct device *device) {
    device_list_insert(list, device, list->last);
}

void device_list_take_out(struct device_list *list, struct device *device) {
    if (device->ahead != NULL)
        device->ahead->behind = device->behind;
    else
        list->first = device->behind;
    if (device->behind != NULL)
        device->behind->ahead = device->ahead;
    else
        list->last = device->ahead;
    device->ahead = device->behind = NULL;
    list->count--;
}

// --- records

static struct device **bucket_of(const struct devices *devices, const struct host *host) {
    return &devices->buckets[rng_hash(host->name) & (devices->buckets_count - 1)];
}

static bool is_same(const struct host *a, const struct host *b) {
    return a->port == b->port && a->tls == b->tls && strcmp(a->name, b->name) == 0 &&
           strcmp(a->address, b->address) == 0;
}

struct device *devices_find(const struct devices *devices, const struct host *host) {
    for (struct device *d = *bucket_of(devices, host); d != NULL; d = d->next)
        if (is_same(&d->host, host)) return d;
    return NULL;
}

static void grow(struct devices *devices) {
    struct device **old = devices->buckets;
    const size_t count = devices->buckets_count;
    devices->buckets_count *= 2;
    devices->buckets = mem_array(devices->buckets_count, sizeof(struct device *));
    for (size_t i = 0; i < count; i++)
        for (struct device *d = old[i], *next; d != NULL; d = next) {
            struct device **bucket = bucket_of(devices, &d->host);
            next = d->next;
            d->next = *bucket;
            *bucket = d;
        }
    free(old);
}

static struct device *add(struct devices *devices, const struct host *host) {
    const size_t name = strlen(host->name) + 1, address = strlen(host->address) + 1;
    struct device *d = mem_zalloc(sizeof *d + name + address);
    char *texts = (char *)(d + 1);
    memcpy(texts, host->name, name);
    memcpy(texts + name, host->address, address);
    d->host =
        (struct host){.name = texts, .address = texts + name, .port = host->port, .tls = host->tls};
    if (devices->count++ == devices->buckets_count) grow(devices);
    struct device **bucket = bucket_of(devices, host);
    d->next = *bucket;
    *bucket = d;
    device_list_append(&devices->idle, d);
    return d;
}

static void forget_login(struct device *device) {
    free((void *)(uintptr_t)device->login.username);
    free((void *)(uintptr_t)device->login.password);
    device->login = (struct credentials){0};
}

static void device_free(struct device *device) {
    forget_login(device);
    free(device->held);
    free(device->version);
    free(device->why);
    free(device);
}

static void forget(struct devices *devices, struct device *device) {
    struct device **link = bucket_of(devices, &device->host);
    while (*link != device)
        link = &(*link)->next;
    *link = device->next;
    devices->count--;
    device_free(device);
}

static bool is_idle(const struct device *d) {
    return d->turn == NULL && d->users == 0 && d->ask == ASK_NONE && d->contact == NULL &&
           !d->is_next;
}

void devices_let_rest(struct devices *devices, struct device *device) {
    if (!is_idle(device)) return;
    device_list_append(&devices->idle, device);
    if (devices->idle.count <= DEVICES_IDLE_MAX) return;
    struct device *oldest = devices->idle.first;
    assert(oldest != NULL);
    device_list_take_out(&devices->idle, oldest);
    forget(devices, oldest);
}

struct device *devices_use(struct devices *devices, const struct host *host) {
    struct device *device = devices_find(devices, host);
    if (device == NULL) device = add(devices, host);
    if (is_idle(device)) device_list_take_out(&devices->idle, device);
    return device;
}

void device_set_why(struct device *device, const char *why) {
    char *copy = why == NULL ? NULL : mem_strdup(why);
    free(device->why);
    device->why = copy;
}

void device_set_login(struct device *device, struct credentials login, uint64_t epoch) {
    assert(device->contact == NULL);
    forget_login(device);
    device->epoch = epoch;
    if (login.username != NULL) device->login.username = mem_strdup(login.username);
    if (login.password != NULL) device->login.password = mem_strdup(login.password);
}

void device_set_version(struct device *device, const char *version) {
    if (version == NULL || (device->version != NULL && strcmp(version, device->version) == 0))
        return;
    free(device->version);
    device->version = mem_strdup(version);
}

// --- life

void devices_init(struct devices *devices) {
    *devices = (struct devices){.buckets_count = BUCKETS_FIRST};
    devices->buckets = mem_array(devices->buckets_count, sizeof(struct device *));
}

void devices_deinit(struct devices *devices) {
    for (size_t i = 0; i < devices->buckets_count; i++)
        for (struct device *d = devices->buckets[i], *next; d != NULL; d = next) {
            assert(d->turn == NULL);
            next = d->next;
            device_free(d);
        }
    free(devices->buckets);
}
