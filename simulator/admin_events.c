// A waiter is a suspended request with a timer; while there is one, the check looks at the journal
// once a turn of the loop.
#include "simulator/admin_events.h"

#include "common/duration.h"
#include "common/http_stream.h"
#include "common/mem.h"
#include "simulator/admin_answer.h"

#include <stdlib.h>
#include <string.h>

struct admin_waiter {
    struct admin_events *events;
    struct http_request *request;
    uint64_t after;
    uv_timer_t timer;
    struct admin_waiter *next;
};

static enum http_piece next_events(void *reader, struct buf *out) {
    if (journal_next(reader, out)) return HTTP_PIECE_MORE;
    buf_adds(out, "\n");
    return HTTP_PIECE_LAST;
}

static const struct http_source events_source = {next_events, free};

static void answer_events(const struct admin_events *e, struct http_request *r, uint64_t after) {
    struct journal_reader *reader = mem_zalloc(sizeof *reader);
    journal_read(reader, &e->world->journal, e->world->network, after);
    http_answer_stream(r, 200, "application/json", &events_source, reader);
}

static void count_closed(struct admin_events *e) {
    if (--e->handles_open == 0) e->closed(e->closed_arg);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct admin_waiter *w = handle->data;
    struct admin_events *e = w->events;
    free(w);
    count_closed(e);
}

// Answers a waiter that is no longer in the list.
static void end_waiter(struct admin_waiter *w) {
    answer_events(w->events, w->request, w->after);
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}

static void end_where(struct admin_events *e, uint64_t after_below) {
    struct admin_waiter **at = &e->waiters;
    while (*at != NULL) {
        struct admin_waiter *w = *at;
        if (w->after >= after_below) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        end_waiter(w);
    }
    if (e->waiters == NULL) uv_check_stop(&e->check);
}

static void on_check(uv_check_t *check) {
    struct admin_events *e = check->data;
    end_where(e, e->world->journal.last);
}

static void take_out(struct admin_waiter *w) {
    struct admin_waiter **at = &w->events->waiters;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (w->events->waiters == NULL) uv_check_stop(&w->events->check);
    end_waiter(w);
}

static void on_time_up(uv_timer_t *timer) {
    take_out(timer->data);
}

static void on_left(void *arg) {
    take_out(arg);
}

static void begin_to_wait(struct admin_events *e, struct http_request *r, uint64_t after,
                          uint64_t wait_us) {
    struct admin_waiter *w = mem_zalloc(sizeof *w);
    *w = (struct admin_waiter){.events = e, .request = r, .after = after, .next = e->waiters};
    e->waiters = w;
    e->handles_open++;
    uv_timer_init(e->check.loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, on_time_up, (wait_us + 999) / 1000, 0);
    uv_check_start(&e->check, on_check);
    http_on_left(r, on_left, w);
}

static int parse_number(const char *text, uint64_t *number, struct error *err) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return error_set(err, "expected the number of an event, not %.40s", text);
    *number = strtoull(text, NULL, 10);
    return 0;
}

static int parse_query(const struct http_request *r, uint64_t *after, uint64_t *wait_us,
                       struct error *err) {
    const char *after_text = http_query(r, "after"), *wait_text = http_query(r, "wait");
    if (after_text != NULL && parse_number(after_text, after, err) != 0) {
        error_in(err, "after");
        return ERROR_INPUT;
    }
    if (wait_text != NULL && duration_parse(wait_text, wait_us, err) != 0) {
        error_in(err, "wait");
        return ERROR_INPUT;
    }
    return 0;
}

void admin_events_get(struct admin_events *e, struct http_request *r) {
    uint64_t after = 0, wait_us = 0;
    struct error err;
    if (parse_query(r, &after, &wait_us, &err) != 0) {
        http_answer_error(r, 400, &err);
        return;
    }
    if (wait_us > ADMIN_WAIT_MAX_S * 1000000ULL) wait_us = ADMIN_WAIT_MAX_S * 1000000ULL;
    if (e->world->journal.last > after || wait_us == 0 || e->closed != NULL)
        answer_events(e, r, after);
    else
        begin_to_wait(e, r, after, wait_us);
}

void admin_events_init(struct admin_events *e, uv_loop_t *loop, const struct world *world) {
    *e = (struct admin_events){.world = world, .handles_open = 1};
    uv_check_init(loop, &e->check);
    e->check.data = e;
}

static void on_check_closed(uv_handle_t *handle) {
    count_closed(handle->data);
}

void admin_events_close(struct admin_events *e, void (*closed)(void *arg), void *arg) {
    e->closed = closed;
    e->closed_arg = arg;
    end_where(e, UINT64_MAX);
    uv_close((uv_handle_t *)&e->check, on_check_closed);
}
