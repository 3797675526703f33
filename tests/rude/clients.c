#include "tests/rude/clients.h"

#include "common/mem.h"
#include "common/rng.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 200, // of each target at a time, beside those that stay
    COMING_MAX = 4,    // at a time
    STAYING = 8,       // of a kind that stays
    SHORT_MS = 20,     // how long a client is there: this, doubled a few times
    DOUBLINGS = 9,
    SMALL_WINDOW = 1,
    SMALL_SEGMENT = 536,
};

struct client {
    struct client *next;
    struct talk talk;
    const struct client_kind *kind;
    enum client_target target;
    uint64_t leaves_ms; // by itself
    bool leaves_with_reset, must_be_ended, is_played;
};

struct client_coming {
    size_t kind;
    enum client_target target;
    bool must_be_ended;
};

static uint64_t draw(struct clients *c, uint64_t below) {
    return rng_range(rng_mix(c->seed, c->draws++), 0, below - 1);
}

// --- who comes

static void add_coming(struct clients *c, size_t kind, enum client_target target) {
    const struct client_kind *k = &client_kinds[kind];
    const bool must_be_ended = (k->ended & (1U << target)) != 0;
    for (int i = k->stays ? STAYING : 1; i > 0; i--)
        c->coming[c->coming_count++] = (struct client_coming){kind, target, must_be_ended};
    c->unplayed++;
}

void clients_init(struct clients *c, uint64_t seed, const union address targets[CLIENT_TARGETS]) {
    *c = (struct clients){.seed = seed};
    memcpy(c->targets, targets, sizeof c->targets);
    c->played = mem_array(client_kinds_count * CLIENT_TARGETS, sizeof *c->played);
    c->coming = mem_array(client_kinds_count * CLIENT_TARGETS * STAYING, sizeof *c->coming);
    for (size_t kind = 0; kind < client_kinds_count; kind++) {
        c->weights += client_kinds[kind].weight;
        for (unsigned target = 0; target < CLIENT_TARGETS; target++)
            if ((client_kinds[kind].targets & (1U << target)) != 0) add_coming(c, kind, target);
    }
}

// Out of those that have to come, or of all.
static struct client_coming draw_coming(struct clients *c) {
    struct client_coming next = {0};
    if (c->coming_count > 0) {
        const size_t at = (size_t)draw(c, c->coming_count);
        next = c->coming[at];
        c->coming[at] = c->coming[--c->coming_count];
        return next;
    }
    uint64_t at = draw(c, c->weights);
    while (at >= client_kinds[next.kind].weight)
        at -= client_kinds[next.kind++].weight;
    do
        next.target = (enum client_target)draw(c, CLIENT_TARGETS);
    while ((client_kinds[next.kind].targets & (1U << next.target)) == 0);
    return next;
}

static int connect_to(const union address *to, bool takes_little) {
    const int window = SMALL_WINDOW, segment = SMALL_SEGMENT;
    const int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && takes_little) { // before it is connected
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
        setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    if (fd < 0 || connect(fd, &to->any, sizeof to->v4) == 0 || errno == EINPROGRESS) return fd;
    close(fd);
    return -1;
}

static void send_one(struct clients *c, struct client_coming coming, uint64_t now_ms) {
    const struct client_kind *kind = &client_kinds[coming.kind];
    const uint64_t stay_ms = (uint64_t)SHORT_MS << draw(c, DOUBLINGS);
    const bool leaves_with_reset = draw(c, 2) == 1, stays = kind->stays || coming.must_be_ended;
    const int fd = connect_to(&c->targets[coming.target], kind->takes_little);
    if (fd < 0) return;
    struct client *client = mem_zalloc(sizeof *client);
    *client = (struct client){.next = c->first,
                              .kind = kind,
                              .target = coming.target,
                              .leaves_ms = stays ? UINT64_MAX : now_ms + stay_ms,
                              .leaves_with_reset = leaves_with_reset,
                              .must_be_ended = coming.must_be_ended};
    talk_init(&client->talk, fd, kind->acts, NULL, draw(c, UINT64_MAX));
    c->first = client;
    c->connections++;
    c->count[coming.target] += !kind->stays;
}

