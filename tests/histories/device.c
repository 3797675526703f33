// What a device does with its calls, and by itself.
#include "tests/histories/device.h"

#include "tests/histories/world_internal.h"

#include <string.h>

const char *const versions[VERSIONS] = {"5.2.1", "5.3.1", "5.4.1"};

uint64_t device_draw(const struct world *w, unsigned host, enum operation op, const char *what,
                     uint64_t low, uint64_t high) {
    return world_draw(w, what, (uint64_t)host * 16 + op, w->devices[host].calls[op], low, high);
}

unsigned device_mess(const struct world *w, unsigned host) {
    return (w->plan->calm >> host & 1) != 0 ? 0 : w->plan->mess;
}

enum mishap device_mishap(const struct world *w, unsigned host, enum operation op) {
    if (w->now_ms < w->devices[host].coming_up_ms) return ERROR_ANSWER;
    if (device_draw(w, host, op, "goes wrong", 1, 1000) > device_mess(w, host)) return NO_MISHAP;
    return (enum mishap)device_draw(w, host, op, "how", NO_MISHAP + 1, MISHAPS - 1);
}

bool device_refuses(const struct world *w, unsigned host) {
    return w->devices[host].is_dead || w->now_ms < w->devices[host].booting_ms;
}

void device_write_version(const struct world *w, unsigned host, struct buf *out) {
    const struct truth *device = &w->devices[host];
    const char *version = versions[device->version];
    buf_addf(out, "{\"os_version\": \"%.3s\", \"revision\": \"%s\", \"full_version\": \"%s\"",
             version, version + 4, version);
    if (device->installing != NOBODY)
        buf_addf(out, ", \"installing\": \"%s\"", versions[device->installing]);
    buf_adds(out, "}");
}

// --- installs

void device_begin_install(struct world *w, unsigned host, const char *call, int job) {
    struct truth *device = &w->devices[host];
    int version = NOBODY;
    for (int v = 0; v < VERSIONS; v++)
        if (strstr(call, versions[v]) != NULL) version = v;
    referee_install(w, host, (unsigned)version, job);
    world_count_install(w);
    device->installing = version;
    device->job = job;
    device->installed_ms =
        w->now_ms + world_paced(w, device_draw(w, host, OP_INSTALL, "install takes", 5, 80));
    world_at(w, device->installed_ms, EVENT_INSTALLED, host);
}

static void install_ends(struct world *w, unsigned host) {
    struct truth *device = &w->devices[host];
    if (device->installing == NOBODY || device->installed_ms > w->now_ms) return; // it died
    const bool fails =
        device_draw(w, host, OP_INSTALL, "is lost", 1, 100) <= w->plan->lost ||
        device_draw(w, host, OP_INSTALL, "install fails", 1, 1000) <= device_mess(w, host);
    if (!fails) {
        device->version = (unsigned)device->installing;
        device->done[device->job]++;
    }
    device->installing = NOBODY;
    const bool restarts = device_draw(w, host, OP_INSTALL, "restarts", 1, 100) <= 40;
    story_tell(w, "    h%u has %s%s", host,
               fails ? "not taken the install" : versions[device->version],
               restarts ? ", and restarts" : "");
    if (!restarts) return;
    device->booting_ms =
        w->now_ms + world_paced(w, device_draw(w, host, OP_INSTALL, "boots for", 5, 90));
    device->coming_up_ms = device->booting_ms +
                           world_paced(w, device_draw(w, host, OP_INSTALL, "comes up for", 0, 40));
    talk_lose_all(w, host);
}

// --- death

static void die(struct world *w, unsigned host) {
    struct truth *device = &w->devices[host];
    story_tell(w, "    h%u dies", host);
    device->is_dead = true;
    device->installing = NOBODY;
    talk_lose_all(w, host);
}

static void come_back(struct world *w, unsigned host) {
    story_tell(w, "    h%u is back", host);
    w->devices[host].is_dead = false;
}

bool device_happen(struct world *w, enum history_event kind, unsigned host) {
    switch (kind) {
    case EVENT_INSTALLED:
        install_ends(w, host);
        return true;
    case EVENT_DEATH:
        die(w, host);
        return true;
    case EVENT_BACK:
        come_back(w, host);
        return true;
    default:
        return false;
    }
}
