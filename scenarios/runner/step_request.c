// The step `request`: what is sent, and its answer against what is expected. The answer is compared
// from the outside in: a wrong status is all that is told, for all else would be wrong for that
// reason; headers and texts next; JSON, with what the log says of hosts in a wrong list; last how
// long it took, as a multiple of what the devices' own delays made it take at least. So what is
// expected of it holds for every machine.
#include "common/client.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/scrape.h"
#include "common/text.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/expect_report.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/told.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_SHOWN = 400 };

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

struct log_lines { // what the log says of hosts, for messages
    char *text;
    char said[300];
};

static const char *why_of(void *arg, const char *host) {
    struct log_lines *log = arg;
    char mark[300];
    const char *found = NULL;
    snprintf(mark, sizeof mark, " host:%s:", host);
    for (const char *at = log->text; (at = strstr(at, mark)) != NULL; at++)
        found = at + strlen(mark);
    if (found == NULL) return NULL;
    snprintf(log->said, sizeof log->said, "%.*s", (int)strcspn(found, "\n"), found);
    return log->said;
}

struct question { // a request, ready to be sent
    const char *method;
    struct buf url, body;
    bool has_body;
};

static void make_question(struct stage *s, const cJSON *request, struct question *q) {
    const cJSON *json = get(request, "json"), *body = get(request, "body"),
                *bytes = get(request, "body_bytes");
    char base[64];
    programs_url(&s->programs, step_program(request, "to"), base);
    buf_addf(&q->url, "%s%s", base, step_text(request, "path", "/upgrade-os/"));
    q->has_body = json != NULL || body != NULL || bytes != NULL;
    q->method = step_text(request, "method", q->has_body ? "POST" : "GET");
    if (json != NULL) {
        char *text = cJSON_PrintUnformatted(json);
        buf_adds(&q->body, text);
        cJSON_free(text);
    }
    buf_adds(&q->body, body == NULL ? "" : body->valuestring);
    for (double i = 0; bytes != NULL && i < bytes->valuedouble; i++)
        buf_add(&q->body, " ", 1);
}

static void check_headers(const cJSON *expected, const struct reply *reply,
                          struct buf *differences) {
    const cJSON *header;
    char value[512];
    cJSON_ArrayForEach(header, expected) {
        bool there = reply_header(reply, header->string, value, sizeof value);
        if (cJSON_IsNull(header) && there)
            expect_differ(differences, "header %s: expected none, is %s", header->string, value);
        else if (!cJSON_IsNull(header) && !there)
            expect_differ(differences, "header %s: missing", header->string);
        else if (!cJSON_IsNull(header) && !expect_fits(header->valuestring, value))
            expect_differ(differences, "header %s: expected %s, is %s", header->string,
                          header->valuestring, value);
    }
}

static void check_texts(const cJSON *texts, const struct reply *reply, struct buf *differences) {
    const cJSON *text;
    cJSON_ArrayForEach(text, texts) {
        if (strstr(reply->body, text->valuestring) == NULL)
            expect_differ(differences, "the body does not contain: %s", text->valuestring);
    }
}

static void check_json(struct stage *s, const cJSON *request, const struct reply *reply,
                       struct buf *differences) {
    const cJSON *expected = get(request, "expect"), *report = get(expected, "report");
    const cJSON *paths = get(expected, "json"), *captures = get(request, "capture"), *capture;
    if (cJSON_IsArray(get(expected, "status")) && reply->status >= 300) captures = NULL;
    if (report == NULL && paths == NULL && captures == NULL) return;
    cJSON *json = NULL;
    struct error err;
    if (json_parse(reply->body, reply->body_len, &json, &err) != 0) {
        expect_differ(differences, "the body: %s: %.*s", err.text, BODY_SHOWN, reply->body);
        return;
    }
    if (report != NULL) {
        struct log_lines log = {.text = stage_read_log(s)};
        expect_report(report, json, why_of, &log, differences);
        free(log.text);
    }
    if (paths != NULL) expect_paths(paths, json, differences);
    cJSON_ArrayForEach(capture, captures) {
        const cJSON *value = expect_find(json, capture->valuestring);
        if (value == NULL) {
            expect_differ(differences, "capture %s: the answer has nothing at %s", capture->string,
                          capture->valuestring);
            continue;
        }
        pthread_mutex_lock(&s->lock);
        cJSON_DeleteItemFromObjectCaseSensitive(s->vars, capture->string);
        cJSON_AddItemToObject(s->vars, capture->string, cJSON_Duplicate(value, true));
        pthread_mutex_unlock(&s->lock);
    }
    cJSON_Delete(json);
}

