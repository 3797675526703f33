// What of a store in PostgreSQL is not in the contract of all backs (check_store.c): answers that
// are lost, servers that hang, who is fenced off, who may come in, and what a wrong place is
// called.
#include "tests/lab/postgres.h"
#include "tests/lab/proxy.h"
#include "tests/unit/stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

Suite *check_store_postgres(void);

static const struct store_back *const back = &store_postgres;

static char place[LAB_URI_MAX], uri[LAB_URI_MAX]; // the database; by way of the proxy
static struct lab_proxy *proxy;
static void *db;
static struct store_found found;
static struct error err;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_at(const char *where) {
    int rc = back->open(&db, where, 1000000, &found, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void begin(void) {
    lab_database(place);
    proxy = lab_proxy_start(place, uri);
    open_at(uri);
}

static void end(void) {
    back->close(db);
    lab_proxy_stop(proxy);
}

static enum store_status write_ops(struct store_op *ops, size_t count) {
    const enum store_status status = back->write(db, found.beat + 1, 2000000, ops, count, &err);
    if (status == STORE_OK) found.beat++;
    return status;
}

static void keep(struct store_op op) {
    const enum store_status status = write_ops(&op, 1);
    ck_assert_msg(status == STORE_OK, "%s", err.text);
}

// Until it is kept: a server that is up again, or a lock that is free, is seen by and by.
static void keep_by_and_by(struct store_op *ops, size_t count) {
    const double begun = now_s();
    while (write_ops(ops, count) != STORE_OK) {
        ck_assert_msg(now_s() - begun < 20, "%s", err.text);
        usleep(100000);
    }
}

static void assert_said(const char *part) {
    ck_assert_msg(strstr(err.text, part) != NULL, "%s\n  does not say: %s", err.text, part);
}

static void assert_asked(const char *statement, const char *expected) {
    ck_assert_str_eq(lab_ask(place, statement), expected);
}

// --- answers that are lost

static const enum lab_proxy_mode losses[] = {LAB_LOSE_QUESTION, LAB_LOSE_ANSWER, LAB_LOSE_END};

START_TEST(a_batch_whose_answer_was_lost_is_kept_once) {
    begin();
    keep(store_create_op("one", NULL));
    struct store_op ops[] = {store_event_op(1, STORE_STARTED, 0),
                             store_state_op(1, JOB_PAUSED, JOB_NO_OUTCOME),
                             store_event_op(1, STORE_INTENT, 0), // held
                             store_event_op(1, STORE_STARTED, 1)};
    static const uint64_t numbers[] = {1, 2, 0, 3};
    lab_proxy_set(proxy, losses[_i]);
    ck_assert_int_eq(write_ops(ops, COUNT(ops)), STORE_UNREACHABLE);
    ck_assert_int_eq(lab_proxy_mode(proxy), LAB_PASS);
    assert_asked("select count(*) from orchestrator.events",
                 losses[_i] == LAB_LOSE_QUESTION ? "0" : "3");
    ck_assert_int_eq(write_ops(ops, COUNT(ops)), STORE_OK);
    for (size_t i = 0; i < COUNT(ops); i++) {
        ck_assert_int_eq(ops[i].status, numbers[i] == 0 ? STORE_HELD : STORE_OK);
        ck_assert_uint_eq(ops[i].n, numbers[i]);
    }
    assert_asked("select string_agg(n::text, ' ' order by n) from orchestrator.events", "1 2 3");
    keep(store_event_op(1, STORE_STARTED, 2)); // and it goes on
    end();
}
END_TEST

START_TEST(a_create_whose_answer_was_lost_is_forgotten_under_its_number) {
    begin();
    struct store_op op = store_create_op("one", "k");
    lab_proxy_set(proxy, losses[_i]);
    ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
    op.kind = STORE_FORGET;
    ck_assert_int_eq(write_ops(&op, 1), STORE_OK);
    assert_asked("select count(*) from orchestrator.jobs", "0");
    keep(store_create_op("two", "k"));
    end();
}
END_TEST

enum { LARGE = 9 << 20 }; // two pieces and a part

static char *make_image(void) {
    char *image = mem_alloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        image[i] = (char)(i * 7 + (i >> 12));
    return image;
}

static bool compare_image(void *arg, const struct store_job *job, const struct store_event *event) {
    (void)event;
    ck_assert_uint_eq(job->image_len, LARGE);
    ck_assert_int_eq(memcmp(job->image, arg, LARGE), 0);
    return true;
}

START_TEST(a_large_image_goes_in_pieces_and_comes_back_whole) {
    begin();
    char *image = make_image();
    struct store_op op = store_create_op("one", "k");
    op.job.image = image;
    op.job.image_len = LARGE;
    keep(op);
    assert_asked("select count(*) from orchestrator.images", "3");
    const struct store_query query = {.kind = STORE_READ_JOB, .id = "one"};
    ck_assert_int_eq(back->read(db, &query, compare_image, image, &err), 0);
    keep(store_event_op(1, STORE_STARTED, 0)); // numbers of batches are as if it were one
    op.job.id = "two";                         // the same key: nothing of it stays
    ck_assert_int_eq(write_ops(&op, 1), STORE_OK);
    ck_assert_int_eq(op.status, STORE_CONFLICT);
    assert_asked("select string_agg(distinct id, ' ') from orchestrator.images", "one");
    keep(store_event_op(1, STORE_STARTED, 1));
    free(image);
    end();
}
END_TEST

START_TEST(a_create_that_was_lost_between_its_pieces_leaves_none) {
    begin();
    char *image = make_image();
    struct store_op op = store_create_op("one", "k");
    op.job.image = image;
    op.job.image_len = LARGE;
    lab_proxy_set(proxy, losses[_i]);
    ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
    op.kind = STORE_FORGET;
    ck_assert_int_eq(write_ops(&op, 1), STORE_OK);
    assert_asked("select count(*) from orchestrator.images", "0");
    keep(store_create_op("two", "k"));
    keep(store_event_op(1, STORE_STARTED, 0));
    free(image);
    end();
}
END_TEST

START_TEST(pieces_that_a_dead_process_has_left_go_with_the_next_start) {
    begin();
    lab_ask(place, "insert into orchestrator.images values ('gone', 0, 'whoever', 'x')");
    back->close(db);
    open_at(uri);
    assert_asked("select count(*) from orchestrator.images", "0");
    end();
}
END_TEST

// --- servers that hang, or go

START_TEST(a_server_that_does_not_answer_is_waited_for_a_second) {
    begin();
    keep(store_create_op("one", NULL));
    struct store_op op = store_event_op(1, STORE_STARTED, 0);
    lab_proxy_set(proxy, LAB_FREEZE);
    const double begun = now_s();
    ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
    ck_assert_double_ge(now_s() - begun, 0.9);
    ck_assert_double_lt(now_s() - begun, 3);
    assert_said("no answer within 1000 ms");
    lab_proxy_set(proxy, LAB_PASS);
    keep_by_and_by(&op, 1);
    ck_assert_uint_eq(op.n, 1);
    assert_asked("select count(*) from orchestrator.events", "1");
    end();
}
END_TEST

START_TEST(a_slow_answer_is_waited_for) {
    begin();
    lab_proxy_delay(proxy, 300);
    keep(store_create_op("one", NULL));
    end();
}
END_TEST

START_TEST(connections_that_the_server_ends_are_made_anew) {
    begin();
    keep(store_create_op("one", NULL));
    for (int i = 0; i < 3; i++) {
        lab_ask(place, "select pg_terminate_backend(pid) from pg_stat_activity"
                       " where application_name = 'orchestrator' and datname = current_database()");
        usleep(50000);
        char *text =
            store_read_text(back, db, &(struct store_query){.kind = STORE_READ_JOB, .job = 1});
        ck_assert_msg(strncmp(text, "job 1 ", 6) == 0, "%s", text); // at once
        free(text);
        struct store_op op = store_event_op(1, STORE_STARTED, (uint32_t)i);
        keep_by_and_by(&op, 1);
        ck_assert_uint_eq(op.n, (uint64_t)i + 1);
    }
    end();
}
END_TEST

START_TEST(a_server_that_is_started_anew_is_found_again) {
    struct lab_server server = {0};
    lab_server_start(&server, "");
    open_at(server.uri);
    keep(store_create_op("one", NULL));
    struct store_op op = store_event_op(1, STORE_STARTED, 0);
    for (int i = 0; i < 2; i++) {
        lab_server_stop(&server, i == 0 ? "stop" : "kill");
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE); // it is over
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
        assert_said("start the server");
        lab_server_start(&server, "");
        keep_by_and_by(&op, 1);
        ck_assert_uint_eq(op.n, (uint64_t)i + 1);
    }
    back->close(db);
}
END_TEST

// --- who may write

START_TEST(who_was_taken_for_dead_keeps_nothing_any_more) {
    begin();
    keep(store_create_op("one", NULL));
    lab_ask(place, "update orchestrator.nodes set dead = true");
    struct store_op op = store_event_op(1, STORE_STARTED, 0);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(write_ops(&op, 1), STORE_FENCED);
        assert_said("took this one for dead");
        lab_ask(place, "update orchestrator.nodes set dead = false"); // it is for good
    }
    assert_asked("select count(*) from orchestrator.events", "0");
    end();
}
END_TEST

