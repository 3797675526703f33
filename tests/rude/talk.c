// What a peer is to say is gathered until an act of another kind comes, and goes as one write: so
// an answer and what stands behind it in the table reach the other end together.
#include "tests/rude/talk.h"

#include "common/rng.h"
#include "common/rpc.h"
#include "tests/rude/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16 * 1024, HEARD_MAX = 1 << 20 };

void talk_init(struct talk *t, int fd, const struct act *acts, struct device *device,
               uint64_t seed) {
    *t = (struct talk){.fd = fd, .act = acts, .device = device, .noise = seed};
}

void talk_leave(struct talk *t, bool with_reset) {
    const struct linger at_once = {.l_onoff = 1};
    if (t->fd < 0) return;
    if (with_reset) setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(t->fd);
    t->fd = -1;
}

void talk_deinit(struct talk *t) {
    talk_leave(t, false);
    buf_deinit(&t->in);
    buf_deinit(&t->out);
}

bool talk_is_reading(const struct talk *t) {
    if (t->fd < 0) return false;
    return t->act->kind != ACT_FLOOD && t->act->kind != ACT_SIP && t->act->kind != ACT_STALL;
}

bool talk_is_played(const struct talk *t) {
    const bool is_last = t->act->kind == ACT_END || t->act[1].kind == ACT_END;
    return is_last && (t->out.len == 0 || t->told > 0);
}

// --- reading

static void note_first(struct talk *t, const char *bytes, size_t len) {
    const size_t room = sizeof t->first - 1 - t->first_len;
    const size_t more = len < room ? len : room;
    memcpy(t->first + t->first_len, bytes, more);
    t->first_len += more;
}

// What else a client gets is of no interest.
static void take(struct talk *t, size_t max) {
    char bytes[PIECE];
    const ssize_t n = recv(t->fd, bytes, max < sizeof bytes ? max : sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        talk_leave(t, false);
        return;
    }
    t->has_read = true;
    note_first(t, bytes, (size_t)n);
    if (t->device != NULL && t->in.len < HEARD_MAX) buf_add(&t->in, bytes, (size_t)n);
}

