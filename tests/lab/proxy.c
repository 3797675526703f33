#include "tests/lab/proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 32, TURN_MS = 5, CHUNK = 65536, READY_LEN = 6 };

#define SOCKET ".s.PGSQL.5432"

struct pair {
    int client, server; // -1: free
    bool is_losing;     // what the server answers is the answer that is to be lost
};

struct lab_proxy {
    char folder[40];
    struct sockaddr_un server;
    int listener;
    struct pair pairs[PAIRS_MAX];
    pthread_t thread;
    atomic_int mode;
    atomic_uint delay_ms;
    atomic_bool is_over;
};

static void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

// --- pairs

static void cut(struct pair *pair) {
    if (pair->client >= 0) close(pair->client);
    if (pair->server >= 0) close(pair->server);
    *pair = (struct pair){.client = -1, .server = -1};
}

static void cut_all(struct lab_proxy *p) {
    for (int i = 0; i < PAIRS_MAX; i++)
        cut(&p->pairs[i]);
}

static void take_client(struct lab_proxy *p) {
    const int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) return;
    for (int i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &p->pairs[i];
        if (pair->client >= 0) continue;
        pair->client = client;
        pair->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (p->mode == LAB_REFUSE ||
            connect(pair->server, (const struct sockaddr *)&p->server, sizeof p->server) != 0)
            cut(pair);
        return;
    }
    close(client);
}

static bool send_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        const ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

// --- what passes

static void ask(struct lab_proxy *p, struct pair *pair) {
    char data[CHUNK];
    const ssize_t len = recv(pair->client, data, sizeof data, 0);
    const int mode = p->mode;
    if (len <= 0 || mode == LAB_LOSE_QUESTION) {
        if (len > 0) p->mode = LAB_PASS;
        len > 0 ? cut_all(p) : cut(pair);
        return;
    }
    pair->is_losing = mode == LAB_LOSE_ANSWER || mode == LAB_LOSE_END;
    if (!send_all(pair->server, data, (size_t)len)) cut(pair);
}

// Whether the server has come to the end of its answer: it is ready for the next question.
static bool is_end(const char *data, size_t len) {
    static const char ready[] = {'Z', 0, 0, 0, 5};
    return len >= READY_LEN && memcmp(data + len - READY_LEN, ready, sizeof ready) == 0;
}

static void answer(struct lab_proxy *p, struct pair *pair) {
    char data[CHUNK];
    const ssize_t got = recv(pair->server, data, sizeof data, 0);
    if (got <= 0) {
        cut(pair);
        return;
    }
    size_t len = (size_t)got;
    const bool is_whole = pair->is_losing && is_end(data, len);
    if (is_whole) len -= READY_LEN;
    if (p->mode == LAB_DELAY) usleep(p->delay_ms * 1000);
    const bool is_told = !pair->is_losing || p->mode == LAB_LOSE_END;
    if (is_told && !send_all(pair->client, data, len)) cut(pair);
    if (!is_whole) return;
    p->mode = LAB_PASS;
    cut_all(p);
}

static void turn(struct lab_proxy *p) {
    const bool is_frozen = p->mode == LAB_FREEZE;
    struct pollfd fds[2 * PAIRS_MAX + 1] = {{.fd = is_frozen ? -1 : p->listener, .events = POLLIN}};
    for (int i = 0; i < PAIRS_MAX; i++) {
        fds[1 + 2 * i] =
            (struct pollfd){.fd = is_frozen ? -1 : p->pairs[i].client, .events = POLLIN};
        fds[2 + 2 * i] =
            (struct pollfd){.fd = is_frozen ? -1 : p->pairs[i].server, .events = POLLIN};
    }
    if (poll(fds, sizeof fds / sizeof *fds, TURN_MS) <= 0 || p->mode == LAB_FREEZE) return;
    // A client that is told that all is over has what came before.
    for (int i = 0; i < PAIRS_MAX; i++)
        if (fds[2 + 2 * i].revents != 0 && p->pairs[i].server == fds[2 + 2 * i].fd)
            answer(p, &p->pairs[i]);
    for (int i = 0; i < PAIRS_MAX; i++)
        if (fds[1 + 2 * i].revents != 0 && p->pairs[i].client == fds[1 + 2 * i].fd)
            ask(p, &p->pairs[i]);
    if (fds[0].revents != 0) take_client(p);
}

static void *run(void *arg) {
    struct lab_proxy *p = arg;
    while (!p->is_over) {
        if (p->mode == LAB_REFUSE) cut_all(p);
        turn(p);
    }
    cut_all(p);
    return NULL;
}

// --- life

static struct sockaddr_un address_in(const char *folder, size_t len) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.*s/" SOCKET, (int)len, folder);
    return address;
}

struct lab_proxy *lab_proxy_start(const char *server_uri, char uri[LAB_URI_MAX]) {
    struct lab_proxy *p = calloc(1, sizeof *p);
    const char *host = strstr(server_uri, "host=");
    if (p == NULL || host == NULL) fail(server_uri);
    host += strlen("host=");
    p->server = address_in(host, strcspn(host, "&"));
    snprintf(p->folder, sizeof p->folder, "/tmp/lab-proxy-XXXXXX");
    if (mkdtemp(p->folder) == NULL) fail(p->folder);
    for (int i = 0; i < PAIRS_MAX; i++)
        p->pairs[i] = (struct pair){.client = -1, .server = -1};
    const struct sockaddr_un own = address_in(p->folder, strlen(p->folder));
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(p->listener, (const struct sockaddr *)&own, sizeof own) != 0 ||
        listen(p->listener, PAIRS_MAX) != 0)
        fail(own.sun_path);
    if (pthread_create(&p->thread, NULL, run, p) != 0) fail("pthread_create");
    snprintf(uri, LAB_URI_MAX, "%.*s%s", (int)(host - server_uri), server_uri, p->folder);
    return p;
}

void lab_proxy_set(struct lab_proxy *p, enum lab_proxy_mode mode) {
    p->mode = mode;
    usleep(3 * TURN_MS * 1000); // it is in force then
}

void lab_proxy_delay(struct lab_proxy *p, unsigned delay_ms) {
    p->delay_ms = delay_ms;
    lab_proxy_set(p, LAB_DELAY);
}

enum lab_proxy_mode lab_proxy_mode(struct lab_proxy *p) {
    return (enum lab_proxy_mode)(int)p->mode;
}

void lab_proxy_stop(struct lab_proxy *p) {
    p->is_over = true;
    pthread_join(p->thread, NULL);
    close(p->listener);
    const struct sockaddr_un own = address_in(p->folder, strlen(p->folder));
    unlink(own.sun_path);
    rmdir(p->folder);
    free(p);
}