START_TEST(a_database_that_has_lost_a_write_is_written_to_no_more) {
    begin();
    keep(store_create_op("one", NULL));
    keep(store_event_op(1, STORE_STARTED, 0));
    lab_ask(place, "update orchestrator.nodes set beat = beat - 1"); // as a standby that lagged
    struct store_op op = store_event_op(1, STORE_STARTED, 1);
    ck_assert_int_eq(write_ops(&op, 1), STORE_FENCED);
    assert_said("it was put back, or a standby took over");
    end();
}
END_TEST

// What the threads of a test are told.
static atomic_bool beats_end;

// --- several nodes

static void open_second(void **second, struct store_found *its) {
    int rc = back->open(second, place, 1000000, its, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static enum store_status write_second(void *second, struct store_found *its, struct store_op op) {
    const enum store_status status = back->write(second, its->beat + 1, 2000000, &op, 1, &err);
    if (status == STORE_OK) its->beat++;
    return status;
}

START_TEST(nodes_write_beside_one_another_and_events_have_dense_numbers) {
    struct store_found its;
    void *second = NULL;
    begin();
    open_second(&second, &its);
    ck_assert_str_ne(found.node, its.node);
    ck_assert_uint_gt(its.epoch, found.epoch);
    keep(store_create_op("one", NULL));
    keep(store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME));
    for (uint32_t host = 0; host < 3; host++) {
        keep(store_event_op(1, STORE_STARTED, host));
        ck_assert_int_eq(write_second(second, &its, store_event_op(1, STORE_INTENT, host)),
                         STORE_OK);
    }
    assert_asked("select string_agg(n::text || ':' || kind, ' ' order by n) from"
                 " orchestrator.events",
                 "1:5 2:1 3:2 4:1 5:2 6:1 7:2");
    assert_asked("select count(*) from orchestrator.nodes where not dead", "2");
    back->close(second);
    assert_asked("select count(*) from orchestrator.nodes where not dead", "1");
    end();
}
END_TEST

static uint32_t count_held(const struct store_lease *lease) {
    uint32_t count = 0;
    for (size_t i = 0; i < SHARDS; i++)
        count += lease->result.epochs[i] != 0;
    return count;
}

static struct store_op lease_op(struct store_lease *lease) {
    return (struct store_op){.kind = STORE_LEASE, .lease = lease};
}

START_TEST(a_shard_is_one_nodes_and_its_epoch_rises) {
    struct store_found its;
    struct store_lease one = {.claim = 1000}, other = {.claim = 1000};
    struct store_view view = {0};
    void *second = NULL;
    begin();
    open_second(&second, &its);
    keep(lease_op(&one));
    ck_assert_uint_eq(count_held(&one), 1000);
    ck_assert_int_eq(write_second(second, &its, lease_op(&other)), STORE_OK);
    ck_assert_uint_eq(count_held(&other), SHARDS - 1000);
    for (size_t i = 0; i < SHARDS; i++)
        ck_assert(one.result.epochs[i] == 0 || other.result.epochs[i] == 0);
    const uint64_t before = one.result.epochs[0];
    one = (struct store_lease){.gives = {true}};
    keep(lease_op(&one));
    ck_assert_uint_eq(count_held(&one), 999);
    other = (struct store_lease){.claim = 1, .is_ready = true};
    ck_assert_int_eq(write_second(second, &its, lease_op(&other)), STORE_OK);
    ck_assert_uint_gt(other.result.epochs[0], before);
    ck_assert_int_eq(back->look(second, &view, &err), 0);
    ck_assert_uint_eq(view.count, 2);
    ck_assert_uint_eq(view.nodes[0].shards + view.nodes[1].shards, SHARDS);
    ck_assert_uint_eq(view.free_shards, 0);
    ck_assert(!view.nodes[0].is_ready && view.nodes[1].is_ready);
    for (size_t i = 0; i < SHARDS; i++)
        ck_assert_uint_eq(view.owners[i], one.result.epochs[i] != 0 ? 1 : 2);
    free(view.nodes);
    free(view.places);
    free(view.owners);
    back->close(second); // gives all back
    one = (struct store_lease){.claim = SHARDS};
    keep(lease_op(&one));
    ck_assert_uint_eq(count_held(&one), SHARDS);
    end();
}
END_TEST

START_TEST(a_lease_whose_answer_was_lost_is_told_as_it_is) {
    struct store_lease lease = {.claim = 5};
    begin();
    struct store_op op = lease_op(&lease);
    lab_proxy_set(proxy, losses[_i]);
    ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
    ck_assert_int_eq(write_ops(&op, 1), STORE_OK);
    ck_assert_uint_eq(count_held(&lease), 5);
    assert_asked("select count(*) from orchestrator.shards where node is not null", "5");
    end();
}
END_TEST

// Only who has not moved since; and then it keeps nothing any more, and has nothing.
START_TEST(who_does_not_move_is_declared_dead_by_another) {
    struct store_found its;
    struct store_lease lease = {.claim = 7};
    void *second = NULL;
    begin();
    open_second(&second, &its);
    keep(store_create_op("one", NULL));
    keep(lease_op(&lease));
    struct store_lease taker = {.dead_beat = found.beat - 1, .claim = SHARDS};
    snprintf(taker.dead, sizeof taker.dead, "%s", found.node);
    ck_assert_int_eq(write_second(second, &its, lease_op(&taker)), STORE_OK);
    ck_assert_uint_eq(count_held(&taker), SHARDS - 7);
    taker.dead_beat = found.beat;
    ck_assert_int_eq(write_second(second, &its, lease_op(&taker)), STORE_OK);
    ck_assert_uint_eq(count_held(&taker), SHARDS);
    struct store_op op = store_event_op(1, STORE_STARTED, 0);
    ck_assert_int_eq(write_ops(&op, 1), STORE_FENCED);
    assert_said("took this one for dead");
    assert_asked("select count(*) from orchestrator.events", "0");
    end(); // which leaves the other alone
    assert_asked("select count(*) from orchestrator.shards where node is not null", "1024");
    back->close(second);
}
END_TEST

// What several nodes say of a job at the same time: whether it is kept.
static const struct {
    enum job_state states[4]; // one after the other, 0: no more
    bool is_last_kept;
} changes[] = {
    {{JOB_RUNNING, JOB_PAUSED, JOB_RUNNING}, false}, // who leads has not heard of the pause
    {{JOB_RUNNING, JOB_PAUSED, JOB_WAITING, JOB_RUNNING}, true},
    {{JOB_RUNNING, JOB_RUNNING}, false},
    {{JOB_PAUSED, JOB_PAUSED}, false},
    {{JOB_RUNNING, JOB_CANCELLING, JOB_PAUSED}, false},
    {{JOB_RUNNING, JOB_CANCELLING, JOB_CANCELLING}, false},
    {{JOB_RUNNING, JOB_CANCELLING, JOB_DONE}, true},
    {{JOB_RUNNING, JOB_DONE, JOB_DONE}, false},
    {{JOB_RUNNING, JOB_DONE, JOB_CANCELLING}, false},
};

// It ends as what it was stopped for.
static struct store_op change_op(enum job_state state, enum job_state before) {
    enum job_outcome outcome = JOB_NO_OUTCOME;
    if (state == JOB_CANCELLING) outcome = JOB_CANCELLED;
    if (state == JOB_DONE) outcome = before == JOB_CANCELLING ? JOB_CANCELLED : JOB_COMPLETED;
    return store_state_op(1, state, outcome);
}

START_TEST(of_changes_of_a_job_that_exclude_each_other_one_is_kept) {
    struct store_op ops[4];
    for (int at_once = 0; at_once < 2; at_once++) {
        size_t count = 0;
        begin();
        keep(store_create_op("one", NULL));
        for (; count < COUNT(ops) && changes[_i].states[count] != 0; count++)
            ops[count] = change_op(changes[_i].states[count],
                                   count == 0 ? 0 : changes[_i].states[count - 1]);
        for (size_t i = 0; i < count && at_once == 0; i++)
            ck_assert_int_eq(write_ops(&ops[i], 1), STORE_OK);
        if (at_once == 1) ck_assert_int_eq(write_ops(ops, count), STORE_OK);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(ops[i].status,
                             i + 1 < count || changes[_i].is_last_kept ? STORE_OK : STORE_HELD);
        end();
    }
}
END_TEST

static void *open_and_close(void *arg) {
    struct error why;
    struct store_found other;
    void *store = NULL;
    int rc = back->open(&store, arg, 1000000, &other, &why);
    ck_assert_msg(rc == 0, "%s", why.text);
    back->close(store);
    return NULL;
}

START_TEST(those_that_start_at_once_make_one_schema) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    lab_database(place);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_close, place), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_asked("select count(*) from orchestrator.nodes where dead", "4");
    assert_asked("select count(distinct n.nth) from orchestrator.nodes n", "4");
}
END_TEST