static void read_to_the_end(struct talk *t) {
    char bytes[PIECE];
    while (recv(t->fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void note_request(struct talk *t, const struct rpc_request *r) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(r->params, "version");
    t->id = (uint32_t)r->id->valuedouble;
    snprintf(t->method, sizeof t->method, "%s", r->method);
    snprintf(t->version, sizeof t->version, "%s",
             cJSON_IsString(version) ? version->valuestring : "");
}

// False: there is none yet. One that is no request is a mistake of the orchestrator's: it is never
// answered.
static bool hear(struct talk *t) {
    const char *end = t->in.len == 0 ? NULL : memchr(t->in.data, '\n', t->in.len);
    struct rpc_request request;
    if (end == NULL) return false;
    const size_t len = (size_t)(end - t->in.data);
    const bool is_request =
        rpc_request_parse(&request, t->in.data, len) == RPC_OK && cJSON_IsNumber(request.id);
    if (is_request) note_request(t, &request);
    rpc_request_deinit(&request);
    buf_drop(&t->in, len + 1);
    return is_request;
}

// --- saying

// $ID and $NEXT: of the call that was heard, and of the one behind it. $HOST: what it asked for.
static void add_text(struct talk *t, const char *text, size_t len) {
    const char *const end = text + len;
    while (text < end) {
        const char *mark = t->device == NULL ? NULL : memchr(text, '$', (size_t)(end - text));
        buf_add(&t->out, text, (size_t)((mark == NULL ? end : mark) - text));
        if (mark == NULL) return;
        text = mark + strcspn(mark + 1, "\"., }") + 1;
        if (strncmp(mark, "$ID", 3) == 0)
            buf_add_uint(&t->out, t->id);
        else if (strncmp(mark, "$NEXT", 5) == 0)
            buf_add_uint(&t->out, t->id + 1);
        else
            buf_adds(&t->out, t->device->name);
    }
}

static void answer(struct talk *t, enum act_kind how) {
    const size_t before = t->out.len;
    device_answer(t->device, t->id, t->method, t->version, &t->out);
    const size_t len = t->out.len - before;
    if (how == ACT_OBEY) t->out.len = before;
    if (how == ACT_ANSWER_HALF) t->out.len = before + len / 2;
}

// Whether it is an act of saying, which is gathered.
static bool gather(struct talk *t, const struct act *act) {
    switch (act->kind) {
    case ACT_SAY:
        for (unsigned i = 0; i < act->n; i++)
            add_text(t, act->text, act->len);
        return true;
    case ACT_NOISE:
        for (unsigned i = 0; i < act->n; i++) {
            t->noise = rng_mix(t->noise, i);
            buf_add(&t->out, &t->noise, sizeof t->noise);
        }
        return true;
    case ACT_ANSWER:
    case ACT_ANSWER_HALF:
    case ACT_OBEY:
        answer(t, act->kind);
        return true;
    default:
        return false;
    }
}

// False: not all of it is told yet, or there is nobody to tell it to.
static bool flush(struct talk *t, uint64_t now_ms) {
    size_t left = t->out.len - t->told;
    if (left == 0) return true;
    if (t->drip_ms > 0) {
        if (now_ms < t->drip_due_ms) return false;
        t->drip_due_ms = now_ms + t->drip_ms;
        left = 1;
    }
    const ssize_t n = send(t->fd, t->out.data + t->told, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) talk_leave(t, false);
    if (n <= 0) return false;
    t->told += (size_t)n;
    if (t->told < t->out.len) return false;
    buf_clear(&t->out);
    t->told = 0;
    return true;
}

static void flood(struct talk *t, const struct act *act, uint64_t now_ms) {
    const size_t piece = t->drip_ms > 0 ? 1 : PIECE;
    while (t->out.len < piece)
        add_text(t, act->text, act->len);
    flush(t, now_ms);
}

// --- acts

enum next { GOES_ON, STAYS, RESTS };

static enum next end(struct talk *t) {
    if (t->device == NULL || !hear(t)) return RESTS;
    answer(t, ACT_ANSWER);
    return STAYS;
}

static enum next perform(struct talk *t, const struct act *act, uint64_t now_ms) {
    switch (act->kind) {
    case ACT_END:
        return end(t);
    case ACT_HEAR:
        return hear(t) ? GOES_ON : RESTS;
    case ACT_READ:
        return t->has_read ? GOES_ON : RESTS;
    case ACT_URGE:
        send(t->fd, act->text, act->len, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
        return GOES_ON;
    case ACT_DRIP:
        t->drip_ms = act->n;
        return GOES_ON;
    case ACT_FLOOD:
        flood(t, act, now_ms);
        return RESTS;
    case ACT_SIP:
        take(t, 1);
        return RESTS;
    case ACT_SHUT:
        shutdown(t->fd, SHUT_WR);
        return GOES_ON;
    case ACT_DEAFEN:
        shutdown(t->fd, SHUT_RD);
        return GOES_ON;
    case ACT_CLOSE:
        read_to_the_end(t);
        talk_leave(t, false);
        return RESTS;
    case ACT_RESET:
        talk_leave(t, true);
        return RESTS;
    default: // the one that waits, the one that stalls
        return RESTS;
    }
}

static void play(struct talk *t, uint64_t now_ms) {
    enum next next = GOES_ON;
    while (next != RESTS) {
        if (gather(t, t->act)) {
            t->act++;
            continue;
        }
        if (!flush(t, now_ms)) return;
        next = perform(t, t->act, now_ms);
        if (next == GOES_ON) t->act++;
    }
}

void talk_turn(struct talk *t, bool is_readable, uint64_t now_ms) {
    if (t->fd >= 0 && is_readable) take(t, SIZE_MAX);
    if (t->fd >= 0) play(t, now_ms);
}
