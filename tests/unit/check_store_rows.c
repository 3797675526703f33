// Rows of a table that is not there: what they become, and what of them is noticed.
#include "orchestrator/store_rows.h"
#include "tests/unit/support.h"

Suite *check_store_rows(void);

enum { CELLS_MAX = STORE_JOB_CELLS };

#define NONE                                                                                       \
    { .kind = CELL_NULL }
#define WRONG                                                                                      \
    { .kind = CELL_WRONG }
#define NUMBER(n)                                                                                  \
    { .kind = CELL_NUMBER, .number = (n) }
#define TEXT(t)                                                                                    \
    { .kind = CELL_TEXT, .text = (t) }

// Right rows, a cell of which each case changes.
static const struct store_cell a_job[CELLS_MAX] = {
    NUMBER(7), TEXT("id"), NONE,      TEXT("upgrade_os"), TEXT("{}"),   NUMBER(3),
    NUMBER(1), NUMBER(0),  NUMBER(1), NUMBER(0),          NUMBER(9),    NUMBER(JOB_DONE),
    NUMBER(2), TEXT("so"), NUMBER(5), NUMBER(6),          NUMBER(8000),
};
static const struct store_cell an_outcome[CELLS_MAX] = {
    NUMBER(7),   NUMBER(1), NUMBER(5000),         NUMBER(STORE_OUTCOME),
    NUMBER(2),   NUMBER(1), NUMBER(HOST_CHANGED), NUMBER(40),
    NONE,        NONE,      TEXT("5.3.1"),        TEXT("so"),
    NUMBER(900),
};
static const struct store_cell a_line[CELLS_MAX] = {
    NUMBER(4),   NUMBER(1),    NUMBER(5000), NUMBER(403), NONE,
    TEXT("::1"), TEXT("POST"), TEXT("/"),    TEXT("id"),
};

// --- whoever reads

static struct told {
    unsigned count;
    struct store_job job;
    uint16_t shards[3];
    struct store_event event;
    struct store_audit audit;
} told;

static bool on_row(void *arg, const struct store_job *job, const struct store_event *event) {
    ck_assert((job == NULL) != (event == NULL));
    told.count++;
    if (job != NULL) told.job = *job;
    if (job != NULL && job->shards != NULL)
        memcpy(told.shards, job->shards, job->hosts * sizeof *told.shards);
    if (event != NULL) told.event = *event;
    return *(const bool *)arg;
}

static bool on_line(void *arg, const struct store_audit *audit) {
    told.count++;
    told.audit = *audit;
    return *(const bool *)arg;
}

static struct store_cell cell_at(void *row, int column) {
    ck_assert_int_lt(column, CELLS_MAX);
    return ((const struct store_cell *)row)[column];
}

static bool wants_more;

static struct store_rows begin(enum store_query_kind kind) {
    static struct store_query query;
    struct store_rows rows;
    query = (struct store_query){.kind = kind, .job = 7, .audit = on_line};
    wants_more = true;
    told = (struct told){0};
    ck_assert(store_rows_begin(&rows, &query, on_row, &wants_more, cell_at));
    return rows;
}

static int tell(struct store_rows *rows, const struct store_cell *cells,
                const struct store_blobs *blobs, struct error *err) {
    struct store_cell row[CELLS_MAX];
    memcpy(row, cells, sizeof row);
    return store_rows_tell(rows, row, blobs, err);
}

// --- rows that are right

START_TEST(a_job_is_told_with_its_image_and_its_shards) {
    static const unsigned char shards[] = {0, 1, 3, 255, 1, 0};
    const struct store_blobs blobs = {
        .image = "image", .image_len = 5, .shards = shards, .shards_len = sizeof shards};
    struct store_rows rows = begin(STORE_READ_JOB);
    struct error err;
    ck_assert_int_eq(tell(&rows, a_job, &blobs, &err), 0);
    ck_assert_uint_eq(told.job.number, 7);
    ck_assert_str_eq(told.job.id, "id");
    ck_assert_ptr_null(told.job.key);
    ck_assert_uint_eq(told.job.results[HOST_CHANGED], 1);
    ck_assert_uint_eq(told.job.results[HOST_FAILED], 1);
    ck_assert_uint_eq(told.job.n, 9);
    ck_assert_int_eq(told.job.state, JOB_DONE);
    ck_assert_int_eq(told.job.outcome, JOB_FAILED);
    ck_assert_int_eq(told.job.created_ms, 5);
    ck_assert_int_eq(told.job.ended_ms, 8000);
    ck_assert_uint_eq(told.job.image_len, 5);
    ck_assert_uint_eq(told.shards[0], 1);
    ck_assert_uint_eq(told.shards[1], 1023);
    ck_assert_uint_eq(told.shards[2], 256);
}
END_TEST