// --- standbys

// A synchronous standby that is not there: a commit waits for it.
static void *cancel_wait(void *arg) {
    (void)arg;
    for (int i = 0; i < 100; i++) {
        usleep(20000);
        lab_ask(place, "select pg_cancel_backend(pid) from pg_stat_activity"
                       " where wait_event = 'SyncRep'");
        if (lab_proxy_mode(proxy) == LAB_PASS && beats_end) break;
    }
    return NULL;
}

static void await_no_standby(const char *server) {
    lab_ask(server, "alter system reset synchronous_standby_names");
    lab_ask(server, "select pg_reload_conf()");
}

START_TEST(a_write_that_a_standby_may_not_have_is_not_known_to_be_kept) {
    struct lab_server server = {0};
    lab_server_start(&server, "");
    snprintf(place, sizeof place, "%s", server.uri);
    proxy = lab_proxy_start(place, uri);
    open_at(uri);
    keep(store_create_op("one", NULL));
    lab_ask(place, "alter system set synchronous_standby_names = 'nobody'");
    lab_ask(place, "select pg_reload_conf()");
    usleep(300000);
    struct store_op op = store_event_op(1, STORE_STARTED, 0);
    if (_i == 0) { // nobody answers
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
        assert_said("no answer within");
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE); // what it looks at is locked
    } else { // the server says that it is kept there alone
        pthread_t thread;
        beats_end = false;
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_wait, NULL), 0);
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE);
        assert_said("this server alone");
        beats_end = true;
        pthread_join(thread, NULL);
        ck_assert_int_eq(write_ops(&op, 1), STORE_UNREACHABLE); // the look waits as well
    }
    await_no_standby(place);
    keep_by_and_by(&op, 1);
    ck_assert_uint_eq(op.n, 1);
    assert_asked("select count(*) from orchestrator.events", "1");
    end();
}
END_TEST

