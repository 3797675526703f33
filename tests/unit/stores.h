// What the suites of stores share: a place for a file, jobs and events to keep, and all that a
// store holds as one text.
#pragma once

#include "orchestrator/store_back.h"
#include "tests/unit/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

// --- a folder of its own

struct store_place {
    char folder[40], file[60];
};

static inline struct store_place store_place_make(void) {
    struct store_place place = {.folder = "/tmp/unit-store-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(place.folder));
    snprintf(place.file, sizeof place.file, "%s/a.db", place.folder);
    return place;
}

// Calls with the path of each file there.
static inline void store_place_each(const struct store_place *place,
                                    void (*call)(void *arg, const char *path, const char *name),
                                    void *arg) {
    DIR *folder = opendir(place->folder);
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[320];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", place->folder, entry->d_name);
        call(arg, path, entry->d_name);
    }
    closedir(folder);
}

static inline void store_place_remove_one(void *arg, const char *path, const char *name) {
    (void)arg;
    (void)name;
    unlink(path);
}

static inline void store_place_remove(const struct store_place *place) {
    store_place_each(place, store_place_remove_one, NULL);
    rmdir(place->folder);
}

static inline void store_patch(const char *path, off_t at, const void *bytes, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

// What the disk of the unit tests does: check_store_crash.c has the calls.
struct store_disk {
    int write_error, sync_error; // errno; 0: none
    const struct store_place *from, *to;
    unsigned writes_left; // before all files are copied, as they are then
};

extern struct store_disk store_disk;

// --- what is kept

static inline struct store_op store_create_op(const char *id, const char *key) {
    return (struct store_op){.kind = STORE_CREATE,
                             .job = {.id = id,
                                     .key = key,
                                     .task = "upgrade_os",
                                     .request = "{\"version\": \"5.3.1\"}",
                                     .hosts = 100,
                                     .state = JOB_WAITING,
                                     .created_ms = 1600000000123}};
}

static inline struct store_op store_event_op(uint64_t job, enum store_kind kind, uint32_t host) {
    struct store_op op = {
        .kind = STORE_APPEND,
        .event = {
            .kind = kind, .job = job, .host = host, .wall_ms = 1600000001000 + (long long)host}};
    if (kind == STORE_INTENT) {
        op.event.attempt = 1;
        op.event.version = "5.2.1";
    }
    if (kind == STORE_OUTCOME) {
        op.event.attempt = 1;
        op.event.result = HOST_CHANGED;
        op.event.version = "5.3.1";
        op.event.ms = 1500;
    }
    return op;
}

static inline struct store_op store_state_op(uint64_t job, enum job_state state,
                                             enum job_outcome outcome) {
    return (struct store_op){.kind = STORE_APPEND,
                             .event = {.kind = STORE_JOB,
                                       .job = job,
                                       .host = STORE_NO_HOST,
                                       .wall_ms = 1600000002000 + (long long)state,
                                       .state = state,
                                       .outcome = outcome}};
}

// --- what is there

static inline const char *or_none(const char *text) {
    return text == NULL ? "-" : text;
}

static inline bool store_add_job(void *arg, const struct store_job *job,
                                 const struct store_event *event) {
    struct buf *out = arg;
    ck_assert_ptr_null(event);
    buf_addf(out, "job %llu id %s key %s task %s request %s hosts %llu n %llu state %d.%d text %s",
             (unsigned long long)job->number, job->id, or_none(job->key), job->task, job->request,
             (unsigned long long)job->hosts, (unsigned long long)job->n, (int)job->state,
             (int)job->outcome, or_none(job->text));
    for (int i = 0; i < HOST_STATES; i++)
        buf_addf(out, " %llu", (unsigned long long)job->results[i]);
    buf_addf(out, " times %lld %lld %lld image %zu:", job->created_ms, job->started_ms,
             job->ended_ms, job->image_len);
    if (job->image_len > 0) buf_add(out, job->image, job->image_len);
    buf_adds(out, "\n");
    return true;
}

static inline bool store_add_event(void *arg, const struct store_job *job,
                                   const struct store_event *event) {
    ck_assert_ptr_null(job);
    buf_addf(arg,
             "  %llu.%llu kind %d host %d attempt %d result %d state %d.%d ms %llu at %lld %s %s\n",
             (unsigned long long)event->job, (unsigned long long)event->n, (int)event->kind,
             (int)event->host, (int)event->attempt, (int)event->result, (int)event->state,
             (int)event->outcome, (unsigned long long)event->ms, event->wall_ms,
             or_none(event->version), or_none(event->text));
    return true;
}

static inline bool store_add_number(void *arg, const struct store_job *job,
                                    const struct store_event *event) {
    (void)event;
    buf_add(arg, &job->number, sizeof job->number);
    return true;
}

// Of what is read; of an error its text.
static inline char *store_read_text(const struct store_back *back, void *db,
                                    const struct store_query *query) {
    struct buf out = {0};
    struct error err;
    int rc = back->read(
        db, query, query->kind == STORE_READ_EVENTS ? store_add_event : store_add_job, &out, &err);
    if (rc != 0) buf_addf(&out, "error: %s\n", err.text);
    return out.len == 0 ? mem_strdup("") : buf_take(&out);
}

static inline char *store_dump(const struct store_back *back, void *db) {
    const struct store_query jobs = {.kind = STORE_READ_JOBS};
    struct buf numbers = {0}, out = {0};
    struct error err;
    int rc = back->read(db, &jobs, store_add_number, &numbers, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    for (size_t at = 0; at < numbers.len; at += sizeof(uint64_t)) {
        struct store_query query = {.kind = STORE_READ_JOB};
        memcpy(&query.job, numbers.data + at, sizeof query.job);
        rc = back->read(db, &query, store_add_job, &out, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        query.kind = STORE_READ_EVENTS;
        rc = back->read(db, &query, store_add_event, &out, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
    }
    buf_deinit(&numbers);
    return out.len == 0 ? mem_strdup("") : buf_take(&out);
}