void clients_send(struct clients *c, uint64_t now_ms) {
    for (uint64_t i = draw(c, COMING_MAX + 1); i > 0; i--) {
        const bool has_to = c->coming_count > 0;
        const struct client_coming coming = draw_coming(c);
        if (has_to || c->count[coming.target] < CLIENTS_MAX) send_one(c, coming, now_ms);
    }
}

// --- what becomes of them

static bool is_answered(const struct client *client) {
    const char *answer = client->kind->answer;
    return answer == NULL || client->talk.first_len >= strlen(answer);
}

static int check_answer(const struct client *client, struct error *err) {
    const char *answer = client->kind->answer;
    const struct talk *talk = &client->talk;
    if (answer == NULL || !is_answered(client) || memcmp(talk->first, answer, strlen(answer)) == 0)
        return 0;
    return error_set(err, "the client that %s was told %.*s, not %s", client->kind->name,
                     (int)strcspn(talk->first, "\r\n"), talk->first, answer);
}

// One that is over before its last act comes again, until the kind has been there once.
static void note_played(struct clients *c, struct client *client) {
    const size_t kind = (size_t)(client->kind - client_kinds);
    bool *played = &c->played[kind * CLIENT_TARGETS + client->target];
    if (!client->is_played && talk_is_played(&client->talk) && is_answered(client)) {
        client->is_played = true;
        c->unplayed -= !*played;
        *played = true;
    }
    if (client->talk.fd < 0 && !*played)
        c->coming[c->coming_count++] =
            (struct client_coming){kind, client->target, client->must_be_ended};
}

static void drop(struct clients *c, struct client **link) {
    struct client *client = *link;
    *link = client->next;
    c->count[client->target] -= !client->kind->stays;
    talk_deinit(&client->talk);
    free(client);
}

void clients_watch(const struct clients *c, struct pollset *set) {
    for (const struct client *client = c->first; client != NULL; client = client->next)
        if (talk_is_reading(&client->talk)) pollset_add(set, client->talk.fd);
}

int clients_turn(struct clients *c, const struct pollfd *ready, bool is_due, uint64_t now_ms,
                 struct error *err) {
    for (struct client **link = &c->first; *link != NULL;) {
        struct client *client = *link;
        const bool is_readable = talk_is_reading(&client->talk) && (ready++)->revents != 0;
        if (is_readable || is_due) talk_turn(&client->talk, is_readable, now_ms);
        if (now_ms >= client->leaves_ms) talk_leave(&client->talk, client->leaves_with_reset);
        int rc = check_answer(client, err);
        if (rc != 0) return rc;
        note_played(c, client);
        if (client->talk.fd < 0)
            drop(c, link);
        else
            link = &client->next;
    }
    return 0;
}

int clients_check_played(const struct clients *c, struct error *err) {
    static const char *const targets[] = {"the API", "the admin API", "the devices"};
    for (size_t kind = 0; kind < client_kinds_count; kind++)
        for (unsigned target = 0; target < CLIENT_TARGETS; target++)
            if ((client_kinds[kind].targets & (1U << target)) != 0 &&
                !c->played[kind * CLIENT_TARGETS + target])
                return error_set(err, "the client that %s did not come to its end at %s",
                                 client_kinds[kind].name, targets[target]);
    return 0;
}

int clients_leave(struct clients *c, struct error *err) {
    for (const struct client *client = c->first; client != NULL; client = client->next)
        if (client->must_be_ended)
            return error_set(err, "the client that %s is there still", client->kind->name);
    while (c->first != NULL)
        drop(c, &c->first);
    return 0;
}

void clients_deinit(struct clients *c) {
    while (c->first != NULL)
        drop(c, &c->first);
    free(c->coming);
    free(c->played);
}