START_TEST(a_job_of_a_list_has_neither) {
    struct store_rows rows = begin(STORE_READ_JOBS);
    struct error err;
    ck_assert_int_eq(tell(&rows, a_job, NULL, &err), 0);
    ck_assert_ptr_null(told.job.image);
    ck_assert_ptr_null(told.job.shards);
}
END_TEST

START_TEST(an_event_is_told_and_the_next_is_due) {
    struct store_rows rows = begin(STORE_READ_EVENTS);
    struct error err;
    ck_assert_int_eq(tell(&rows, an_outcome, NULL, &err), 0);
    ck_assert_uint_eq(told.event.job, 7);
    ck_assert_int_eq(told.event.kind, STORE_OUTCOME);
    ck_assert_uint_eq(told.event.host, 2);
    ck_assert_int_eq(told.event.result, HOST_CHANGED);
    ck_assert_uint_eq(told.event.ms, 40);
    ck_assert_str_eq(told.event.version, "5.3.1");
    ck_assert_uint_eq(told.event.epoch, 900);
    ck_assert_uint_eq(rows.n, 1);
    ck_assert_int_ne(tell(&rows, an_outcome, NULL, &err), 0); // not once more
    ck_assert_str_eq(err.text, "job 7, event 1: event 2 is missing");
    ck_assert_uint_eq(told.count, 1);
}
END_TEST

START_TEST(a_line_of_the_audit_is_told) {
    struct store_rows rows = begin(STORE_READ_AUDIT);
    struct error err;
    ck_assert_int_eq(tell(&rows, a_line, NULL, &err), 0);
    ck_assert_uint_eq(told.audit.n, 4);
    ck_assert(told.audit.is_refused);
    ck_assert_int_eq(told.audit.status, 403);
    ck_assert_ptr_null(told.audit.who);
    ck_assert_str_eq(told.audit.from, "::1");
    ck_assert_str_eq(told.audit.job, "id");
}
END_TEST

START_TEST(who_wants_no_more_is_asked_for_no_more) {
    static const struct {
        enum store_query_kind kind;
        const struct store_cell *row;
    } cases[] = {
        {STORE_READ_JOBS, a_job}, {STORE_READ_EVENTS, an_outcome}, {STORE_READ_AUDIT, a_line}};
    struct store_rows rows = begin(cases[_i].kind);
    struct error err;
    ck_assert(rows.goes_on);
    wants_more = false;
    ck_assert_int_eq(tell(&rows, cases[_i].row, NULL, &err), 0);
    ck_assert(!rows.goes_on);
}
END_TEST

// --- rows that are not

#define A_VALUE "a value that is none of its column"

