// Hands and eyes of the gate: connections, timers and the store.
#include "orchestrator/runner.h"

#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/connection.h"
#include "orchestrator/nodes.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    READ_BUFFER = 65536,
    BREATH_STEPS = 64, // of all devices, about a millisecond
};

struct runner {
    struct gate *gate;
    struct store *store;
    struct nodes *nodes; // NULL: the store is this process's alone
    struct connection_context context;
    uv_idle_t more;   // runs while hosts may start that have not
    uv_timer_t retry; // when peers are to be asked again
    void (*breathe)(void *arg);
    void *breathe_arg;
    uint64_t steps;
    char read_buffer[READ_BUFFER];
};

// --- what the gate wants done

static uint64_t now_ms(void *self) {
    (void)self;
    return clock_boot_ms();
}

static long long wall_ms(void *self) {
    (void)self;
    return clock_wall_ms();
}

static struct session_login login_of(const struct device *device) {
    return (struct session_login){.own = &device->login, .epoch = device->epoch};
}

static void *connect_to(void *self, const struct task *task, const struct task_args *args,
                        struct device *device) {
    struct runner *r = self;
    device->runner = r;
    return connection_start(&r->context, task, args, &device->host, login_of(device), device);
}

static void *connect_in_doubt(void *self, const struct task *task, const struct task_args *args,
                              struct device *device, const char *was) {
    struct runner *r = self;
    device->runner = r;
    return connection_start_in_doubt(&r->context, task, args, &device->host, login_of(device), was,
                                     device);
}

static void take(void *self, void *contact, const struct task *task, const struct task_args *args) {
    (void)self;
    connection_take(contact, task, args);
}

static void answer(void *self, void *contact, bool granted) {
    (void)self;
    connection_answer(contact, granted);
}

static bool may_act(void *self) {
    const struct runner *r = self;
    return r->nodes == NULL || nodes_may_act(r->nodes);
}

static void leave(void *self, void *contact) {
    (void)self;
    connection_leave(contact);
}

static void abort_one(void *self, void *contact) {
    (void)self;
    connection_abort(contact);
}

static void abort_all(void *self) {
    struct runner *r = self;
    connection_abort_all(&r->context);
}

static void append(void *self, const struct store_event *event, gate_kept kept, void *arg) {
    const struct runner *r = self;
    if (r->nodes == NULL)
        store_append(r->store, event, kept, arg);
    else
        nodes_append(r->nodes, event, kept, arg);
}

static void on_more(uv_idle_t *more) {
    gate_start(((struct runner *)more->data)->gate);
}

static void start_soon(void *self, bool soon) {
    struct runner *r = self;
    if (soon)
        uv_idle_start(&r->more, on_more);
    else
        uv_idle_stop(&r->more);
}

static void on_retry(uv_timer_t *timer) {
    gate_retry(((struct runner *)timer->data)->gate);
}

static void retry_at(void *self, uint64_t due_ms) {
    struct runner *r = self;
    const uint64_t now = clock_boot_ms();
    if (due_ms == UINT64_MAX)
        uv_timer_stop(&r->retry);
    else
        uv_timer_start(&r->retry, on_retry, due_ms > now ? due_ms - now : 0, 0);
}

static void on_stepped(void *arg, const struct session_update *update) {
    struct device *device = arg;
    struct runner *r = device->runner;
    gate_stepped(r->gate, device, update);
    if (++r->steps % BREATH_STEPS == 0 && r->breathe != NULL) r->breathe(r->breathe_arg);
}

static void look_up(void *self, const struct job *job) {
    nodes_look_up(((const struct runner *)self)->nodes, job);
}

// --- life

struct runner *runner_new(uv_loop_t *loop, const struct session_config *session,
                          const struct gate_config *config, struct store *store) {
    struct runner *r = mem_zalloc(sizeof *r);
    const struct gate_shell shell = {.self = r,
                                     .now_ms = now_ms,
                                     .wall_ms = wall_ms,
                                     .connect = connect_to,
                                     .connect_in_doubt = connect_in_doubt,
                                     .take = take,
                                     .answer = answer,
                                     .may_act = may_act,
                                     .leave = leave,
                                     .abort = abort_one,
                                     .abort_all = abort_all,
                                     .append = append,
                                     .start_soon = start_soon,
                                     .retry_at = retry_at,
                                     .look_up = look_up};
    r->store = store;
    r->context = (struct connection_context){
        .loop = loop,
        .config = session,
        .read_buffer = {r->read_buffer, sizeof r->read_buffer},
        .stepped = on_stepped,
    };
    if (getrandom(&r->context.secret, sizeof r->context.secret, 0) < 0)
        abort(); // never so few bytes
    connection_context_open(&r->context);
    r->gate = gate_new(config, &shell);
    uv_idle_init(loop, &r->more);
    r->more.data = r;
    uv_timer_init(loop, &r->retry);
    r->retry.data = r;
    return r;
}

void runner_set_trust(struct runner *r, struct tls_trust *trust) {
    r->context.trust = trust;
}

void runner_share(struct runner *r, struct nodes *nodes) {
    r->nodes = nodes;
}

struct gate *runner_gate(struct runner *r) {
    return r->gate;
}

void runner_on_breath(struct runner *r, void (*breathe)(void *arg), void *arg) {
    r->breathe = breathe;
    r->breathe_arg = arg;
}

void runner_close(struct runner *r) {
    connection_abort_all(&r->context); // sessions that nobody waits for
    connection_context_close(&r->context);
    uv_close((uv_handle_t *)&r->retry, NULL);
    uv_close((uv_handle_t *)&r->more, NULL);
}

void runner_free(struct runner *r) {
    if (r == NULL) return;
    gate_free(r->gate);
    buf_deinit(&r->context.update.send);
    tls_trust_free(r->context.system);
    free(r);
}
