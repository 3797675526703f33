#include "tests/histories/talk.h"

#include "common/mem.h"
#include "common/rpc.h"
#include "tests/histories/world_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const methods[] = {[OP_LOGIN] = "login",
                                      [OP_GET_VERSION] = "get_version",
                                      [OP_INSTALL] = "install_os_version",
                                      [OP_LOGOUT] = "logout",
                                      [OP_GET_CPU_RAM] = "get_cpu_ram"};
static const char *const mishap_words[MISHAPS] = {
    [NO_MISHAP] = "",
    [ERROR_ANSWER] = " by an error",
    [SILENCE] = " and never does",
    [CLOSES_BEFORE] = " and closes the connection instead",
    [CLOSES_BEHIND] = " and closes the connection behind it",
    [GARBAGE] = " by garbage",
};

static const char *asker_of(const struct talk *talk) {
    static const char *const jobs[PLAN_JOBS] = {"job 0", "job 1", "job 2",
                                                "job 3", "job 4", "job 5"};
    return talk->job == NOBODY ? "an ask" : jobs[talk->job];
}

// --- the session

static void carry_out(struct world *w, struct talk *talk);

static void wake(struct world *w, struct talk *talk) {
    const uint64_t due = talk->due_ms < talk->deadline_ms ? talk->due_ms : talk->deadline_ms;
    if (due != UINT64_MAX) world_at(w, due > w->now_ms ? due : w->now_ms, EVENT_TALK, talk->serial);
}

static void hang_up(struct world *w, struct talk *talk) {
    struct truth *device = &w->devices[talk->host];
    if (talk->is_logged_in) device->logins[talk->is_alias]--;
    talk->is_logged_in = false;
    talk->state = TALK_APART;
    talk->due_ms = UINT64_MAX;
    buf_clear(&talk->sent);
    buf_clear(&talk->reply);
    talk->sent_at = 0;
}

// Texts of its last step live until it is freed.
static void unlink_talk(struct world *w, struct talk *talk) {
    struct talk **link = &w->at->talks;
    while (*link != talk)
        link = &(*link)->next;
    *link = talk->next;
    hang_up(w, talk);
}

static void talk_free(struct talk *talk) {
    session_deinit(&talk->session);
    buf_deinit(&talk->sent);
    buf_deinit(&talk->reply);
    free(talk);
}

static void step(struct world *w, struct talk *talk, enum session_input_kind kind, const char *text,
                 size_t len) {
    const struct session_input input = {.kind = kind, .text = text, .len = len};
    struct device *device = talk->device;
    session_step(&talk->session, &input, w->now_ms, &w->at->update);
    const bool is_over = w->at->update.want == SESSION_END;
    carry_out(w, talk);
    gate_stepped(w->at->gate, device, &w->at->update);
    if (is_over) talk_free(talk);
}

// One that logs out has had its answer.
static bool logs_out(const struct talk *talk) {
    const bool is_left = talk->sent_at < talk->sent.len;
    return talk->op == OP_LOGOUT ||
           (is_left && strstr(talk->sent.data + talk->sent_at, "\"logout\"") != NULL);
}

static void lose(struct world *w, struct talk *talk, const char *how) {
    if (talk->job == NOBODY && !logs_out(talk)) referee_lost(w, talk->host, talk->is_alias);
    hang_up(w, talk);
    step(w, talk, SESSION_LOST, how, 0);
}

static void dial(struct world *w, struct talk *talk) {
    talk->state = TALK_DIALLING;
    talk->due_ms = w->now_ms + world_paced(w, device_draw(w, talk->host, OP_DIAL, "dial", 0, 3));
}

