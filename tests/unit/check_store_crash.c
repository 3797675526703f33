// Any history of a store in a file, and what a crash at any moment leaves of it: what memory held
// after the same batches. Writing and syncing are ours here, to fail or to crash at.
#include "tests/unit/seeds.h"
#include "tests/unit/stores.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

Suite *check_store_crash(void);

static const struct store_back *const back = &store_sqlite;

// --- the disk

struct store_disk store_disk;

static void copy_files(const struct store_place *from, const struct store_place *to);

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's names are reserved
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
    if (store_disk.writes_left > 0 && --store_disk.writes_left == 0)
        copy_files(store_disk.from, store_disk.to);
    if (store_disk.write_error == 0) return syscall(SYS_pwrite64, fd, data, len, at);
    errno = store_disk.write_error;
    return -1;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
int fdatasync(int fd) {
    if (store_disk.sync_error == 0) return (int)syscall(SYS_fdatasync, fd);
    errno = store_disk.sync_error;
    return -1;
}

// What a process that is killed leaves: all that it has written, but not its memory.
static void copy_one(void *arg, const char *path, const char *name) {
    const struct store_place *to = arg;
    char copy[320], bytes[4096];
    if (strstr(name, "-shm") != NULL) return;
    snprintf(copy, sizeof copy, "%s/%s", to->folder, name);
    int in = open(path, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert(in >= 0 && out >= 0);
    for (ssize_t len; (len = read(in, bytes, sizeof bytes)) > 0;)
        ck_assert_int_eq(write(out, bytes, (size_t)len), len);
    close(in); // of one that is open here too: only the copy is opened by others
    close(out);
}

static void copy_files(const struct store_place *from, const struct store_place *to) {
    store_place_each(from, copy_one, (void *)(uintptr_t)to);
}

// At any of its writes, the first ones above all, until it is made with fewer.
START_TEST(a_crash_while_a_store_is_made_leaves_what_becomes_one) {
    bool is_over = false;
    for (unsigned writes = 1; !is_over; writes += 1 + writes / 8) {
        struct store_place place, copy;
        struct store_found found;
        struct error err;
        void *db;
        place = store_place_make();
        copy = store_place_make();
        store_disk.from = &place;
        store_disk.to = &copy;
        store_disk.writes_left = writes;
        ck_assert_int_eq(back->open(&db, place.file, 1000, &found, &err), 0);
        is_over = store_disk.writes_left > 0;
        store_disk.writes_left = 0;
        back->close(db);
        int rc = back->open(&db, copy.file, 1000, &found, &err);
        ck_assert_msg(rc == 0, "write %u: %s", writes, err.text);
        ck_assert_uint_eq(found.beat, 0);
        back->close(db);
        store_place_remove(&copy);
        store_place_remove(&place);
    }
}
END_TEST

// --- any history, and what a crash leaves of it

enum { BATCHES = 40, OPS = 6, IMAGE = 5000 };

struct history {
    uint64_t seed, draws;
    struct history_batch {
        struct store_op ops[OPS];
        size_t count;
        char id[12];
    } batches[BATCHES + 1];     // from 1: by number
    char *dumps[BATCHES + 1];   // after each
    uint64_t jobs[BATCHES + 1]; // that are there
    size_t jobs_count;
};

#define HOLDS(h, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s; replay with SEED=%llu", #condition, (unsigned long long)(h)->seed);  \
    } while (0)

static uint64_t draw(struct history *h, uint64_t max) {
    return rng_range(rng_mix(h->seed, ++h->draws), 0, max);
}

static struct store_op any_create(struct history *h, struct history_batch *batch, size_t number) {
    static const char *const keys[] = {"a", "b", NULL, NULL};
    snprintf(batch->id, sizeof batch->id, "job%zu", number);
    struct store_op op = store_create_op(batch->id, keys[draw(h, 3)]);
    op.job.hosts = 1000;
    op.job.image_len = draw(h, IMAGE);
    return op;
}