START_TEST(an_asynchronous_standby_is_refused_unless_it_is_allowed) {
    struct lab_server server = {0};
    char command[400];
    lab_server_start(&server, "");
    snprintf(place, sizeof place, "%s", server.uri);
    // It receives what a standby does, until the server ends.
    snprintf(command, sizeof command,
             "mkdir %s/wal && /usr/lib/postgresql/*/bin/pg_receivewal --no-loop -D %s/wal -h %s -U "
             "postgres "
             ">/dev/null 2>&1 &",
             server.folder, server.folder, server.folder);
    ck_assert_int_eq(system(command), 0);
    const double begun = now_s();
    while (strcmp(lab_ask(place, "select count(*) from pg_stat_replication"), "1") != 0)
        ck_assert(now_s() - begun < 20);
    ck_assert_int_ne(back->open(&db, place, 1000000, &found, &err), 0);
    assert_said("--allow-async");
    assert_asked("select to_regnamespace('orchestrator') is null", "t"); // nothing was changed
    store_postgres_allow_async(true);
    open_at(place);
    store_postgres_allow_async(false);
    back->close(db);
}
END_TEST

// --- what a wrong place is called

static void assert_refused(const char *where, const char *why) {
    ck_assert_int_ne(back->open(&db, where, 1000000, &found, &err), 0);
    assert_said(why);
    ck_assert_msg(strstr(err.text, "secret") == NULL, "%s", err.text);
}