// Devices lock accounts, and one in doubt would be called failed.
static void check_login(struct world *w, const struct talk *talk, const char *line) {
    char expected[40];
    if (plan_has_login(w->plan, talk->host))
        snprintf(expected, sizeof expected, "\"password\": \"p%u\"", talk->host);
    else
        snprintf(expected, sizeof expected, "\"password\": \"%s\"", w->sessions.password);
    if (strstr(line, expected) == NULL)
        story_broken(w, one_outcome, "h%u is logged in to with credentials of another", talk->host);
}

static void begin_call(struct world *w, struct talk *talk);

static void carry_out(struct world *w, struct talk *talk) {
    const struct session_update *update = &w->at->update;
    talk->deadline_ms = update->deadline_ms;
    switch (update->want) {
    case SESSION_CONNECT:
        dial(w, talk);
        break;
    case SESSION_SEND:
        buf_add(&talk->sent, update->send.data, update->send.len);
        if (talk->state == TALK_IDLE) begin_call(w, talk);
        break;
    case SESSION_ASK:
    case SESSION_KEEP:
        break;
    case SESSION_PAUSE:
        hang_up(w, talk);
        break;
    case SESSION_END:
        unlink_talk(w, talk);
        return;
    }
    wake(w, talk);
}

// --- what a device does with a call

static enum operation operation_of(const char *line) {
    for (enum operation op = OP_LOGIN; op <= OP_GET_CPU_RAM; op++) {
        char quoted[32];
        if (methods[op] == NULL) continue;
        snprintf(quoted, sizeof quoted, "\"%s\"", methods[op]);
        if (strstr(line, quoted) != NULL) return op;
    }
    abort(); // no session sends anything else
}

static void write_reply(struct world *w, struct talk *talk, enum operation op, uint32_t id,
                        enum mishap mishap) {
    struct buf result = {0};
    cJSON number = {.type = cJSON_Number, .valuedouble = id, .valueint = (int)id};
    talk->is_look = op == OP_GET_VERSION && (mishap == NO_MISHAP || mishap == CLOSES_BEHIND);
    if (op == OP_LOGIN)
        buf_addf(&result, "{\"hostname\": \"h%u\", \"platform\": \"acmeos\"}", talk->host);
    else if (op == OP_LOGOUT)
        buf_adds(&result, "true");
    else if (op == OP_GET_CPU_RAM)
        buf_addf(&result, "{\"cpu\": 1, \"ram_total\": 9, \"ram_used\": %u}",
                 w->devices[talk->host].version); // by which the referee sees that it is true
    else
        device_write_version(w, talk->host, &result);
    if (mishap == GARBAGE)
        buf_adds(&talk->reply, "{]\n");
    else if (mishap == ERROR_ANSWER)
        rpc_write_error(&talk->reply, &number, -32003, "initializing");
    else
        rpc_write_result(&talk->reply, &number, result.data);
    buf_deinit(&result);
}

// What it does is done at once, what it says is said when it is due.
static void begin_call(struct world *w, struct talk *talk) {
    struct truth *device = &w->devices[talk->host];
    if (talk->sent_at == talk->sent.len || talk->is_lost) { // which nobody hears
        talk->state = TALK_IDLE;
        talk->due_ms = UINT64_MAX;
        return;
    }
    char *line = talk->sent.data + talk->sent_at, *end = strchr(line, '\n');
    *end = '\0';
    talk->sent_at += (size_t)(end - line) + 1;
    const enum operation op = operation_of(line);
    const char *id = strstr(line, "\"id\":");
    const enum mishap mishap = device_mishap(w, talk->host, op);
    device->calls[op]++;
    if (op == OP_LOGIN) check_login(w, talk, line);
    buf_clear(&talk->reply);
    talk->state = mishap == SILENCE ? TALK_SILENT : TALK_BUSY;
    talk->closes = mishap == CLOSES_BEFORE || mishap == CLOSES_BEHIND;
    talk->due_ms =
        w->now_ms + world_paced(w, device_draw(w, talk->host, op, "answers after", 0, 6));
    if (op == OP_INSTALL && mishap != CLOSES_BEFORE && mishap != ERROR_ANSWER) {
        device_begin_install(w, talk->host, line, talk->job);
        talk->due_ms = device->installed_ms;
    }
    if (op != OP_INSTALL &&
        device_draw(w, talk->host, op, "is late", 1, 1000) <= device_mess(w, talk->host) / 4)
        talk->due_ms += world_paced(w, 150);
    talk->op = (int)op;
    talk->mishap = (int)mishap;
    talk->id = (uint32_t)strtoul(id + 5, NULL, 10);
    if (mishap != NO_MISHAP)
        story_tell(w, "    h%u is to answer %s of %s%s", talk->host, methods[op], asker_of(talk),
                   mishap_words[mishap]);
    if (talk->state == TALK_SILENT) talk->due_ms = UINT64_MAX;
}

