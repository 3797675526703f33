// A stream tells what changes from its beginning on. What was before is asked for right after that:
// each host that does not wait. So some of it is told twice, and a page may be newer than the next
// events. A state is set, never counted up, so the last event about a host has the last word.
//
//     connect -> the job -> the hosts so far -> events ... -> the job is done
//        ^                                         |
//        +----- connection lost: go on after the last event that had a number, at the
//               next node where there are several: their events have the same numbers
//
// Keys and Ctrl-C are heard all the while, in on_turn() of whatever is waited for.
#include "orchestrator/cli_watch.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/sse.h"
#include "orchestrator/cli_prompt.h"
#include "orchestrator/cli_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TURN_MS = 100,
    DRAW_EVERY_MS = 200,
    LINE_EVERY_MS = 10000, // where there are no bars, and something has changed
    QUIET_LINE_MS = 60000, // ... or not
    MORE_EVERY_MS = 2000,  // of hosts that were skipped for the same reason
    RETRY_MS = 500,
    SILENCE_S = 60,         // four heartbeats
    SILENCE_OF_NODE_S = 30, // ... where another can be asked
    EVENT_MAX = 1 << 22,
    PROBLEM_MAX = 1 << 16,
    CLOCK_MAX = 16,
    US_PER_MS = 1000,
    STREAMS = 200,
    BEHIND_MS = 5000, // a node that was just turned to reads of the others ten times a second
    IS_OVER = 204,
    UNABLE = 503,
};

enum end { END_NOT, END_DONE, END_LEFT, END_FAILED };

struct watch {
    const struct cli_watching *how;
    const char *id;
    struct cli_service service;
    const char *followed; // the URL of the stream that there was last; NULL: none yet
    struct cli_job *job;
    struct progress progress;
    struct cli_prompt prompt;
    struct sse_reader reader;
    char last_id[32];   // of the last event that had one; "": none
    struct buf problem; // what came in place of a stream
    struct buf lines;   // to be shown
    bool has_job, wants_hosts, has_hosts, is_lost, wants_cancel;
    enum job_state said; // of the states, last
    uint64_t heard_ms;   // of the stream, last
    uint64_t lost_ms, drawn_ms, line_ms, line_over;
    char *reason;  // of the host that was skipped last
    size_t alike;  // so many before it had the same
    size_t untold; // ... and were counted only
    uint64_t told_ms;
    enum end end;
    int exit_code;
    struct error *err;
};

static uint64_t now_ms(void) {
    return clock_monotonic_us() / US_PER_MS;
}

static void time_of_day(char text[CLOCK_MAX]) {
    const time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm local = {0};
    localtime_r(&now, &local);
    strftime(text, CLOCK_MAX, "%H:%M:%S", &local);
}

// --- what is shown

static void fail(struct watch *w, int exit_code) {
    if (w->end != END_NOT) return;
    w->end = END_FAILED;
    w->exit_code = exit_code;
}

static void show(struct watch *w, const struct buf *bars) {
    struct error err;
    const int rc = w->how->is_silent ? 0 : console_write(w->how->console, &w->lines, bars, &err);
    buf_clear(&w->lines);
    if (rc == 0 || w->end != END_NOT) return;
    *w->err = err; // nobody reads it
    fail(w, EXIT_FAILURE);
}

static void say(struct watch *w, const char *text) {
    char time[CLOCK_MAX];
    time_of_day(time);
    buf_addf(&w->lines, "%s  %s\n", time, text);
}

static void tell_untold(struct watch *w) {
    char time[CLOCK_MAX];
    if (w->untold == 0) return;
    time_of_day(time);
    cli_view_more(&w->lines, time, w->untold, w->reason, &w->how->console->style);
    w->untold = 0;
    w->told_ms = now_ms();
}

static void draw(struct watch *w) {
    const struct cli_moment moment = {
        .job = w->job, .progress = &w->progress, .wall_ms = clock_wall_ms(), .is_lost = w->is_lost};
    struct buf bars = {0};
    if (w->end != END_NOT || now_ms() - w->told_ms >= MORE_EVERY_MS) tell_untold(w);
    buf_adds(&bars, "");
    if (w->how->console->has_bars && w->has_hosts && w->end == END_NOT)
        cli_bars(&bars, &moment, &w->how->console->style);
    if (w->prompt.is_asking && w->end == END_NOT)
        buf_addf(&bars, "%s%s", bars.len > 0 ? "\n" : "", cli_prompt_question);
    show(w, &bars);
    buf_deinit(&bars);
    w->drawn_ms = now_ms();
}