static const struct {
    enum store_query_kind kind;
    const struct store_cell *row;
    int column;
    struct store_cell cell;
    const char *said;
} damages[] = {
    {STORE_READ_JOBS, a_job, 0, NUMBER(1ULL << 31), "job 0: " A_VALUE},
    {STORE_READ_JOBS, a_job, 1, NONE, "job 7: a job without its id, its task or its request"},
    {STORE_READ_JOBS, a_job, 1, NUMBER(1), "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 2, WRONG, "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 5, NUMBER(1ULL << 32), "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 5, NUMBER(1), "job 7: a job with 2 results of 1 hosts"},
    {STORE_READ_JOBS, a_job, 9, NONE, "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 11, NUMBER(JOB_DONE + 1), "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 12, NUMBER(JOB_STOPPED + 1), "job 7: " A_VALUE},
    {STORE_READ_JOBS, a_job, 16, TEXT("5"), "job 7: " A_VALUE},
    {STORE_READ_EVENTS, an_outcome, 1, NUMBER(2), "job 7, event 2: event 1 is missing"},
    {STORE_READ_EVENTS, an_outcome, 3, NUMBER(STORE_JOB + 1), "job 7, event 1: " A_VALUE},
    {STORE_READ_EVENTS, an_outcome, 4, NUMBER(1ULL << 32), "job 7, event 1: " A_VALUE},
    {STORE_READ_EVENTS, an_outcome, 4, NONE, "job 7, event 1: an event of kind 4 without a host"},
    {STORE_READ_EVENTS, an_outcome, 5, NUMBER(256), "job 7, event 1: " A_VALUE},
    {STORE_READ_EVENTS, an_outcome, 6, NUMBER(1), "job 7, event 1: an outcome that is none: 1"},
    {STORE_READ_EVENTS, an_outcome, 10, WRONG, "job 7, event 1: " A_VALUE},
    {STORE_READ_EVENTS, an_outcome, 12, TEXT("9"), "job 7, event 1: " A_VALUE},
    {STORE_READ_AUDIT, a_line, 1, NUMBER(2), "line 4 of the audit: " A_VALUE},
    {STORE_READ_AUDIT, a_line, 3, NUMBER(1000), "line 4 of the audit: " A_VALUE},
    {STORE_READ_AUDIT, a_line, 5, NONE, "line 4 of the audit: " A_VALUE},
    {STORE_READ_AUDIT, a_line, 8, NUMBER(1), "line 4 of the audit: " A_VALUE},
};

START_TEST(a_row_that_was_not_written_so_is_named_and_nobody_is_told) {
    struct store_rows rows = begin(damages[_i].kind);
    struct store_cell row[CELLS_MAX];
    struct error err;
    memcpy(row, damages[_i].row, sizeof row);
    row[damages[_i].column] = damages[_i].cell;
    ck_assert_int_eq(tell(&rows, row, NULL, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, damages[_i].said);
    ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(shards_that_are_not_two_bytes_a_host_are_noticed) {
    static const struct {
        unsigned char bytes[8];
        size_t len;
    } cases[] = {{{0}, 5}, {{0}, 8}, {{0}, 0}, {{0, 0, 4, 0}, 6}}; // there is no shard 1024
    const struct store_blobs blobs = {.shards = cases[_i].bytes, .shards_len = cases[_i].len};
    struct store_rows rows = begin(STORE_READ_JOB);
    struct error err;
    ck_assert_int_eq(tell(&rows, a_job, &blobs, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "job 7: " A_VALUE);
    ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(what_no_row_can_be_is_not_looked_for) {
    static const struct {
        struct store_query query;
        bool is_looked_for;
    } cases[] = {
        {{.kind = STORE_READ_JOBS, .job = UINT64_MAX}, true}, // all are older
        {{.kind = STORE_READ_JOB, .job = INT32_MAX}, true},
        {{.kind = STORE_READ_JOB, .job = INT32_MAX + 1ULL}, false},
        {{.kind = STORE_READ_EVENTS, .job = 1, .after = UINT32_MAX - 1}, true},
        {{.kind = STORE_READ_EVENTS, .job = 1, .after = UINT32_MAX}, false},
        {{.kind = STORE_READ_AUDIT, .after = INT64_MAX}, true},
        {{.kind = STORE_READ_AUDIT, .after = INT64_MAX + 1ULL}, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_rows rows;
        ck_assert_int_eq(store_rows_begin(&rows, &cases[i].query, on_row, NULL, cell_at),
                         cases[i].is_looked_for);
    }
}
END_TEST

Suite *check_store_rows(void) {
    Suite *suite = suite_create("store_rows");
    TCase *tcase = tcase_create("store_rows");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_job_is_told_with_its_image_and_its_shards);
    tcase_add_test(tcase, a_job_of_a_list_has_neither);
    tcase_add_test(tcase, an_event_is_told_and_the_next_is_due);
    tcase_add_test(tcase, a_line_of_the_audit_is_told);
    tcase_add_loop_test(tcase, who_wants_no_more_is_asked_for_no_more, 0, 3);
    tcase_add_loop_test(tcase, a_row_that_was_not_written_so_is_named_and_nobody_is_told, 0,
                        COUNT(damages));
    tcase_add_loop_test(tcase, shards_that_are_not_two_bytes_a_host_are_noticed, 0, 4);
    tcase_add_test(tcase, what_no_row_can_be_is_not_looked_for);
    return suite;
}