START_TEST(a_wrong_place_is_named_with_what_to_do) {
    char where[LAB_URI_MAX + 20];
    lab_database(place);
    const char *host = strchr(place, '?');
    snprintf(where, sizeof where, "postgresql://postgres:secret@/none%s", host);
    assert_refused(where, "database \"none\" does not exist: make it (createdb)");
    snprintf(where, sizeof where, "postgresql://nobody:secret@/postgres%s", host);
    assert_refused(where, "role \"nobody\" does not exist: name another role");
    assert_refused("postgresql://noc:secret@/o?host=/nowhere", "start the server, or give the");
    assert_refused("postgresql://noc:secret@127.0.0.1:1/o", "Connection refused: start the server");
    assert_refused("postgresql://noc:secret@x:y/o", "invalid integer value \"y\"");
    assert_refused("postgresql://noc:secret@[x/o", "is no URI of PostgreSQL");
    assert_refused("postgresql://noc:secret@/o?no_such=1", "is no URI of PostgreSQL");
}
END_TEST

START_TEST(a_schema_that_is_not_ours_is_left_as_it_is) {
    lab_database(place);
    lab_ask(place, "create schema orchestrator");
    lab_ask(place, "create table orchestrator.meta (one int)");
    assert_refused(place, "has a schema named orchestrator that is not of this program");
    lab_ask(place, "drop table orchestrator.meta");
    lab_ask(place, "create table orchestrator.tunes (name text)");
    assert_refused(place, "has a schema named orchestrator that is not of this program");
    assert_asked("select count(*) from pg_class where relnamespace = 'orchestrator'::regnamespace",
                 "1");
}
END_TEST