static void note_answer(struct world *w, const struct talk *talk) {
    struct truth *device = &w->devices[talk->host];
    if (!talk->is_look) return;
    story_tell(w, "    h%u answers %s that it runs %s%s", talk->host, asker_of(talk),
               versions[device->version], device->installing == NOBODY ? "" : " and installs");
    device->asked_since_install = true;
    if (device->installing == NOBODY) device->answered_ms[w->at->which][talk->is_alias] = w->now_ms;
}

static void end_call(struct world *w, struct talk *talk) {
    const enum operation op = (enum operation)talk->op;
    const enum mishap mishap = (enum mishap)talk->mishap;
    const bool closes = talk->closes;
    if (mishap == CLOSES_BEFORE || (op == OP_INSTALL && mishap == CLOSES_BEHIND)) {
        lose(w, talk, "connection closed by the device");
        return;
    }
    write_reply(w, talk, op, talk->id, mishap);
    if (op == OP_LOGIN && mishap != ERROR_ANSWER && mishap != GARBAGE) {
        talk->is_logged_in = true;
        referee_login(w, talk->host, talk->is_alias);
    }
    if (op == OP_LOGOUT && talk->is_logged_in) {
        w->devices[talk->host].logins[talk->is_alias]--;
        talk->is_logged_in = false;
    }
    note_answer(w, talk);
    char *reply = mem_strndup(talk->reply.data, talk->reply.len - 1);
    const uint32_t serial = talk->serial;
    const size_t len = strlen(reply);
    talk->due_ms = UINT64_MAX;
    talk->state = closes ? TALK_SILENT : TALK_IDLE;
    if (!closes) begin_call(w, talk); // one that went along
    step(w, talk, SESSION_LINE, reply, len);
    free(reply);
    struct talk *still = w->at->talks;
    while (still != NULL && still->serial != serial)
        still = still->next;
    if (still == NULL) return;
    if (closes && still->state != TALK_APART) {
        lose(w, still, "connection closed by the device");
    } else {
        wake(w, still);
    }
}

static void end_dial(struct world *w, struct talk *talk) {
    struct truth *device = &w->devices[talk->host];
    device->calls[OP_DIAL]++;
    talk->due_ms = UINT64_MAX;
    if (device_refuses(w, talk->host) || w->now_ms < w->at->apart_until_ms) {
        talk->state = TALK_APART;
        step(w, talk, SESSION_LOST, "connection refused", 0);
        return;
    }
    talk->state = TALK_IDLE;
    step(w, talk, SESSION_CONNECTED, NULL, 0);
}

// The device is through with its install in this millisecond; that comes first.
static bool is_at_its_end(const struct world *w, unsigned host) {
    const struct truth *device = &w->devices[host];
    return device->installing != NOBODY && device->installed_ms == w->now_ms;
}

