// The threads around store_queue.c. A batch is the writer's from being handed over until it has
// told that it is written; all else of the queue is the loop's. A reading is the reader's from
// being asked for until it is read.
//
//   loop                          writer                   reader
//   queue, next: a batch   ----->
//   (gathers the next)            write, commit
//                          <----- written
//   answers; next
//   read                   ------------------------------> work
//                          <------------------------------ read
//   then
//
// One async handle wakes the loop for both. It answers a bounded number in one turn, so that a
// thousand hosts that may go on at once do not keep requests waiting.
#include "orchestrator/store.h"

#include "common/bytes.h"
#include "common/clock.h"
#include "common/mem.h"
#include "orchestrator/store_file.h"
#include "orchestrator/store_queue.h"
#include "orchestrator/store_where.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    STALL_MS = 5000,  // of one write: it is said then that it has not come back
    LAST_LOOK_MS = 1, // ... after a look for its answer, where the process stood still itself
    GATHER_US = 4000,
    ALIVE_US = STORE_ALIVE_MS * 1000,
    ANSWERS_A_TURN = 256,
};

struct store_reading {
    struct store_reading *next;
    store_work work;
    void (*then)(void *arg);
    void *arg;
};

struct store_readings {
    struct store_reading *first, *last;
};

// What came of a batch.
struct written {
    bool is_new; // the loop has not seen it
    enum store_status status;
    struct error err;
    double seconds;
    uint64_t size;
};

struct store_reader {
    struct store *store;
};

struct store {
    const struct store_back *back;
    void *db;
    struct store_found found;
    struct store_queue queue;
    struct store_reader reader;
    unsigned commit_delay_ms;
    uint64_t size, size_max; // bytes
    void (*committed)(void *arg, double seconds);
    void *committed_arg;
    void (*trouble)(void *arg, const char *why);
    void *trouble_arg;
    void (*kept)(void *arg, const struct store_event *event);
    void *kept_arg;
    void (*acknowledged)(void *arg, uint64_t sent_ms);
    void *acknowledged_arg;
    uint64_t sent_number, sent_ms; // of the batch that was handed over last: when it first was
    void (*closed)(void *arg);
    void *closed_arg;
    bool is_turning;
    bool gathers; // the next batch has its time: nothing is to be done about what is asked
    bool has_writer, has_reader;
    size_t readings;  // asked for and not told
    unsigned handles; // that are closing
    uv_async_t async;
    uv_timer_t timer;
    uv_timer_t stall; // runs while a batch is the writer's
    enum { STALL_NONE, STALL_LAST_LOOK, STALLED } stalled;
    struct error why_stalled;
    uv_thread_t writer_thread, reader_thread;
    // Of all threads, under the lock.
    uv_mutex_t lock;
    uv_cond_t to_write, to_read;
    bool is_stopping;
    struct store_batch *batch; // handed over
    struct written written;
    struct store_readings asked, read;
};

// --- the threads

static uint64_t size_of(const struct store *s) {
    return s->back->size == NULL ? 0 : s->back->size(s->db);
}

static void write_batch(struct store *s, struct store_batch *batch, struct written *written) {
    const double begun_s = clock_monotonic_s();
    if (s->commit_delay_ms > 0) uv_sleep(s->commit_delay_ms);
    written->status = s->back->write(s->db, batch->number, clock_wall_ms(), batch->ops,
                                     batch->count, &written->err);
    written->seconds = clock_monotonic_s() - begun_s;
    written->size = size_of(s);
}

static struct store_batch *wait_for_batch(struct store *s) {
    uv_mutex_lock(&s->lock);
    while (s->batch == NULL && !s->is_stopping)
        uv_cond_wait(&s->to_write, &s->lock);
    struct store_batch *batch = s->batch;
    s->batch = NULL;
    uv_mutex_unlock(&s->lock);
    return batch;
}

// Who is woken is woken without the lock, which he needs.
static void write_on_thread(void *arg) {
    struct store *s = arg;
    for (struct store_batch *batch; (batch = wait_for_batch(s)) != NULL;) {
        struct written written = {.is_new = true};
        write_batch(s, batch, &written);
        uv_mutex_lock(&s->lock);
        s->written = written;
        uv_mutex_unlock(&s->lock);
        uv_async_send(&s->async);
    }
}

static void put_reading(struct store_readings *list, struct store_reading *reading) {
    reading->next = NULL;
    if (list->first == NULL)
        list->first = reading;
    else
        list->last->next = reading;
    list->last = reading;
}

static struct store_reading *take_reading(struct store_readings *list) {
    struct store_reading *reading = list->first;
    if (reading == NULL) return NULL;
    list->first = reading->next;
    if (list->first == NULL) list->last = NULL;
    return reading;
}