static void add_progress_line(struct watch *w) {
    const struct cli_moment moment = {
        .job = w->job, .progress = &w->progress, .wall_ms = clock_wall_ms()};
    char time[CLOCK_MAX];
    time_of_day(time);
    cli_bars_line(&w->lines, time, &moment);
    w->line_ms = now_ms();
    w->line_over = progress_count_over(&w->progress);
}

static void refresh(struct watch *w) {
    const uint64_t now = now_ms();
    const bool has_bars = w->how->console->has_bars, is_known = w->has_hosts && !w->is_lost;
    const bool is_quiet = w->line_over == progress_count_over(&w->progress);
    if (is_known) progress_tick(&w->progress, now);
    if (!has_bars && is_known && now - w->line_ms >= (is_quiet ? QUIET_LINE_MS : LINE_EVERY_MS))
        add_progress_line(w);
    if (w->lines.len > 0 || (has_bars && now - w->drawn_ms >= DRAW_EVERY_MS)) draw(w);
}

// --- the job

static void fail_strange(struct watch *w) {
    error_from(w->err, "the service's stream");
    fail(w, CLI_EXIT_UNREACHED);
}

static void begin_progress(struct watch *w) {
    progress_init(&w->progress, w->job->hosts);
    w->has_job = true;
    w->line_ms = now_ms();
}

static void say_state(struct watch *w) {
    const struct cli_job *job = w->job;
    const bool means_nothing = job->state == JOB_WAITING && job->why == NULL;
    char time[CLOCK_MAX];
    if (job->state == w->said || job->state == JOB_DONE || means_nothing) return;
    w->said = job->state;
    time_of_day(time);
    cli_view_state(&w->lines, time, job);
}

static void take_job(struct watch *w, const cJSON *object) {
    if (cli_job_read(object, w->job, w->err) != 0) {
        fail_strange(w);
        return;
    }
    if (!w->has_job) begin_progress(w);
    if (w->job->state == JOB_DONE && w->end == END_NOT) w->end = END_DONE;
    say_state(w);
}

// Hundreds that are skipped for one reason say no more than the first of them.
static bool is_one_of_many(struct watch *w, const struct cli_host *host) {
    if (host->state != HOST_SKIPPED || !w->how->console->style.is_shortened) return false;
    if (w->reason != NULL && strcmp(w->reason, host->reason) == 0) {
        w->alike++;
    } else {
        tell_untold(w);
        free(w->reason);
        w->reason = mem_strdup(host->reason);
        w->alike = 0;
    }
    if (w->alike < CLI_ALIKE_MAX) return false;
    w->untold++;
    return true;
}

static void take_host(struct watch *w, cJSON *row, const char *time) {
    struct cli_host host;
    if (cli_host_read(row, &host, w->err) != 0) {
        fail_strange(w);
        return;
    }
    const bool is_new = progress_turn(&w->progress, &host);
    if (!is_new || (host.state != HOST_FAILED && host.state != HOST_SKIPPED)) return;
    if (!is_one_of_many(w, &host)) cli_view_host(&w->lines, time, &host, &w->how->console->style);
}

static void take_host_of_page(void *arg, cJSON *row) {
    take_host(arg, row, "earlier ");
}

// --- the hosts so far

// Whoever was in hand and is not told waits again: the service was started anew.
static void ask_for_hosts(struct watch *w) {
    struct error ignored;
    int rc = 0;
    progress_put_back(&w->progress);
    for (int state = HOST_IN_HAND; state < HOST_STATES && rc == 0; state++)
        rc = cli_each_host(&w->service, w->id, host_state_names[state], take_host_of_page, w,
                           &ignored);
    w->wants_hosts = rc != 0;
    w->has_hosts = w->has_hosts || rc == 0;
}

// --- events

static void take_data(struct watch *w, const struct sse_event *event, bool is_host) {
    cJSON *data = NULL;
    char time[CLOCK_MAX];
    time_of_day(time);
    if (json_parse(event->data, event->len, &data, w->err) != 0)
        fail_strange(w);
    else if (!is_host)
        take_job(w, data);
    else if (w->has_job)
        take_host(w, data, time);
    cJSON_Delete(data);
}

