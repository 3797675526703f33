// Calls between which nothing is decided are one part:
//
//   OPENING (login, get_version) -> ASKING -> INSTALLING (install, get_version) -> LEAVING (logout)
//
// and of one that asks OPENING -> KEPT -> LEAVING, or as another task's from OPENING or KEPT on.
#include "bench/contact.h"

#include <assert.h>

enum contact_state {
    CONTACT_CLOSED,
    CONTACT_OPENING,
    CONTACT_KEPT,
    CONTACT_ASKING,
    CONTACT_INSTALLING,
    CONTACT_LEAVING,
};

// The call that follows those that have taken *us so far, for no longer than the timeout. False: it
// is not answered by then.
static bool call(struct contact *c, const struct contact_devices *d, uint32_t device,
                 enum operation operation, uint64_t *us) {
    const uint64_t timeout_us =
        operation == OPERATION_INSTALL ? d->install_timeout_us : d->call_timeout_us;
    const uint64_t takes_us = d->latency_us(d->arg, device, operation, ++c->attempts[operation]);
    c->is_late = takes_us > timeout_us;
    *us += c->is_late ? timeout_us : takes_us;
    return !c->is_late;
}

static void begin_part(struct contact *c, enum contact_state state, uint64_t due_us,
                       struct contact_update *update) {
    c->state = (uint8_t)state;
    c->due_us = update->due_us = due_us;
}

static void open_contact(struct contact *c, const struct contact_devices *d, uint32_t device,
                         uint64_t now_us, struct contact_update *update) {
    uint64_t us = 0;
    c->fails = !call(c, d, device, OPERATION_LOGIN, &us) ||
               !call(c, d, device, OPERATION_GET_VERSION, &us) ||
               now_us + us < c->installing_until_us;
    begin_part(c, CONTACT_OPENING, now_us + us, update);
}

static void install(struct contact *c, const struct contact_devices *d, uint32_t device,
                    uint64_t now_us, struct contact_update *update) {
    uint64_t us = 0;
    const uint32_t attempt = c->attempts[OPERATION_INSTALL] + 1;
    const bool fails = d->install_fails(d->arg, device, attempt);
    if (!call(c, d, device, OPERATION_INSTALL, &us)) {
        c->installing_until_us = now_us + d->latency_us(d->arg, device, OPERATION_INSTALL, attempt);
        c->fails = true;
    } else {
        c->fails = fails || !call(c, d, device, OPERATION_GET_VERSION, &us);
    }
    c->is_upgraded = !fails;
    begin_part(c, CONTACT_INSTALLING, now_us + us, update);
}

// A logout that is not answered fails nobody.
static void leave(struct contact *c, const struct contact_devices *d, uint32_t device,
                  uint64_t now_us, struct contact_update *update) {
    uint64_t us = 0;
    call(c, d, device, OPERATION_LOGOUT, &us);
    update->leaves = true;
    begin_part(c, CONTACT_LEAVING, now_us + us, update);
}

static void close(struct contact *c, struct contact_update *update) {
    update->is_over = true;
    begin_part(c, CONTACT_CLOSED, UINT64_MAX, update);
}

// True: there is nothing more to be done but to leave.
static bool end_part(struct contact *c, struct contact_update *update) {
    update->verdict = c->fails ? CONTACT_FAILED : CONTACT_DONE;
    update->answered = !c->fails;
    update->times_out = c->fails && c->is_late;
    if (c->fails) close(c, update);
    return !c->fails;
}

static void ask_leave(struct contact *c, const struct contact_devices *d, uint32_t device,
                      uint64_t now_us, struct contact_update *update) {
    if (c->is_upgraded || d->is_current(d->arg, device)) {
        update->verdict = CONTACT_DONE;
        leave(c, d, device, now_us, update);
    } else {
        update->asks = true;
        begin_part(c, CONTACT_ASKING, UINT64_MAX, update);
    }
}

static void end_opening(struct contact *c, const struct contact_devices *d, uint32_t device,
                        uint64_t now_us, struct contact_update *update) {
    if (c->fails) {
        end_part(c, update);
    } else if (c->task == CONTACT_UPGRADE) {
        update->answered = true;
        ask_leave(c, d, device, now_us, update);
    } else if (c->task == CONTACT_ASK) {
        update->verdict = CONTACT_DONE;
        update->is_kept = true;
        begin_part(c, CONTACT_KEPT, now_us + d->keep_us, update);
    } else if (end_part(c, update)) {
        leave(c, d, device, now_us, update);
    }
}

void contact_begin(struct contact *c, const struct contact_devices *d, uint32_t device,
                   enum contact_task task, uint64_t now_us, struct contact_update *update) {
    assert(c->state == CONTACT_CLOSED);
    *update = (struct contact_update){0};
    c->task = (uint8_t)task;
    open_contact(c, d, device, now_us, update);
}

static void end_wait(struct contact *c, const struct contact_devices *d, uint32_t device,
                     uint64_t now_us, struct contact_update *update) {
    switch ((enum contact_state)c->state) {
    case CONTACT_OPENING:
        end_opening(c, d, device, now_us, update);
        break;
    case CONTACT_INSTALLING:
        if (end_part(c, update)) leave(c, d, device, now_us, update);
        break;
    case CONTACT_KEPT:
        leave(c, d, device, now_us, update);
        break;
    case CONTACT_LEAVING:
        close(c, update);
        break;
    case CONTACT_CLOSED:
    case CONTACT_ASKING:
        assert(false); // nothing is due
    }
}

void contact_tell(struct contact *c, const struct contact_devices *d, uint32_t device,
                  enum contact_input input, uint64_t now_us, struct contact_update *update) {
    *update = (struct contact_update){.due_us = c->due_us};
    switch (input) {
    case CONTACT_DUE:
        end_wait(c, d, device, now_us, update);
        break;
    case CONTACT_GRANTED:
        assert(c->state == CONTACT_ASKING);
        install(c, d, device, now_us, update);
        break;
    case CONTACT_TAKEN:
        assert(c->state == CONTACT_KEPT || c->state == CONTACT_OPENING);
        c->task = CONTACT_UPGRADE;
        if (c->state == CONTACT_KEPT) ask_leave(c, d, device, now_us, update);
        break;
    case CONTACT_REFUSED:
    case CONTACT_LEAVE:
        leave(c, d, device, now_us, update);
        break;
    }
}