static struct store_reading *wait_for_reading(struct store *s) {
    uv_mutex_lock(&s->lock);
    while (s->asked.first == NULL && !s->is_stopping)
        uv_cond_wait(&s->to_read, &s->lock);
    struct store_reading *reading = take_reading(&s->asked);
    uv_mutex_unlock(&s->lock);
    return reading;
}

static void read_on_thread(void *arg) {
    struct store *s = arg;
    for (struct store_reading *reading; (reading = wait_for_reading(s)) != NULL;) {
        reading->work(reading->arg, &s->reader);
        uv_mutex_lock(&s->lock);
        put_reading(&s->read, reading);
        uv_mutex_unlock(&s->lock);
        uv_async_send(&s->async);
    }
}

static void stop_threads(struct store *s) {
    uv_mutex_lock(&s->lock);
    s->is_stopping = true;
    uv_cond_signal(&s->to_write);
    uv_cond_signal(&s->to_read);
    uv_mutex_unlock(&s->lock);
    if (s->has_writer) uv_thread_join(&s->writer_thread);
    if (s->has_reader) uv_thread_join(&s->reader_thread);
}

// --- on the loop: batches

static void on_time(uv_timer_t *timer);

static void tell_trouble(struct store *s, bool was_well) {
    const char *why = NULL;
    if (store_is_well(s, &why) == was_well || s->trouble == NULL) return;
    s->trouble(s->trouble_arg, why);
}

// A disk that hangs gives no error.
static void on_stall(uv_timer_t *timer) {
    struct store *s = timer->data;
    const bool was_well = store_is_well(s, NULL);
    s->stalled = s->stalled == STALL_NONE ? STALL_LAST_LOOK : STALLED;
    if (s->stalled == STALL_LAST_LOOK) uv_timer_start(timer, on_stall, LAST_LOOK_MS, 0);
    tell_trouble(s, was_well);
}

// A batch that was sent before may have been kept then.
static void note_sent(struct store *s, const struct store_batch *batch) {
    if (s->sent_number == batch->number) return;
    s->sent_number = batch->number;
    s->sent_ms = clock_boot_ms();
}

static void hand_over(struct store *s, struct store_batch *batch) {
    note_sent(s, batch);
    s->stalled = STALL_NONE;
    uv_timer_start(&s->stall, on_stall, STALL_MS, 0);
    uv_mutex_lock(&s->lock);
    s->batch = batch;
    uv_mutex_unlock(&s->lock);
    uv_cond_signal(&s->to_write);
}

static bool answer_one(struct store *s) {
    struct store_answer answer;
    if (!store_queue_answer(&s->queue, &answer)) return false;
    struct store_event event = {0}; // what follows may be told from within
    if (answer.event != NULL) event = *answer.event;
    event.version = event.text = NULL;
    if (answer.done != NULL) answer.done(answer.arg, answer.status, answer.n);
    if (event.kind != 0 && s->kept != NULL) s->kept(s->kept_arg, &event);
    return true;
}

static void write_at_once(struct store *s, struct store_batch *batch) {
    struct error err; // large, and not written where all is well
    const enum store_status status =
        s->back->write(s->db, batch->number, clock_wall_ms(), batch->ops, batch->count, &err);
    store_queue_written(&s->queue, status, &err, 0);
    while (answer_one(s))
        continue;
}

// Writes what is to be written now, or sees to it that it will be. What is asked by who is answered
// is written in its turn, not from within.
static void turn(struct store *s) {
    struct store_turn next;
    if (s->is_turning) return;
    s->is_turning = true;
    for (;;) {
        next = store_queue_next(&s->queue, s->back->blocks ? uv_hrtime() / 1000 : 0);
        if (next.batch == NULL || s->back->blocks) break;
        write_at_once(s, next.batch);
    }
    s->is_turning = false;
    s->gathers = next.batch != NULL || next.has_more;
    if (next.batch != NULL) hand_over(s, next.batch);
    if (next.wait_us > 0) uv_timer_start(&s->timer, on_time, (next.wait_us + 999) / 1000, 0);
}

static void on_time(uv_timer_t *timer) {
    turn(timer->data);
}

static void take_written(struct store *s) {
    uv_mutex_lock(&s->lock);
    const struct written written = s->written;
    s->written.is_new = false;
    uv_mutex_unlock(&s->lock);
    if (!written.is_new) return;
    s->size = written.size;
    const bool was_well = store_is_well(s, NULL);
    uv_timer_stop(&s->stall);
    s->stalled = STALL_NONE;
    store_queue_written(&s->queue, written.status, &written.err, uv_hrtime() / 1000);
    tell_trouble(s, was_well);
    if (written.status == STORE_OK && s->acknowledged != NULL)
        s->acknowledged(s->acknowledged_arg, s->sent_ms);
    if (written.status == STORE_OK && s->committed != NULL)
        s->committed(s->committed_arg, written.seconds);
    turn(s);
}

