// What is special about a store in a file: what it refuses to open, what it makes, and what it says
// of rows and disks that are not as they should be. Crashes: check_store_crash.c.
#include "tests/unit/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

Suite *check_store_sqlite(void);

static const struct store_back *const back = &store_sqlite;

// --- files that are there before

static void run_sql(const char *path, const char *text) {
    sqlite3 *db = NULL;
    char *message = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, text, NULL, NULL, &message);
    ck_assert_msg(message == NULL, "%s: %s", text, message);
    sqlite3_close(db);
}

static void make_store(const char *path) {
    struct store_found found;
    struct error err;
    void *db = NULL;
    int rc = back->open(&db, path, 1000, &found, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    struct store_op op = store_create_op("one", NULL);
    ck_assert_int_eq(back->write(db, 1, 1000, &op, 1, &err), STORE_OK);
    struct store_op events[] = {
        store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME), store_event_op(1, STORE_INTENT, 0),
        store_event_op(1, STORE_OUTCOME, 0), store_state_op(1, JOB_DONE, JOB_COMPLETED)};
    ck_assert_int_eq(back->write(db, 2, 1000, events, COUNT(events), &err), STORE_OK);
    back->close(db);
}

static void make_text(const char *path) {
    store_patch(path, 0, "site: earth\n", 12);
}

static void make_foreign(const char *path) {
    run_sql(path, "create table t (a); insert into t values (1)");
}

static void make_newer(const char *path) {
    make_store(path);
    store_patch(path, 60, "\0\0\0\7", 4);
}

static void make_damaged(const char *path) {
    char garbage[4096];
    make_store(path);
    memset(garbage, 'x', sizeof garbage);
    store_patch(path, sizeof garbage, garbage, sizeof garbage);
}

static void make_short(const char *path) {
    make_store(path);
    ck_assert_int_eq(truncate(path, (off_t)3 * 4096), 0);
}

static void make_headless(const char *path) {
    make_store(path);
    run_sql(path, "delete from meta");
}