static void take_event(struct watch *w, const struct sse_event *event) {
    if (strcmp(event->name, "snapshot") == 0 || strcmp(event->name, "job") == 0)
        take_data(w, event, false);
    else if (strcmp(event->name, "host") == 0)
        take_data(w, event, true);
    snprintf(w->last_id, sizeof w->last_id, "%s", event->id);
}

static void say_where(struct watch *w, const char *url) {
    struct buf text = {0};
    buf_addf(&text, "%s is not reached: following at %s", w->followed, url);
    say(w, text.data);
    buf_deinit(&text);
}

static void begin_stream(struct watch *w) {
    const char *url = cli_nodes_url(w->service.nodes);
    if (w->followed != NULL && strcmp(w->followed, url) != 0)
        say_where(w, url);
    else if (w->is_lost)
        say(w, "connected again");
    w->followed = url;
    w->is_lost = false;
    w->wants_hosts = true;
}

static bool on_piece(void *arg, long status, const char *data, size_t len) {
    struct watch *w = arg;
    struct sse_event event;
    enum sse_status read = SSE_NONE;
    if (status == STREAMS) w->heard_ms = now_ms();
    if (status != STREAMS) {
        if (w->problem.len + len <= PROBLEM_MAX) buf_add(&w->problem, data, len);
        return true;
    }
    if (len == 0) begin_stream(w);
    sse_reader_feed(&w->reader, data, len);
    while (w->end == END_NOT && (read = sse_reader_next(&w->reader, &event)) == SSE_READY)
        take_event(w, &event);
    if (read == SSE_TOO_LONG) {
        error_set(w->err, "an event is longer than %d bytes", EVENT_MAX);
        fail_strange(w);
    }
    return w->end == END_NOT;
}

// --- keys and Ctrl-C

static void cancel(struct watch *w) {
    struct buf path = {0};
    cJSON *job = NULL;
    struct error err;
    buf_addf(&path, "/jobs/%s/cancel/", w->id);
    const int rc = cli_talk(&w->service, &(struct cli_ask){.method = "POST", .path = path.data},
                            NULL, &job, NULL, &err);
    w->wants_cancel = rc == CLI_EXIT_UNREACHED;
    if (rc == 0) {
        take_job(w, job);
    } else {
        error_from(&err,
                   w->wants_cancel ? "not cancelled yet; it will be tried again" : "not cancelled");
        say(w, err.text);
    }
    cJSON_Delete(job);
    buf_deinit(&path);
}

static void act(struct watch *w, enum cli_act act) {
    if (act == CLI_NOTHING) return;
    console_read_keys(w->how->console, act == CLI_ASK);
    if (act == CLI_CANCEL)
        cancel(w);
    else if (act == CLI_LEAVE)
        w->end = END_LEFT;
    draw(w);
}

static void take_input(struct watch *w) {
    enum console_input input;
    char key = 0;
    while (w->end == END_NOT && (input = console_next(w->how->console, &key)) != CONSOLE_NOTHING) {
        if (input == CONSOLE_INTERRUPT)
            act(w, cli_prompt_interrupt(&w->prompt));
        else if (input == CONSOLE_KEY)
            act(w, cli_prompt_key(&w->prompt, key));
        else if (input == CONSOLE_END)
            act(w, CLI_LEAVE);
        else
            draw(w);
    }
}

static bool on_input(void *arg) {
    struct watch *w = arg;
    take_input(w);
    return w->end == END_NOT;
}

static bool on_turn(void *arg) {
    struct watch *w = arg;
    take_input(w);
    if (w->end == END_NOT && w->has_job && w->wants_hosts) ask_for_hosts(w);
    if (w->end == END_NOT && w->wants_cancel && !w->is_lost) cancel(w);
    refresh(w);
    return w->end == END_NOT;
}

// --- connections

static void pause_a_little(struct watch *w) {
    const uint64_t until_ms = now_ms() + RETRY_MS;
    while (on_turn(w) && now_ms() < until_ms)
        console_wait(w->how->console, TURN_MS);
}