// The time that all calls on devices were made to take until now.
static int read_delays(struct stage *s, double *seconds, struct error *err) {
    char url[512];
    struct buf scrape = {0};
    stage_url(s, PROGRAM_SIMULATOR, "/metrics/", url);
    int rc =
        client_expect(&(struct client_request){.method = "GET", .url = url}, 200, &scrape, err);
    if (rc == 0) scrape_sum(scrape.data, "simulator_delay_seconds_total", seconds);
    buf_deinit(&scrape);
    return rc;
}

struct stopwatch { // of an answer that is expected to take so and so long; else NULL
    const cJSON *takes;
    double started, delays;
};

static int start_stopwatch(struct stage *s, const cJSON *request, struct stopwatch *w,
                           struct error *err) {
    *w = (struct stopwatch){.takes = get(get(request, "expect"), "takes")};
    int rc = w->takes == NULL ? 0 : read_delays(s, &w->delays, err);
    w->started = clock_monotonic_s();
    return rc;
}

static void check_stopwatch(struct stage *s, const struct stopwatch *w, struct buf *differences) {
    double took = clock_monotonic_s() - w->started, delays = 0;
    struct error err;
    if (w->takes == NULL) return;
    if (read_delays(s, &delays, &err) != 0) {
        expect_differ(differences, "%s", err.text);
        return;
    }
    const cJSON *workers = get(w->takes, "workers");
    double least = (delays - w->delays) / (workers == NULL ? 1 : workers->valuedouble);
    if (least > 0)
        expect_number(w->takes, round(1e3 * took / least) / 1e3,
                      "takes, as a multiple of the devices' own delays", differences);
    else
        expect_differ(differences, "takes: no call on a device took any time%s", "");
}

static void keep_answer(struct stage *s, const struct question *q, const struct reply *reply) {
    if (strcmp(q->method, "POST") != 0 || strstr(q->url.data, "/upgrade-os/") == NULL) return;
    cJSON *answer = cJSON_CreateString(reply->body);
    text_utf8(answer->valuestring); // it goes into JSON
    pthread_mutex_lock(&s->lock);
    cJSON_AddItemToArray(s->answers, answer);
    pthread_mutex_unlock(&s->lock);
}

// Whether it asks the simulator to forget rules, and what its referee saw too.
static bool removes_faults(const cJSON *request, const struct question *q) {
    return step_program(request, "to") == PROGRAM_SIMULATOR && strcmp(q->method, "DELETE") == 0 &&
           strstr(q->url.data, "/faults/") != NULL;
}

static bool resets(const cJSON *request, const struct question *q) {
    return step_program(request, "to") == PROGRAM_SIMULATOR && strcmp(q->method, "POST") == 0 &&
           strstr(q->url.data, "/reset/") != NULL;
}

static bool is_main(const struct stage *s) {
    return pthread_equal(pthread_self(), s->main);
}

// What will be forgotten is looked at before.
static void look_before(struct stage *s, const cJSON *request, const struct question *q,
                        struct buf *differences) {
    if (!removes_faults(request, q) && !resets(request, q)) return;
    stage_count_faults(s);
    if (!resets(request, q)) return;
    s->judge(s, differences);
    if (is_main(s)) told_check(s, false, differences);
}

static void forget_faults(struct stage *s, const char *url) {
    const char *id = strstr(url, "/faults/") + strlen("/faults/");
    char *end;
    const double number = strtod(id, &end);
    if (end == id)
        stage_forget_faults(s);
    else
        stage_forget_fault(s, number);
}