static struct store_op any_event(struct history *h) {
    static const char *const texts[] = {NULL, "", "leaf01.earth is not up"};
    const uint64_t job = h->jobs[draw(h, h->jobs_count - 1)];
    const enum store_kind kind = (enum store_kind)(1 + draw(h, 4));
    struct store_op op = store_event_op(job, kind, (uint32_t)draw(h, 9));
    if (kind == STORE_OUTCOME) op.event.result = (enum host_state)(HOST_CHANGED + draw(h, 3));
    if (kind == STORE_JOB) {
        const enum job_state state = (enum job_state)(1 + draw(h, 4));
        op = store_state_op(
            job, state, state == JOB_DONE ? (enum job_outcome)(1 + draw(h, 3)) : JOB_NO_OUTCOME);
    }
    op.event.text = texts[draw(h, COUNT(texts) - 1)];
    return op;
}

static void make_batch(struct history *h, size_t number) {
    struct history_batch *batch = &h->batches[number];
    const uint64_t what = h->jobs_count == 0 ? 0 : draw(h, 9);
    batch->count = 1;
    if (what < 2)
        batch->ops[0] = any_create(h, batch, number);
    else if (what == 2)
        batch->ops[0] = (struct store_op){.kind = STORE_RETAIN, .keep = draw(h, 2)};
    else if (what == 3)
        batch->ops[0] = (struct store_op){.kind = STORE_FORGET,
                                          .job = {.id = h->batches[draw(h, number - 1)].id}};
    else if (what == 4)
        batch->ops[0] = (struct store_op){.kind = STORE_ALIVE};
    else
        for (batch->count = 0; batch->count < 1 + draw(h, OPS - 1);)
            batch->ops[batch->count++] = any_event(h);
}

// With the answers; the image is made of its number.
static enum store_status write_batch(const struct history *h, const struct store_back *to, void *db,
                                     size_t number, struct store_op ops[OPS]) {
    const struct history_batch *batch = &h->batches[number];
    const bool is_create = batch->ops[0].kind == STORE_CREATE;
    struct error err;
    memcpy(ops, batch->ops, sizeof batch->ops);
    if (is_create) {
        char *image = mem_alloc(IMAGE);
        memset(image, 'a' + (int)(number % 26), IMAGE);
        ops[0].job.image = image;
    }
    const enum store_status status =
        to->write(db, number, 1000 + (long long)number, ops, batch->count, &err);
    if (is_create) free((void *)(uintptr_t)ops[0].job.image); // unless it was taken over
    if (is_create) ops[0].job.image = NULL;
    return status;
}

static bool note_job(void *arg, const struct store_job *job, const struct store_event *event) {
    struct history *h = arg;
    (void)event;
    h->jobs[h->jobs_count++] = job->number;
    return true;
}

// The memory's answers and rows are what is expected of the file.
static struct history *history_of(uint64_t seed) {
    const struct store_query all = {.kind = STORE_READ_JOBS};
    struct history *h = mem_zalloc(sizeof *h);
    struct store_found found;
    struct error err;
    void *db;
    h->seed = seed;
    ck_assert_int_eq(store_memory.open(&db, "none", 1000, &found, &err), 0);
    h->dumps[0] = store_dump(&store_memory, db);
    for (size_t number = 1; number <= BATCHES; number++) {
        struct store_op ops[OPS];
        make_batch(h, number);
        HOLDS(h, write_batch(h, &store_memory, db, number, ops) == STORE_OK);
        memcpy(h->batches[number].ops, ops, sizeof ops);
        h->dumps[number] = store_dump(&store_memory, db);
        h->jobs_count = 0;
        ck_assert_int_eq(store_memory.read(db, &all, note_job, h, &err), 0);
    }
    store_memory.close(db);
    return h;
}

static void free_history(struct history *h) {
    for (size_t i = 0; i <= BATCHES; i++)
        free(h->dumps[i]);
    free(h);
}

// From where they differ.
static void assert_dump(struct history *h, void *db, size_t number) {
    char *dump = store_dump(back, db);
    const char *expected = h->dumps[number];
    size_t same = 0;
    while (dump[same] != '\0' && dump[same] == expected[same])
        same++;
    if (dump[same] != expected[same])
        ck_abort_msg("after batch %zu: %.300s\nexpected: %.300s\nreplay with SEED=%llu", number,
                     dump + same, expected + same, (unsigned long long)h->seed);
    free(dump);
}