static void lose(struct watch *w) {
    const uint64_t now = now_ms();
    if (!w->is_lost) {
        char limit[CLI_DURATION_MAX], text[128];
        cli_duration(w->how->reconnect_ms, limit);
        snprintf(text, sizeof text, "connection lost; trying again for %s", limit);
        say(w, text);
        w->lost_ms = now;
        w->is_lost = true;
    }
    if (now - w->lost_ms < w->how->reconnect_ms) return;
    error_from(w->err, "the service was not reached again; the job may go on");
    fail(w, CLI_EXIT_UNREACHED);
}

// The next node may not have read yet of the job, or of its last events, what the one before told.
static bool is_refused(const struct watch *w, int code) {
    const bool may_be_behind = w->service.nodes->count > 1 && now_ms() - w->heard_ms < BEHIND_MS;
    return code == CLI_EXIT_REFUSED && !may_be_behind;
}

// The stream has ended: because the job is done, or the service is, or the connection.
static void look(struct watch *w) {
    struct buf path = {0};
    cJSON *job = NULL;
    buf_addf(&path, "/jobs/%s/", w->id);
    const int rc = cli_get(&w->service, path.data, NULL, &job, w->err);
    if (rc == 0)
        take_job(w, job);
    else if (is_refused(w, rc))
        fail(w, rc);
    else if (rc != CLI_EXIT_REFUSED)
        lose(w);
    cJSON_Delete(job);
    buf_deinit(&path);
}

static long silence_s(const struct watch *w) {
    return w->service.nodes->count == 1 ? SILENCE_S : SILENCE_OF_NODE_S;
}

static void follow(struct watch *w) {
    struct buf path = {0}, url = {0};
    cJSON *headers = cJSON_CreateObject();
    long status = 0;
    buf_addf(&path, "/jobs/%s/events/", w->id);
    cli_url(&url, &w->service, path.data);
    cJSON_AddStringToObject(headers, "Accept", "text/event-stream");
    if (w->last_id[0] != '\0') cJSON_AddStringToObject(headers, "Last-Event-ID", w->last_id);
    const struct client_request request = {.method = "GET",
                                           .url = url.data,
                                           .headers = headers,
                                           .timeout_s = silence_s(w),
                                           .trust = w->service.trust};
    const struct client_stream stream = {.on_piece = on_piece,
                                         .on_turn = on_turn,
                                         .arg = w,
                                         .turn_ms = TURN_MS,
                                         .fds = &w->how->console->signals,
                                         .fds_count = 1};
    sse_reader_init(&w->reader, EVENT_MAX, w->last_id);
    buf_clear(&w->problem);
    const int rc = client_follow(&request, &stream, &status, w->err);
    sse_reader_deinit(&w->reader);
    if (w->end == END_NOT && rc == 0 && status != STREAMS && status != IS_OVER) {
        const int code = cli_refusal(status, &w->problem, w->err);
        if (is_refused(w, code)) fail(w, code);
        if (status == UNABLE) cli_nodes_next(w->service.nodes); // it ends, and may answer all else
    }
    cJSON_Delete(headers);
    buf_deinit(&path);
    buf_deinit(&url);
}

int cli_watch(const struct cli_watching *how, const char *id, struct cli_job *job,
              struct error *err) {
    struct watch w = {.how = how,
                      .id = id,
                      .job = job,
                      .said = JOB_RUNNING,
                      .heard_ms = now_ms(),
                      .prompt.has_keys = how->console->has_keys && !how->is_silent,
                      .err = err};
    w.service = (struct cli_service){.nodes = how->nodes,
                                     .trust = how->trust,
                                     .on_turn = on_input,
                                     .arg = &w,
                                     .fd = how->console->signals};
    while (w.end == END_NOT) {
        follow(&w);
        if (w.end == END_NOT) look(&w);
        if (w.end == END_NOT) pause_a_little(&w);
    }
    draw(&w);
    if (w.end == END_DONE) w.exit_code = cli_job_is_well(job) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (w.end == END_LEFT) {
        w.exit_code = CLI_EXIT_LEFT;
        error_set(err, "left running");
    }
    progress_deinit(&w.progress);
    buf_deinit(&w.problem);
    buf_deinit(&w.lines);
    free(w.reason);
    return w.exit_code;
}

bool cli_watch_is_wanted(void *console) {
    char key;
    const enum console_input input = console_next(console, &key);
    return input != CONSOLE_INTERRUPT && input != CONSOLE_END;
}