// As the next version may make it: what is there stays, and more is added.
static const char *const additions[] = {
    "alter table orchestrator.meta add column note text",
    "alter table orchestrator.nodes add column note text",
    "alter table orchestrator.jobs add column note text default 'none'",
    "alter table orchestrator.events add column note text",
    "create table orchestrator.notes (note text)",
    "create function orchestrator.note() returns int language sql as 'select 1'",
    "update orchestrator.meta set version = 3",
};

START_TEST(a_schema_of_the_next_version_is_used_and_left_as_it_is) {
    begin();
    keep(store_create_op("one", NULL));
    back->close(db);
    for (size_t i = 0; i < COUNT(additions); i++)
        lab_ask(place, additions[i]);
    open_at(uri);
    keep(store_create_op("two", NULL));
    for (uint64_t job = 1; job <= 2; job++) {
        keep(store_state_op(job, JOB_RUNNING, JOB_NO_OUTCOME));
        keep(store_event_op(job, STORE_STARTED, 0));
        keep(store_event_op(job, STORE_INTENT, 0));
        keep(store_event_op(job, STORE_OUTCOME, 0));
    }
    char *text = store_dump(back, db);
    ck_assert_ptr_nonnull(strstr(text, "job 2 id two"));
    ck_assert_ptr_nonnull(strstr(text, "  2.4 kind 4"));
    free(text);
    assert_asked("select version || ' ' || orchestrator.note() from orchestrator.meta", "3 1");
    assert_asked("select string_agg(note, ' ') from orchestrator.jobs", "none none");
    end();
}
END_TEST