static void write_and_compare(struct history *h, void *db, size_t number) {
    struct store_op ops[OPS];
    HOLDS(h, write_batch(h, back, db, number, ops) == STORE_OK);
    for (size_t i = 0; i < h->batches[number].count; i++) {
        HOLDS(h, ops[i].status == h->batches[number].ops[i].status);
        HOLDS(h, ops[i].n == h->batches[number].ops[i].n);
    }
}

static void *open_at(struct history *h, const struct store_place *place, size_t *number) {
    struct store_found found;
    struct error err;
    void *db = NULL;
    int rc = back->open(&db, place->file, 1000, &found, &err);
    if (rc != 0) ck_abort_msg("%s; replay with SEED=%llu", err.text, (unsigned long long)h->seed);
    *number = found.beat;
    return db;
}

// What a crash has left: the history up to some batch, from which it goes on to its end.
static void assert_left(struct history *h, const struct store_place *place, size_t from,
                        size_t to) {
    size_t number;
    void *db = open_at(h, place, &number);
    HOLDS(h, number >= from && number <= to);
    assert_dump(h, db, number);
    if (number > 0) write_and_compare(h, db, number); // its answer may have been lost
    assert_dump(h, db, number);
    while (++number <= BATCHES)
        write_and_compare(h, db, number);
    assert_dump(h, db, BATCHES);
    back->close(db);
}

static void run_with_restarts(uint64_t seed) {
    struct history *h = history_of(seed);
    struct store_place place;
    size_t at;
    place = store_place_make();
    void *db = open_at(h, &place, &at);
    for (size_t number = 1; number <= BATCHES; number++) {
        write_and_compare(h, db, number);
        if (draw(h, 3) > 0) continue;
        assert_dump(h, db, number);
        back->close(db);
        db = open_at(h, &place, &at);
        HOLDS(h, at == number);
        assert_dump(h, db, number);
    }
    assert_dump(h, db, BATCHES);
    back->close(db);
    store_place_remove(&place);
    free_history(h);
}

START_TEST(whatever_is_written_memory_and_file_hold_the_same) {
    run_seeds(10, run_with_restarts);
}
END_TEST

// A batch takes some twenty writes at most; most take five.
static void run_with_a_crash_at_a_write(uint64_t seed) {
    struct history *h = history_of(seed);
    struct store_place place, copy;
    size_t at;
    place = store_place_make();
    copy = store_place_make();
    void *db = open_at(h, &place, &at);
    const size_t last = 1 + draw(h, BATCHES - 1);
    for (size_t number = 1; number < last; number++)
        write_and_compare(h, db, number);
    store_disk.from = &place;
    store_disk.to = &copy;
    store_disk.writes_left = 1 + (unsigned)draw(h, 8);
    write_and_compare(h, db, last);
    if (store_disk.writes_left > 0) copy_files(&place, &copy); // right behind the last of them
    store_disk.writes_left = 0;
    assert_left(h, &copy, last - 1, last);
    back->close(db);
    store_place_remove(&copy);
    store_place_remove(&place);
    free_history(h);
}

START_TEST(a_crash_at_any_write_leaves_a_batch_whole_or_not_at_all) {
    run_seeds(20, run_with_a_crash_at_a_write);
}
END_TEST

// A machine that stops while its disk is at it: the WAL ends anywhere.
static void run_with_a_torn_wal(uint64_t seed) {
    struct history *h = history_of(seed);
    struct store_place place, copy;
    struct stat wal;
    char path[80];
    size_t at;
    place = store_place_make();
    copy = store_place_make();
    void *db = open_at(h, &place, &at);
    const size_t last = 1 + draw(h, BATCHES - 1);
    for (size_t number = 1; number <= last; number++)
        write_and_compare(h, db, number);
    copy_files(&place, &copy);
    snprintf(path, sizeof path, "%s-wal", copy.file);
    ck_assert_int_eq(stat(path, &wal), 0);
    ck_assert_int_eq(truncate(path, (off_t)draw(h, (uint64_t)wal.st_size)), 0);
    assert_left(h, &copy, 0, last);
    back->close(db);
    store_place_remove(&copy);
    store_place_remove(&place);
    free_history(h);
}