// Nobody has told its header yet what waits in its WAL.
static void make_newer_in_wal(const char *path) {
    sqlite3 *db = NULL;
    make_store(path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sqlite3_exec(db, "pragma user_version = 7", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void make_folder(const char *path) {
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void make_pipe(const char *path) {
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

// --- what is refused

static void add_file(void *arg, const char *path, const char *name) {
    struct buf *out = arg;
    struct stat stat_of;
    char bytes[4096];
    ck_assert_int_eq(lstat(path, &stat_of), 0);
    buf_addf(out, "%s %o %lld\n", name, stat_of.st_mode, (long long)stat_of.st_size);
    if (!S_ISREG(stat_of.st_mode) || strstr(name, "-shm") != NULL) return; // which is memory
    int fd = open(path, O_RDONLY);
    for (ssize_t len; (len = read(fd, bytes, sizeof bytes)) > 0;)
        buf_add(out, bytes, (size_t)len);
    close(fd);
}

static void assert_refused(const struct store_place *place, const char *said) {
    char expected[300];
    struct buf before = {0}, after = {0};
    struct store_found found;
    struct error err;
    void *db = NULL;
    store_place_each(place, add_file, &before);
    ck_assert_int_ne(back->open(&db, place->file, 1000, &found, &err), 0);
    store_place_each(place, add_file, &after);
    snprintf(expected, sizeof expected, "%s%s", place->file, said);
    ck_assert_str_eq(err.text, expected);
    buf_add(&before, "", 1); // neither is empty
    buf_add(&after, "", 1);
    ck_assert_msg(before.len == after.len && memcmp(before.data, after.data, after.len) == 0,
                  "%s: it was changed\n%s\n%s", said, before.data, after.data);
    buf_deinit(&before);
    buf_deinit(&after);
}

#define DAMAGED(why) " is damaged (" why "): put a copy of it back, or use another --state FILE"
#define NEWER                                                                                      \
    " was written by a newer orchestrator (schema 7; this one knows 3): use that one, or another " \
    "--state FILE"

START_TEST(what_cannot_be_a_store_is_refused_and_left_as_it_is) {
    static const struct {
        void (*make)(const char *path);
        const char *said;
    } cases[] = {
        {make_text, " is no store of an orchestrator: use another --state FILE"},
        {make_foreign, " is a database of another program: use another --state FILE"},
        {make_newer, NEWER},
        {make_newer_in_wal, NEWER},
        {make_damaged, DAMAGED("Page 2: btreeInitPage() returns error code 11")},
        {make_short, DAMAGED("database disk image is malformed")},
        {make_headless, DAMAGED("what says how far it has come is missing")},
        {make_folder, " cannot be opened for writing: Is a directory: use another --state FILE"},
        {make_pipe, " is no file: use another --state FILE"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_place place;
        place = store_place_make();
        cases[i].make(place.file);
        assert_refused(&place, cases[i].said);
        rmdir(place.file);
        store_place_remove(&place);
    }
}
END_TEST

static int root_of(const char *path, const char *table) {
    char text[100];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    snprintf(text, sizeof text, "select rootpage from sqlite_schema where name = '%s'", table);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int page = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return page;
}

static void copy_file(const char *from, const char *to) {
    char bytes[4096];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert(in >= 0 && out >= 0);
    for (ssize_t len; (len = read(in, bytes, sizeof bytes)) > 0;)
        ck_assert_int_eq(write(out, bytes, (size_t)len), len);
    close(in);
    close(out);
}

// Somebody puts a copy back, or another store, and leaves the WAL of a crash beside it.
START_TEST(a_wal_of_another_time_or_store_is_refused_and_left_as_it_is) {
    for (int is_other = 0; is_other < 2; is_other++) {
        struct store_place place;
        struct store_found found;
        struct error err;
        char copy[80], wal[80], kept[80];
        void *db;
        place = store_place_make();
        snprintf(copy, sizeof copy, "%s.copy", place.file);
        snprintf(wal, sizeof wal, "%s-wal", place.file);
        snprintf(kept, sizeof kept, "%s.kept", place.file);
        make_store(place.file);
        copy_file(place.file, copy);
        if (is_other) ck_assert_int_eq(unlink(place.file), 0);
        ck_assert_int_eq(back->open(&db, place.file, 7000, &found, &err), 0);
        struct store_op op = store_create_op("two", NULL);
        ck_assert_int_eq(back->write(db, found.beat + 1, 7000, &op, 1, &err), STORE_OK);
        copy_file(wal, kept); // as a crash leaves it
        back->close(db);
        copy_file(copy, place.file);
        copy_file(kept, wal);
        assert_refused(&place, "-wal is not of this file, but of another store or of a later copy: "
                               "put back what belongs together, or move the -wal away");
        ck_assert_int_eq(unlink(wal), 0);
        ck_assert_int_eq(back->open(&db, place.file, 8000, &found, &err), 0);
        ck_assert_uint_eq(found.beat, 2);
        back->close(db);
        store_place_remove(&place);
    }
}
END_TEST

START_TEST(of_a_large_store_only_what_each_start_needs_is_looked_at) {
    static const struct {
        const char *table;
        bool is_needed;
    } cases[] = {{"jobs", true}, {"meta", true}, {"dropped", true}, {"events", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_place place;
        struct store_found found;
        struct error err;
        char garbage[4096];
        void *db = NULL;
        place = store_place_make();
        make_store(place.file);
        const off_t page = root_of(place.file, cases[i].table);
        memset(garbage, 'x', sizeof garbage);
        store_patch(place.file, (page - 1) * (off_t)sizeof garbage, garbage, sizeof garbage);
        ck_assert_int_eq(truncate(place.file, 70 << 20), 0); // pages behind its last do not count
        int rc = back->open(&db, place.file, 1000, &found, &err);
        ck_assert_msg((rc != 0) == cases[i].is_needed, "%s", cases[i].table);
        if (rc != 0) ck_assert_msg(strstr(err.text, " is damaged (") != NULL, "%s", err.text);
        const struct store_query query = {.kind = STORE_READ_EVENTS, .job = 1};
        char *text = rc == 0 ? store_read_text(back, db, &query) : mem_strdup("malformed");
        ck_assert_msg(strstr(text, "malformed") != NULL, "%s", text);
        free(text);
        back->close(db);
        store_place_remove(&place);
    }
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_not_made) {
    struct store_place place;
    place = store_place_make();
    snprintf(place.file, sizeof place.file, "%s/no/a.db", place.folder);
    assert_refused(&place, " cannot be opened for writing: No such file or directory: use another "
                           "--state FILE");
    store_place_remove(&place);
}
END_TEST

// Run in a process of its own: exit code 0 where it holds.
static void assert_in_child(void (*run)(const struct store_place *place),
                            const struct store_place *place) {
    int status = -1;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        run(place);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void refuse_as_nobody(const struct store_place *place) {
    struct store_found found;
    struct error err;
    void *db;
    enum { NOBODY = 65534 };
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) _exit(2);
    if (back->open(&db, place->file, 1000, &found, &err) == 0) _exit(3);
    if (strstr(err.text, "cannot be opened for writing: Permission denied: use another") == NULL)
        _exit(4);
}

START_TEST(a_place_where_one_may_not_write_is_refused) {
    struct store_place place;
    place = store_place_make();
    ck_assert_int_eq(chmod(place.folder, 0555), 0); // a new file
    assert_in_child(refuse_as_nobody, &place);
    ck_assert_int_eq(chmod(place.folder, 0755), 0);
    make_store(place.file);
    ck_assert_int_eq(chmod(place.file, 0444), 0);
    assert_in_child(refuse_as_nobody, &place);
    store_place_remove(&place);
}
END_TEST

static void refuse_in_use(const struct store_place *place) {
    struct store_found found;
    struct error err;
    void *db;
    if (back->open(&db, place->file, 1000, &found, &err) == 0) _exit(3);
    if (strstr(err.text, "a.db is in use by another process: end that one, or use another "
                         "--state FILE") == NULL)
        _exit(4);
}

static void open_and_end(const struct store_place *place) {
    struct store_found found;
    struct error err;
    void *db;
    if (back->open(&db, place->file, 1000, &found, &err) != 0) _exit(3);
}

START_TEST(a_store_in_use_is_refused_and_free_once_its_process_has_ended) {
    struct store_place place;
    struct store_found found;
    struct error err;
    void *db;
    place = store_place_make();
    assert_in_child(open_and_end, &place);
    ck_assert_int_eq(back->open(&db, place.file, 1000, &found, &err), 0);
    assert_in_child(refuse_in_use, &place);
    assert_in_child(refuse_in_use, &place); // who was refused has not taken the lock with him
    back->close(db);
    assert_in_child(open_and_end, &place);
    store_place_remove(&place);
}
END_TEST

// --- what is made

static void assert_is_this_version(const char *path) {
    unsigned char header[100];
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, header, sizeof header), sizeof header);
    close(fd);
    ck_assert_mem_eq(header + 60, "\0\0\0\3", 4);
    ck_assert_mem_eq(header + 68, "orch", 4);
    ck_assert_int_eq(header[18], 2); // WAL
}

static void make_nothing(const char *path) {
    (void)path;
}

static void make_empty(const char *path) {
    store_patch(path, 0, "", 0);
}

static void make_version_0(const char *path) {
    run_sql(path, "pragma application_id = 1869767528"); // "orch"
}

// As the first version left it, with a job in it.
static void make_version_1(const char *path) {
    make_store(path);
    run_sql(path, "drop table audit; alter table meta drop column before; pragma user_version = 1");
}

START_TEST(a_new_an_empty_and_an_older_file_become_a_store_of_this_version) {
    static void (*const make[])(const char *path) = {make_nothing, make_empty, make_version_0,
                                                     make_version_1, make_store};
    for (size_t i = 0; i < COUNT(make); i++) {
        struct store_place place;
        struct store_found found;
        struct error err;
        void *db;
        place = store_place_make();
        make[i](place.file);
        int rc = back->open(&db, place.file, 1000, &found, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        assert_is_this_version(place.file); // the file itself, whatever waits in its WAL
        ck_assert_int_eq(found.is_new, make[i] != make_store && make[i] != make_version_1);
        struct store_op audit = {.kind = STORE_AUDIT,
                                 .audit = {.from = "", .method = "POST", .path = "/"}};
        ck_assert_int_eq(back->write(db, found.beat + 1, 1000, &audit, 1, &err), STORE_OK);
        back->close(db);
        store_place_remove(&place);
    }
}
END_TEST

// --- rows that nobody has written

START_TEST(a_row_that_was_not_written_so_is_an_error) {
    static const struct {
        const char *sql, *said;
    } cases[] = {
        {"update events set kind = 9 where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set kind = 0 where id = 4294967298",
         "job 1, event 2: an event of a kind that is none: 0"},
        {"update events set kind = -1 where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set host = 4294967296 where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set host = null where id = 4294967298",
         "job 1, event 2: an event of kind 2 without a host"},
        {"update events set attempt = 256 where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set wall_ms = -1 where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set version = 'a' || char(0) || 'b' where id = 4294967298",
         "job 1, event 2: a value that is none of its column"},
        {"update events set result = 1 where id = 4294967299",
         "job 1, event 3: an outcome that is none: 1"},
        {"update events set result = 77 where id = 4294967299",
         "job 1, event 3: a value that is none of its column"},
        {"update events set state = null where id = 4294967300",
         "job 1, event 4: a job in a state that is none: 0"},
        {"delete from events where id = 4294967297", "job 1, event 2: event 1 is missing"},
        {"delete from events where id = 4294967299", "job 1, event 4: event 3 is missing"},
        {"update jobs set state = 6", "job 1: a value that is none of its column"},
        {"update jobs set state = 0", "job 1: a job in a state that is none: 0"},
        {"update jobs set hosts = -1", "job 1: a value that is none of its column"},
        {"update jobs set failed = 101", "job 1: a job with 101 results of 100 hosts"},
        {"update jobs set task = 'a' || char(0)", "job 1: a value that is none of its column"},
        {"update jobs set n = 4294967296", "job 1: a value that is none of its column"},
        {"update jobs set outcome = 0", "job 1: a job in state 5 with outcome 0"},
        {"delete from bodies", "job 1: a job without its id, its task or its request"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bool is_event = strstr(cases[i].sql, "events") != NULL;
        const struct store_query query = {.kind = is_event ? STORE_READ_EVENTS : STORE_READ_JOB,
                                          .job = 1};
        struct store_place place;
        struct store_found found;
        struct error err;
        void *db;
        char expected[200];
        place = store_place_make();
        make_store(place.file);
        run_sql(place.file, cases[i].sql);
        int rc = back->open(&db, place.file, 1000, &found, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        char *text = store_read_text(back, db, &query);
        snprintf(expected, sizeof expected, "error: %s: %s\n", place.file, cases[i].said);
        ck_assert_msg(strstr(text, expected) != NULL, "%s: %s", cases[i].sql, text);
        free(text);
        back->close(db);
        store_place_remove(&place);
    }
}
END_TEST

// --- a disk that fails

static void assert_not_written(void *db, struct store_op *op, const char *said) {
    struct error err;
    ck_assert_int_eq(back->write(db, 3, 1000, op, 1, &err), STORE_UNREACHABLE);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s", err.text);
}

#define IO_ERROR "a.db: disk I/O error (Input/output error): look at the kernel's messages (dmesg)"

START_TEST(what_cannot_be_written_is_not_kept_and_may_come_again) {
    struct store_place place;
    struct store_found found;
    struct error err;
    void *db;
    place = store_place_make();
    make_store(place.file);
    ck_assert_int_eq(back->open(&db, place.file, 1000, &found, &err), 0);
    struct store_op op = store_event_op(1, STORE_STARTED, 7);
    store_disk.write_error = ENOSPC;
    assert_not_written(db, &op, "a.db: database or disk is full: make room on its disk");
    store_disk.write_error = EIO;
    assert_not_written(db, &op, IO_ERROR);
    store_disk.write_error = EROFS;
    assert_not_written(db, &op,
                       "a.db: disk I/O error (Read-only file system): make its file system "
                       "writable");
    store_disk.write_error = 0;
    store_disk.sync_error = EIO;
    assert_not_written(db, &op, IO_ERROR);
    store_disk.sync_error = 0;
    const struct store_query query = {.kind = STORE_READ_EVENTS, .job = 1, .after = 4};
    char *text = store_read_text(back, db, &query);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_int_eq(back->write(db, 3, 1000, &op, 1, &err), STORE_OK);
    ck_assert_uint_eq(op.n, 5);
    back->close(db);
    store_place_remove(&place);
}
END_TEST

// What is committed lies in the WAL: without it a crash would take it.
START_TEST(a_file_that_was_moved_away_is_written_again_when_it_is_back) {
    static const char *const ends[] = {"", "-wal"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct store_place place;
        struct store_found found;
        struct error err;
        char path[80], moved[90];
        void *db;
        place = store_place_make();
        snprintf(path, sizeof path, "%s%s", place.file, ends[i]);
        snprintf(moved, sizeof moved, "%s.moved", path);
        make_store(place.file);
        ck_assert_int_eq(back->open(&db, place.file, 1000, &found, &err), 0);
        ck_assert_int_eq(rename(path, moved), 0);
        struct store_op op = store_event_op(1, STORE_STARTED, 7);
        assert_not_written(db, &op, "a.db: it or its -wal was removed, or replaced by another");
        store_patch(path, 0, "another", 7);
        assert_not_written(db, &op, "a.db: it or its -wal was removed, or replaced by another");
        ck_assert_int_eq(rename(moved, path), 0);
        ck_assert_int_eq(back->write(db, 3, 1000, &op, 1, &err), STORE_OK);
        back->close(db);
        store_place_remove(&place);
    }
}
END_TEST

Suite *check_store_sqlite(void) {
    Suite *suite = suite_create("store_sqlite");
    TCase *tcase = tcase_create("store_sqlite");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_cannot_be_a_store_is_refused_and_left_as_it_is);
    tcase_add_test(tcase, a_wal_of_another_time_or_store_is_refused_and_left_as_it_is);
    tcase_add_test(tcase, of_a_large_store_only_what_each_start_needs_is_looked_at);
    tcase_add_test(tcase, a_folder_that_is_not_there_is_not_made);
    tcase_add_test(tcase, a_place_where_one_may_not_write_is_refused);
    tcase_add_test(tcase, a_store_in_use_is_refused_and_free_once_its_process_has_ended);
    tcase_add_test(tcase, a_new_an_empty_and_an_older_file_become_a_store_of_this_version);
    tcase_add_test(tcase, a_row_that_was_not_written_so_is_an_error);
    tcase_add_test(tcase, what_cannot_be_written_is_not_kept_and_may_come_again);
    tcase_add_test(tcase, a_file_that_was_moved_away_is_written_again_when_it_is_back);
    return suite;
}