// --- on the loop: readings

static void read_on_loop(struct store *s) {
    for (struct store_reading *r; (r = take_reading(&s->asked)) != NULL;) {
        r->work(r->arg, &s->reader);
        put_reading(&s->read, r);
    }
}

static void tell_read(struct store *s) {
    if (!s->back->blocks) read_on_loop(s);
    uv_mutex_lock(&s->lock);
    struct store_readings read = s->read;
    s->read = (struct store_readings){0};
    uv_mutex_unlock(&s->lock);
    for (struct store_reading *r; (r = take_reading(&read)) != NULL;) {
        s->readings--;
        r->then(r->arg);
        free(r);
    }
}

void store_read(struct store *s, store_work work, void (*then)(void *arg), void *arg) {
    struct store_reading *reading = mem_alloc(sizeof *reading);
    *reading = (struct store_reading){.work = work, .then = then, .arg = arg};
    s->readings++;
    uv_mutex_lock(&s->lock);
    put_reading(&s->asked, reading);
    uv_mutex_unlock(&s->lock);
    uv_cond_signal(&s->to_read);
    if (!s->back->blocks) uv_async_send(&s->async);
}

void store_read_now(struct store *s, store_work work, void *arg) {
    work(arg, &s->reader);
}

int store_rows(const struct store_reader *reader, const struct store_query *query, store_row row,
               void *arg, struct error *err) {
    return reader->store->back->read(reader->store->db, query, row, arg, err);
}

// --- closing

static void free_store(struct store *s) {
    uv_cond_destroy(&s->to_read);
    uv_cond_destroy(&s->to_write);
    uv_mutex_destroy(&s->lock);
    free(s);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct store *s = handle->data;
    if (--s->handles > 0) return;
    s->closed(s->closed_arg);
    free_store(s);
}