START_TEST(a_wal_that_was_cut_off_leaves_the_batches_before) {
    run_seeds(10, run_with_a_torn_wal);
}
END_TEST

static void write_until_killed(const struct history *h, const struct store_place *place, int tell) {
    struct store_found found;
    struct error err;
    struct store_op ops[OPS];
    void *db;
    if (back->open(&db, place->file, 1000, &found, &err) != 0) _exit(1);
    for (size_t number = 1; number <= BATCHES; number++)
        if (write_batch(h, back, db, number, ops) != STORE_OK || write(tell, "", 1) != 1) _exit(1);
    pause();
    _exit(1);
}

static void run_with_kill(uint64_t seed) {
    struct history *h = history_of(seed);
    struct store_place place;
    char byte;
    int pipes[2];
    size_t told = 0;
    place = store_place_make();
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) write_until_killed(h, &place, pipes[1]);
    close(pipes[1]);
    const size_t enough = 1 + draw(h, BATCHES - 1);
    while (told < enough && read(pipes[0], &byte, 1) == 1)
        told++;
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    while (read(pipes[0], &byte, 1) == 1)
        told++;
    close(pipes[0]);
    HOLDS(h, told >= enough);
    assert_left(h, &place, told, told + 1);
    store_place_remove(&place);
    free_history(h);
}

START_TEST(what_was_told_before_a_kill_is_there_after_it) {
    run_seeds(5, run_with_kill);
}
END_TEST

// --- any bytes

static bool ignore_row(void *arg, const struct store_job *job, const struct store_event *event) {
    // Their texts have ends: that is all that is asked of them.
    *(size_t *)arg += strlen(job != NULL ? job->id : or_none(event->text));
    return true;
}

static void run_with_changed_bytes(uint64_t seed) {
    struct history *h = history_of(seed);
    struct store_place place = store_place_make();
    struct stat stat_of;
    struct store_found found;
    struct error err;
    size_t at, sum = 0;
    void *db = open_at(h, &place, &at);
    for (size_t number = 1; number <= BATCHES; number++)
        write_and_compare(h, db, number);
    back->close(db);
    ck_assert_int_eq(stat(place.file, &stat_of), 0);
    for (uint64_t changes = 1 + draw(h, 9); changes > 0; changes--) {
        const char byte = (char)draw(h, 255);
        store_patch(place.file, (off_t)(100 + draw(h, (uint64_t)stat_of.st_size - 101)), &byte, 1);
    }
    // So that it is not looked at as a whole.
    if (draw(h, 1) == 0) ck_assert_int_eq(truncate(place.file, 70 << 20), 0);
    db = NULL;
    if (back->open(&db, place.file, 1000, &found, &err) == 0) {
        struct store_op op = store_event_op(1, STORE_STARTED, 0);
        for (uint64_t job = 0; job < BATCHES; job++)
            for (int kind = STORE_READ_JOBS; kind <= STORE_READ_EVENTS; kind++) {
                const struct store_query query = {.kind = (enum store_query_kind)kind, .job = job};
                back->read(db, &query, ignore_row, &sum, &err);
            }
        back->write(db, found.beat + 1, 1000, &op, 1, &err);
    }
    back->close(db);
    store_place_remove(&place);
    free_history(h);
}

START_TEST(whatever_bytes_are_changed_nothing_worse_comes_of_it_than_an_error) {
    run_seeds(20, run_with_changed_bytes);
}
END_TEST

Suite *check_store_crash(void) {
    Suite *suite = suite_create("store_crash");
    TCase *tcase = tcase_create("store_crash");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_crash_while_a_store_is_made_leaves_what_becomes_one);
    tcase_add_test(tcase, whatever_is_written_memory_and_file_hold_the_same);
    tcase_add_test(tcase, a_crash_at_any_write_leaves_a_batch_whole_or_not_at_all);
    tcase_add_test(tcase, a_wal_that_was_cut_off_leaves_the_batches_before);
    tcase_add_test(tcase, what_was_told_before_a_kill_is_there_after_it);
    tcase_add_test(tcase, whatever_bytes_are_changed_nothing_worse_comes_of_it_than_an_error);
    return suite;
}
