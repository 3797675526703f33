// Devices by place and by name.
#include "simulator/network.h"

#include "common/mem.h"
#include "common/rng.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- by place

static const struct network_block *block_of(const struct network *n, uint32_t device) {
    size_t low = 0, high = n->blocks_len; // the block is in [low, high)
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (n->blocks[middle].first <= device)
            low = middle;
        else
            high = middle;
    }
    return &n->blocks[low];
}

struct network_place network_place(const struct network *n, uint32_t device) {
    const struct network_block *block = block_of(n, device);
    struct network_place at = {.site = &n->sites[block->site], .number = device - block->first};
    if (block->own) at.own = &n->own[block->first_own + at.number];
    at.type = &n->types[at.own != NULL ? at.own->type : block->type];
    return at;
}

uint32_t network_rack(const struct network_place *place) {
    return place->type->rack + place->number / place->type->per_rack;
}

uint64_t network_hash(const struct network *n, uint32_t device) {
    struct network_place at = network_place(n, device);
    if (at.own != NULL) return rng_hash(at.own->name);
    return rng_mix(rng_mix(at.site->hash, at.type->hash), at.number);
}

// Returns its length; where it is not less than size, the text is cut.
static size_t write_name(const struct network_place *at, char *text, size_t size) {
    if (at->own != NULL) return (size_t)snprintf(text, size, "%s", at->own->name);
    if (at->type->naming.len > 0)
        return network_name_write(&at->type->naming, at->site->name, at->type->name, at->number,
                                  text, size);
    return (size_t)snprintf(text, size, "%s%02u.%s", at->type->name, at->number, at->site->name);
}

void network_host(const struct network *n, uint32_t device, char text[NETWORK_HOST_MAX]) {
    struct network_place at = network_place(n, device);
    write_name(&at, text, NETWORK_HOST_MAX);
}

// --- by name: the default one

static bool find_in_site(const struct network *n, size_t site, size_t type, uint32_t number,
                         uint32_t *device) {
    size_t end = site + 1 < n->sites_len ? n->sites[site + 1].first_block : n->blocks_len;
    for (size_t i = n->sites[site].first_block; i < end; i++) {
        const struct network_block *block = &n->blocks[i];
        if (block->own || block->type != type) continue;
        uint32_t after = i + 1 < n->blocks_len ? n->blocks[i + 1].first : n->devices;
        *device = block->first + number;
        return number < after - block->first;
    }
    return false;
}

static bool find_default(const struct network *n, const char *host, uint32_t *device) {
    const char *dot = strchr(host, '.');
    if (dot == NULL) return false;
    int site = network_find_site(n, dot + 1);
    const char *digits = dot;
    while (digits > host && isdigit((unsigned char)digits[-1]))
        digits--;
    size_t count = (size_t)(dot - digits), name_len = (size_t)(digits - host);
    if (site < 0 || count < 2 || count > 9 || (count > 2 && *digits == '0')) return false;
    if (name_len > NETWORK_NAME_MAX) return false;

    char name[NETWORK_NAME_MAX + 1];
    memcpy(name, host, name_len);
    name[name_len] = '\0';
    int type = network_find_type(n, name);
    if (type < 0 || n->types[type].naming.len > 0) return false;
    return find_in_site(n, (size_t)site, (size_t)type, (uint32_t)strtoul(digits, NULL, 10), device);
}

// --- by name: any other, from the table

static bool is_indexed(const struct network *n, const struct network_block *block) {
    return block->own || n->types[block->type].naming.len > 0;
}

// The slot of the name, or the free one where it would be.
static uint32_t *slot_of(const struct network *n, const char *host) {
    assert(n->by_name != NULL);
    size_t at = rng_hash(host) & (n->by_name_cap - 1);
    char other[NETWORK_HOST_MAX];
    for (; n->by_name[at] != 0; at = (at + 1) & (n->by_name_cap - 1)) {
        network_host(n, n->by_name[at] - 1, other);
        if (strcmp(other, host) == 0) break;
    }
    return &n->by_name[at];
}

bool network_find(const struct network *n, const char *host, uint32_t *device) {
    uint32_t found = n->by_name_cap == 0 ? 0 : *slot_of(n, host);
    if (found == 0) return find_default(n, host, device);
    *device = found - 1;
    return true;
}

static int index_device(struct network *n, uint32_t device, struct error *err) {
    char host[NETWORK_HOST_MAX];
    struct network_place at = network_place(n, device);
    uint32_t other;
    if (write_name(&at, host, sizeof host) >= sizeof host)
        return error_set(err, "'%.80s...': the name of a device is longer than %d bytes", host,
                         NETWORK_HOST_MAX - 1);
    uint32_t *slot = slot_of(n, host);
    if (*slot != 0 || find_default(n, host, &other))
        return error_set(err, "two devices would be called '%.100s'", host);
    *slot = device + 1;
    return 0;
}

static uint32_t block_end(const struct network *n, size_t block) {
    return block + 1 < n->blocks_len ? n->blocks[block + 1].first : n->devices;
}

int network_index(struct network *n, struct error *err) {
    size_t count = 0, cap = 16;
    int rc = 0;
    for (size_t i = 0; i < n->blocks_len; i++)
        if (is_indexed(n, &n->blocks[i])) count += block_end(n, i) - n->blocks[i].first;
    while (cap * 3 < count * 4)
        cap *= 2;
    free(n->by_name);
    n->by_name = count == 0 ? NULL : mem_array(cap, sizeof *n->by_name);
    n->by_name_cap = count == 0 ? 0 : cap;
    for (size_t i = 0; rc == 0 && i < n->blocks_len; i++)
        for (uint32_t device = n->blocks[i].first;
             rc == 0 && is_indexed(n, &n->blocks[i]) && device < block_end(n, i); device++)
            rc = index_device(n, device, err);
    return rc;
}

// --- what a login must give

static void add_login(struct credentials *login, const char *username, const char *password) {
    if (login->username == NULL) login->username = username;
    if (login->password == NULL) login->password = password;
}

struct credentials network_login(const struct network *n, uint32_t device) {
    const struct network_override *override = network_override_of(n, device);
    const struct network_place place = network_place(n, device);
    struct credentials login = {0};
    if (override != NULL) login = override->login;
    add_login(&login, place.type->login.username, place.type->login.password);
    add_login(&login, n->username, n->password);
    return login;
}

bool network_takes_epochs(const struct network *n, uint32_t device) {
    const struct network_override *override = network_override_of(n, device);
    return override == NULL || override->epochs == 0 ? n->epochs : override->epochs > 0;
}