void talk_due(struct world *w, unsigned serial) {
    struct talk *talk = w->at->talks;
    while (talk != NULL && talk->serial != serial)
        talk = talk->next;
    if (talk == NULL) return;
    if (talk->state == TALK_BUSY && talk->op == OP_INSTALL && is_at_its_end(w, talk->host)) {
        wake(w, talk);
    } else if (talk->due_ms <= w->now_ms) {
        if (talk->state == TALK_DIALLING)
            end_dial(w, talk);
        else
            end_call(w, talk);
    } else if (talk->deadline_ms <= w->now_ms) {
        step(w, talk, SESSION_DEADLINE, NULL, 0);
    }
}

// --- what the gate wants

void *talk_begin(struct world *w, const struct task *task, const struct task_args *args,
                 struct device *device, int job, bool in_doubt, const char *was) {
    struct talk *talk = mem_zalloc(sizeof *talk);
    talk->device = device;
    talk->host = (unsigned)strtoul(device->host.name + 1, NULL, 10);
    talk->is_alias =
        strcmp(device->host.address, w->inventories[0]->hosts[talk->host].address) != 0;
    talk->job = job;
    talk->serial = ++w->contacts;
    referee_contact(w, talk);
    talk->next = w->at->talks;
    w->at->talks = talk;
    if (in_doubt)
        session_init_in_doubt(&talk->session, &w->sessions, task, args, &device->host, 0, was,
                              w->now_ms);
    else
        session_init(&talk->session, &w->sessions, task, args, &device->host, 0);
    session_log_in_with(&talk->session, (struct session_login){&device->login, ACMEOS_NO_EPOCH});
    talk->deadline_ms = w->now_ms + w->sessions.connect_timeout_ms;
    dial(w, talk);
    wake(w, talk);
    return talk;
}

void talk_take(struct world *w, struct talk *talk, const struct task *task,
               const struct task_args *args, int job) {
    session_take(&talk->session, task, args);
    talk->job = job;
    if (talk->session.state == SESSION_KEPT) step(w, talk, SESSION_TAKEN, NULL, 0);
}

void talk_answer(struct world *w, struct talk *talk, bool granted) {
    step(w, talk, granted ? SESSION_GRANTED : SESSION_REFUSED, NULL, 0);
}

void talk_leave(struct world *w, struct talk *talk) {
    step(w, talk, SESSION_LEAVE, NULL, 0);
}

void talk_end(struct world *w, struct talk *talk) {
    unlink_talk(w, talk);
    talk_free(talk);
}

void talk_end_all(struct world *w) {
    while (w->at->talks != NULL)
        talk_end(w, w->at->talks);
}

// --- what its device does by itself

static struct talk *connected_to(const struct world *w, unsigned host) {
    struct talk *talk = w->at->talks;
    while (talk != NULL &&
           (talk->host != host || talk->state == TALK_APART || talk->state == TALK_DIALLING))
        talk = talk->next;
    return talk;
}

static const char reset[] = "connection reset by the device";

// Who stands still is told when he goes on.
static void lose_later(struct world *w, unsigned host) {
    for (struct talk *talk = w->at->talks; talk != NULL; talk = talk->next)
        if (talk->host == host && talk->state != TALK_APART && talk->state != TALK_DIALLING)
            talk->is_lost = true;
}

void talk_lose_all(struct world *w, unsigned host) {
    struct process *before = w->at;
    struct talk *talk;
    for (unsigned i = 0; i < PLAN_NODES; i++) {
        w->at = &w->processes[i];
        if (w->at->stands_still)
            lose_later(w, host);
        else
            while ((talk = connected_to(w, host)) != NULL)
                lose(w, talk, reset);
    }
    w->at = before;
}

void talk_lose_late(struct world *w) {
    for (struct talk *talk = w->at->talks; talk != NULL;) {
        if (talk->is_lost) {
            talk->is_lost = false;
            lose(w, talk, reset);
            talk = w->at->talks;
        } else {
            talk = talk->next;
        }
    }
}

struct talk *talk_of(const struct process *p, uint32_t serial) {
    struct talk *talk = p->talks;
    while (talk != NULL && talk->serial != serial)
        talk = talk->next;
    return talk;
}