// As version 1 made it, with a job in it.
static const char *const first_version[] = {
    "do $$ begin execute replace(pg_get_functiondef('orchestrator.append'::regproc), "
    "'s.now = 2', 's.now in (1, 2)'); end $$",
    "update orchestrator.meta set version = 1",
};

START_TEST(a_schema_of_version_1_is_brought_forward_and_keeps_its_jobs) {
    begin();
    keep(store_create_op("one", NULL));
    back->close(db);
    for (size_t i = 0; i < COUNT(first_version); i++)
        lab_ask(place, first_version[i]);
    open_at(uri);
    assert_asked("select version from orchestrator.meta", "2");
    struct store_op intent = store_event_op(1, STORE_INTENT, 0);
    write_ops(&intent, 1);
    ck_assert_int_eq(intent.status, STORE_HELD); // the job waits
    keep(store_state_op(1, JOB_RUNNING, JOB_NO_OUTCOME));
    keep(store_event_op(1, STORE_INTENT, 0));
    end();
}
END_TEST

START_TEST(a_schema_that_is_two_versions_newer_is_left_as_it_is) {
    begin();
    end();
    lab_ask(place, "update orchestrator.meta set version = 4, epoch = 5");
    assert_refused(place, "was written by a newer orchestrator (schema 4; this one knows 2)");
    assert_asked("select version || ' ' || epoch from orchestrator.meta", "4 5");
}
END_TEST

START_TEST(a_role_without_rights_is_told_which_it_lacks) {
    char where[LAB_URI_MAX + 20], statement[200];
    lab_database(place);
    snprintf(statement, sizeof statement, "create role weak_%ld login", (long)getpid());
    lab_ask(place, statement);
    const char *database = strstr(place, "@/");
    snprintf(where, sizeof where, "postgresql://weak_%ld%s", (long)getpid(), database);
    assert_refused(where, "create schema orchestrator authorization ROLE");
    // A schema that somebody else has made for it is enough.
    snprintf(statement, sizeof statement, "create schema orchestrator authorization weak_%ld",
             (long)getpid());
    lab_ask(place, statement);
    open_at(where);
    keep(store_create_op("one", NULL));
    back->close(db);
}
END_TEST

