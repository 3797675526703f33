#include "tests/rude/device.h"

#include "common/error.h"
#include "common/glob.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, SMALL_WINDOW = 1 };

bool device_is_completed(const struct device_kind *kind) {
    return strcmp(kind->says[0], DEVICE_SUCCESS) == 0;
}

bool device_may_say(const struct device_kind *kind, const char *text) {
    for (size_t i = 0; i < sizeof kind->says / sizeof *kind->says; i++)
        if (kind->says[i] != NULL && glob_matches(kind->says[i], text)) return true;
    return false;
}

// --- its port

static int bind_to_any(struct device *d) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->listener < 0 || bind(d->listener, (struct sockaddr *)&at, len) != 0 ||
        getsockname(d->listener, (struct sockaddr *)&at, &len) != 0)
        return -errno;
    d->port = ntohs(at.sin_port);
    return 0;
}

// A queue of length 0 takes one connection: this is the one.
static int fill_queue(struct device *d) {
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)d->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    d->filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (d->filler < 0 || connect(d->filler, (const struct sockaddr *)&at, sizeof at) != 0)
        return -errno;
    return 0;
}

// Connections have the buffer of their listener: it must be set before one begins.
static int start_listening(struct device *d) {
    const int window = SMALL_WINDOW;
    if (d->kind->port == DEVICE_REFUSES) return 0;
    if (d->kind->port == DEVICE_TAKES_LITTLE &&
        setsockopt(d->listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof window) != 0)
        return -errno;
    const bool has_room = d->kind->port != DEVICE_HAS_NO_ROOM;
    if (listen(d->listener, has_room ? BACKLOG : 0) != 0) return -errno;
    return has_room ? 0 : fill_queue(d);
}

int device_open(struct device *d, const struct device_kind *kind, struct error *err) {
    *d = (struct device){.kind = kind, .version = DEVICE_BEFORE, .listener = -1, .filler = -1};
    snprintf(d->name, sizeof d->name, "%s." DEVICE_SITE, kind->name);
    int rc = bind_to_any(d);
    if (rc == 0) rc = start_listening(d);
    return rc == 0 ? 0 : error_system(err, rc, "%s", d->name);
}

void device_close(struct device *d) {
    if (d->filler >= 0) close(d->filler);
    if (d->listener >= 0) close(d->listener);
    d->filler = d->listener = -1;
}

bool device_is_listening(const struct device *d) {
    return d->listener >= 0 && d->kind->port != DEVICE_REFUSES &&
           d->kind->port != DEVICE_HAS_NO_ROOM;
}

int device_accept(struct device *d, const struct act **acts) {
    const int fd = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return -1;
    *acts = d->was_reached && d->kind->again != NULL ? d->kind->again : d->kind->acts;
    d->was_reached = true;
    return fd;
}

// --- what it says when it does as it should

static void add_version(const struct device *d, struct buf *out) {
    const char *last = strrchr(d->version, '.');
    const size_t os_len = last == NULL ? 0 : (size_t)(last - d->version);
    buf_addf(out, "{\"os_version\": \"%.*s\", \"revision\": \"%s\", \"full_version\": \"%s\"}",
             (int)os_len, d->version, d->version + os_len + 1, d->version);
}

void device_answer(struct device *d, uint32_t id, const char *method, const char *version,
                   struct buf *out) {
    buf_addf(out, "{\"jsonrpc\": \"2.0\", \"id\": %u, \"result\": ", id);
    if (strcmp(method, "install_os_version") == 0)
        snprintf(d->version, sizeof d->version, "%s", version);
    if (strcmp(method, "login") == 0)
        buf_addf(out, "{\"hostname\": \"%s\", \"platform\": \"acmeos\"}", d->name);
    else if (strcmp(method, "logout") == 0)
        buf_adds(out, "true");
    else
        add_version(d, out);
    buf_adds(out, "}\n");
}