// A reset network is another; a report says that a job is over. Beside other branches jobs are in
// motion, and to ask for them would delay these.
static void look_behind(struct stage *s, const cJSON *request, const struct question *q,
                        const struct reply *reply, struct buf *differences) {
    const bool done = reply->status / 100 == 2;
    if (done && removes_faults(request, q)) forget_faults(s, q->url.data);
    if (done && resets(request, q)) {
        stage_forget_faults(s);
        told_begin(s);
    }
    if (strcmp(q->method, "POST") == 0 && is_main(s) && differences->len == 0 &&
        strstr(q->url.data, "/upgrade-os/") != NULL)
        told_check(s, false, differences);
}

// A number, or a list of numbers; 200 where none is given.
static bool check_status(const cJSON *status, const struct reply *reply, struct buf *differences) {
    const cJSON *list = cJSON_IsArray(status) ? status : NULL, *wanted;
    const long one = cJSON_IsNumber(status) ? (long)status->valuedouble : 200;
    bool fits = list == NULL && reply->status == one;
    struct buf texts = {0};
    if (list == NULL) buf_addf(&texts, "%ld", one);
    cJSON_ArrayForEach(wanted, list) {
        fits = fits || reply->status == (long)wanted->valuedouble;
        buf_addf(&texts, "%s%.0f", texts.len == 0 ? "" : " or ", wanted->valuedouble);
    }
    if (!fits)
        expect_differ(differences, "status: expected %s, is %ld: %.*s", texts.data, reply->status,
                      BODY_SHOWN, reply->body);
    buf_deinit(&texts);
    return fits;
}

static void check_reply(struct stage *s, const cJSON *request, const struct reply *reply,
                        struct buf *differences) {
    const cJSON *expected = get(request, "expect");
    if (!check_status(get(expected, "status"), reply, differences))
        return; // all else would be wrong for that reason
    check_headers(get(expected, "headers"), reply, differences);
    check_texts(get(expected, "body"), reply, differences);
    check_json(s, request, reply, differences);
}

static long seconds_of(const cJSON *request, struct buf *differences) {
    const uint64_t us =
        step_duration(request, "timeout", CLIENT_TIMEOUT_S * 1000000ULL, differences);
    return us < 1000000 ? 1 : (long)(us / 1000000);
}

static void play(struct stage *s, const cJSON *request, struct buf *differences) {
    struct question q = {0};
    struct reply reply = {0};
    struct error err;
    struct stopwatch stopwatch;
    make_question(s, request, &q);
    const struct client_request asked = {.method = q.method,
                                         .url = q.url.data,
                                         .headers = get(request, "headers"),
                                         .body = q.has_body ? q.body.data : NULL,
                                         .body_len = q.body.len,
                                         .is_json = get(request, "json") != NULL,
                                         .timeout_s = seconds_of(request, differences)};
    look_before(s, request, &q, differences);
    int rc = start_stopwatch(s, request, &stopwatch, &err);
    if (rc == 0)
        rc = cJSON_IsTrue(get(request, "abandon")) ? client_abandon(&asked, &err)
                                                   : client_send(&asked, &reply, &err);
    if (rc != 0)
        expect_differ(differences, "%s", err.text);
    else if (reply.body != NULL) {
        struct buf late = {0};
        check_stopwatch(s, &stopwatch, &late);
        keep_answer(s, &q, &reply);
        check_reply(s, request, &reply, differences);
        if (differences->len == 0 && late.len > 0) buf_adds(differences, late.data);
        look_behind(s, request, &q, &reply, differences);
        buf_deinit(&late);
    }
    reply_deinit(&reply);
    buf_deinit(&q.url);
    buf_deinit(&q.body);
}

const struct step_kind step_request = {
    .name = "request",
    .help = "Sends an HTTP request, and compares its answer",
    .example = "\n"
               "      json: {version: 5.3.1, filter_sites: [earth]}\n"
               "      expect: {report: {failed: [leaf62.earth], skipped: [leaf63.earth], "
               "completed: 104}}\n",
    .play = play,
};