START_TEST(a_wrong_password_is_not_repeated) {
    struct lab_server server = {0};
    char path[100], where[LAB_URI_MAX + 60];
    lab_server_start(&server, "");
    lab_ask(server.uri, "create role noc login superuser password 'right'");
    snprintf(path, sizeof path, "%s/data/pg_hba.conf", server.folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("local all noc scram-sha-256\nlocal all all trust\n", file);
    fclose(file);
    lab_ask(server.uri, "select pg_reload_conf()");
    usleep(300000);
    const char *host = strchr(server.uri, '?');
    snprintf(where, sizeof where, "postgresql://noc:secret@/postgres%s", host);
    assert_refused(where,
                   "password authentication failed for user \"noc\": give the right password");
    snprintf(where, sizeof where, "postgresql://noc@/postgres%s", host);
    assert_refused(where, "no password supplied: give one in PGPASSWORD");
    ck_assert_int_eq(setenv("PGPASSWORD", "right", 1), 0);
    open_at(where);
    unsetenv("PGPASSWORD");
    back->close(db);
}
END_TEST

START_TEST(a_database_in_another_encoding_is_refused) {
    begin();
    end();
    char name[100], statement[200], where[LAB_URI_MAX + 20];
    snprintf(name, sizeof name, "latin_%ld", (long)getpid());
    snprintf(statement, sizeof statement,
             "create database %s encoding 'LATIN1' locale 'C' template template0", name);
    lab_ask(place, statement);
    snprintf(where, sizeof where, "postgresql://postgres@/%s%s", name, strchr(place, '?'));
    assert_refused(where, "is in LATIN1: make one in UTF8");
}
END_TEST

// --- rows

START_TEST(what_is_no_utf_8_is_kept_as_question_marks) {
    begin();
    keep(store_create_op("one", NULL));
    struct store_op op = store_event_op(1, STORE_OUTCOME, 0);
    op.event.result = HOST_FAILED;
    op.event.text = "a\xff\"\\{},\xc3\xa4\xe2\x82";
    keep(op);
    assert_asked("select text from orchestrator.events", "a?\"\\{},\xc3\xa4??");
    end();
}
END_TEST

START_TEST(rows_that_are_not_what_was_written_are_named) {
    begin();
    keep(store_create_op("one", NULL));
    for (uint32_t i = 0; i < 3; i++)
        keep(store_event_op(1, STORE_STARTED, i));
    const struct store_query query = {.kind = STORE_READ_EVENTS, .job = 1};
    lab_ask(place, "delete from orchestrator.events where n = 2");
    char *text = store_read_text(back, db, &query);
    ck_assert_ptr_nonnull(strstr(text, "job 1, event 3: event 2 is missing"));
    free(text);
    lab_ask(place, "update orchestrator.events set kind = 9 where n = 1");
    text = store_read_text(back, db, &query);
    ck_assert_ptr_nonnull(strstr(text, "job 1, event 1: "));
    free(text);
    end();
}
END_TEST

Suite *check_store_postgres(void) {
    Suite *suite = suite_create("store_postgres");
    TCase *tcase = tcase_create("store_postgres");
    const int count = COUNT(losses);
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_batch_whose_answer_was_lost_is_kept_once, 0, count);
    tcase_add_loop_test(tcase, a_create_whose_answer_was_lost_is_forgotten_under_its_number, 0,
                        count);
    tcase_add_test(tcase, a_large_image_goes_in_pieces_and_comes_back_whole);
    tcase_add_loop_test(tcase, a_create_that_was_lost_between_its_pieces_leaves_none, 0, count);
    tcase_add_test(tcase, pieces_that_a_dead_process_has_left_go_with_the_next_start);
    tcase_add_test(tcase, a_server_that_does_not_answer_is_waited_for_a_second);
    tcase_add_test(tcase, a_slow_answer_is_waited_for);
    tcase_add_test(tcase, connections_that_the_server_ends_are_made_anew);
    tcase_add_test(tcase, a_server_that_is_started_anew_is_found_again);
    tcase_add_test(tcase, who_was_taken_for_dead_keeps_nothing_any_more);
    tcase_add_test(tcase, a_database_that_has_lost_a_write_is_written_to_no_more);
    tcase_add_test(tcase, nodes_write_beside_one_another_and_events_have_dense_numbers);
    tcase_add_test(tcase, a_shard_is_one_nodes_and_its_epoch_rises);
    tcase_add_loop_test(tcase, a_lease_whose_answer_was_lost_is_told_as_it_is, 0, count);
    tcase_add_test(tcase, who_does_not_move_is_declared_dead_by_another);
    tcase_add_loop_test(tcase, of_changes_of_a_job_that_exclude_each_other_one_is_kept, 0,
                        COUNT(changes));
    tcase_add_test(tcase, those_that_start_at_once_make_one_schema);
    tcase_add_loop_test(tcase, a_write_that_a_standby_may_not_have_is_not_known_to_be_kept, 0, 2);
    tcase_add_test(tcase, an_asynchronous_standby_is_refused_unless_it_is_allowed);
    tcase_add_test(tcase, a_wrong_place_is_named_with_what_to_do);
    tcase_add_test(tcase, a_schema_that_is_not_ours_is_left_as_it_is);
    tcase_add_test(tcase, a_schema_of_the_next_version_is_used_and_left_as_it_is);
    tcase_add_test(tcase, a_schema_of_version_1_is_brought_forward_and_keeps_its_jobs);
    tcase_add_test(tcase, a_schema_that_is_two_versions_newer_is_left_as_it_is);
    tcase_add_test(tcase, a_role_without_rights_is_told_which_it_lacks);
    tcase_add_test(tcase, a_wrong_password_is_not_repeated);
    tcase_add_test(tcase, a_database_in_another_encoding_is_refused);
    tcase_add_test(tcase, what_is_no_utf_8_is_kept_as_question_marks);
    tcase_add_test(tcase, rows_that_are_not_what_was_written_are_named);
    return suite;
}