static void finish_if_over(struct store *s) {
    if (s->closed == NULL || s->handles > 0 || !store_queue_is_empty(&s->queue)) return;
    stop_threads(s);
    s->back->close(s->db);
    store_queue_deinit(&s->queue);
    s->handles = 3;
    uv_close((uv_handle_t *)&s->async, on_handle_closed);
    uv_close((uv_handle_t *)&s->stall, on_handle_closed);
    uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

void store_close(struct store *s, void (*closed)(void *arg), void *arg) {
    assert(s->closed == NULL && s->readings == 0);
    s->closed = closed;
    s->closed_arg = arg;
    store_queue_close(&s->queue);
    turn(s);
    uv_async_send(&s->async);
}

static void on_async(uv_async_t *async) {
    struct store *s = async->data;
    unsigned answers = 0;
    take_written(s);
    tell_read(s);
    while (answers < ANSWERS_A_TURN && answer_one(s))
        answers++;
    if (answers == ANSWERS_A_TURN) uv_async_send(&s->async);
    finish_if_over(s);
}

// --- asking

void store_create(struct store *s, const struct store_job *job, store_done done, void *arg) {
    store_queue_create(&s->queue, job, done, arg);
    if (!store_queue_is_well(&s->queue)) uv_async_send(&s->async); // it is refused
    if (!s->gathers) turn(s);
}

void store_append(struct store *s, const struct store_event *event, store_done done, void *arg) {
    store_queue_append(&s->queue, event, done, arg);
    if (!s->gathers) turn(s);
}

void store_audit(struct store *s, const struct store_audit *audit) {
    store_queue_audit(&s->queue, audit);
    if (!s->gathers) turn(s);
}

bool store_is_well(const struct store *s, const char **why) {
    const char *found = NULL;
    if (s->stalled == STALLED) found = s->why_stalled.text;
    if (!store_queue_is_well(&s->queue)) found = s->queue.why.text;
    if (found != NULL && why != NULL) *why = found;
    return found == NULL;
}

bool store_has_room(const struct store *s, struct error *err) {
    char size[BYTES_TEXT_MAX], max[BYTES_TEXT_MAX];
    if (s->size_max == 0 || s->size < s->size_max) return true;
    bytes_format_near(s->size, size);
    bytes_format(s->size_max, max);
    error_set(err,
              "it holds %s, and no new job is taken from %s on: start the service with a smaller "
              "--keep-jobs or a larger --limit store-size",
              size, max);
    return false;
}

void store_retain(struct store *s) {
    store_queue_retain(&s->queue);
    if (!s->gathers) turn(s);
}

void store_on_kept(struct store *s, void (*kept)(void *arg, const struct store_event *event),
                   void *arg) {
    s->kept = kept;
    s->kept_arg = arg;
    s->queue.config.tells_all = kept != NULL && !store_is_shared(s);
}

// --- where several nodes share it

bool store_is_shared(const struct store *s) {
    return s->back->look != NULL;
}

void store_lease(struct store *s, struct store_lease *lease, store_done done, void *arg) {
    store_queue_lease(&s->queue, lease, done, arg);
    if (!s->gathers) turn(s);
}

int store_look(const struct store_reader *reader, struct store_view *view, struct error *err) {
    return reader->store->back->look(reader->store->db, view, err);
}

void store_on_acknowledged(struct store *s, void (*told)(void *arg, uint64_t sent_ms), void *arg) {
    s->acknowledged = told;
    s->acknowledged_arg = arg;
}

bool store_is_fenced(const struct store *s) {
    return s->queue.is_fenced;
}

bool store_is_creating(const struct store *s, const char *id) {
    return store_queue_is_creating(&s->queue, id);
}

void store_heard(struct store *s, const struct store_event *event) {
    if (s->kept != NULL) s->kept(s->kept_arg, event);
}

void store_on_commit(struct store *s, void (*committed)(void *arg, double seconds), void *arg) {
    s->committed = committed;
    s->committed_arg = arg;
}

void store_on_trouble(struct store *s, void (*told)(void *arg, const char *why), void *arg) {
    s->trouble = told;
    s->trouble_arg = arg;
}

const struct store_found *store_found(const struct store *s) {
    return &s->found;
}

bool store_is_persistent(const struct store *s) {
    return s->back->blocks;
}

// --- opening

static bool count_job(void *arg, const struct store_job *job, const struct store_event *event) {
    (void)job;
    (void)event;
    ++*(uint64_t *)arg;
    return true;
}

static int init_queue(struct store *s, const struct store_config *config, struct error *err) {
    const struct store_query open = {.kind = STORE_READ_JOBS, .is_open = true};
    struct store_queue_config queue = {.keep_jobs = config->keep_jobs, .beat = s->found.beat};
    const int rc = s->back->read(s->db, &open, count_job, &queue.open_jobs, err);
    if (s->back->blocks) queue.gather_us = GATHER_US;
    if (s->back->blocks) queue.alive_us = ALIVE_US;
    queue.beat_us = (uint64_t)s->back->beat_ms * 1000;
    queue.is_shared = store_is_shared(s);
    store_queue_init(&s->queue, &queue);
    return rc;
}

static int start_threads(struct store *s, struct error *err) {
    if (!s->back->blocks) return 0;
    int rc = uv_thread_create(&s->writer_thread, write_on_thread, s);
    s->has_writer = rc == 0;
    if (rc == 0) rc = uv_thread_create(&s->reader_thread, read_on_thread, s);
    s->has_reader = s->has_writer && rc == 0;
    return rc == 0 ? 0 : error_system(err, rc, "no thread for the store");
}

static int init_handles(struct store *s, uv_loop_t *loop, struct error *err) {
    int rc = uv_async_init(loop, &s->async, on_async);
    if (rc != 0) return error_system(err, rc, "the store cannot be waited for");
    uv_timer_init(loop, &s->timer);
    uv_timer_init(loop, &s->stall);
    s->async.data = s->timer.data = s->stall.data = s;
    return 0;
}

static void init_lock(struct store *s) {
    if (uv_mutex_init(&s->lock) != 0 || uv_cond_init(&s->to_write) != 0 ||
        uv_cond_init(&s->to_read) != 0)
        abort(); // out of memory
}

static const struct store_back *back_of(const char *where) {
    if (store_where_is_memory(where)) return &store_memory;
    return store_where_is_postgres(where) ? &store_postgres : &store_sqlite;
}

int store_open(struct store **store, uv_loop_t *loop, const struct store_config *config,
               struct error *err) {
    struct store *s = mem_zalloc(sizeof *s);
    char shown[STORE_SHOWN_MAX];
    s->back = back_of(config->where);
    store_where_show(config->where, shown);
    store_postgres_allow_async(config->allows_async);
    s->reader.store = s;
    s->commit_delay_ms = config->commit_delay_ms;
    s->size_max = config->size_max;
    error_set(&s->why_stalled, "%s: a write has not come back for %d s", shown, STALL_MS / 1000);
    if (s->back == &store_sqlite) error_advise(&s->why_stalled, "%s", store_file_advice(EIO));
    init_lock(s);
    int rc = s->back->open(&s->db, config->where, clock_wall_ms(), &s->found, err);
    if (rc == 0) s->size = size_of(s);
    if (rc == 0) rc = init_queue(s, config, err);
    if (rc == 0) rc = start_threads(s, err);
    if (rc == 0) rc = init_handles(s, loop, err);
    if (rc == 0) {
        *store = s;
        uv_update_time(loop); // to open it may have taken seconds
        if (s->back->beat_ms > 0) turn(s);
        return 0;
    }
    stop_threads(s);
    s->back->close(s->db);
    free_store(s);
    return rc;
}
