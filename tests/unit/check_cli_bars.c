#include "orchestrator/cli_bars.h"
#include "tests/unit/support.h"

Suite *check_cli_bars(void);

START_TEST(a_duration_is_as_long_as_it_matters) {
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {{0, "0.0s"},         {99, "0.0s"},          {9999, "9.9s"},
                 {10000, "10s"},      {59999, "59s"},        {60000, "1m00s"},
                 {125000, "2m05s"},   {3599999, "59m59s"},   {3600000, "1h00m"},
                 {11220000, "3h07m"}, {360000000, "100h00m"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLI_DURATION_MAX];
        cli_duration(cases[i].ms, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

static char task[] = "upgrade_os", version[] = "5.3.1";
static const struct cli_job running = {.id = "9df0fe5f-0000-4000-8000-000000000000",
                                       .task = task,
                                       .version = version,
                                       .state = JOB_RUNNING,
                                       .started_ms = 1000000};

// Ten hosts a second are done, until so many are in each state.
static struct progress progress_of(const uint64_t counts[HOST_STATES]) {
    struct progress p;
    uint64_t hosts = 0;
    for (int state = 0; state < HOST_STATES; state++)
        hosts += counts[state];
    progress_init(&p, hosts);
    progress_tick(&p, 0);
    memcpy(p.counts, counts, sizeof p.counts);
    progress_tick(&p, 10000);
    return p;
}

static char *draw(const struct cli_moment *now, const struct cli_style *style) {
    struct buf out = {0};
    cli_bars(&out, now, style);
    return buf_take(&out);
}

START_TEST(bars_tell_what_is_done_in_hand_and_left) {
    struct progress p = progress_of((uint64_t[]){40, 10, 38, 8, 2, 2});
    progress_turn(
        &p, &(struct cli_host){.name = "leaf00", .state = HOST_IN_HAND, .started_ms = 1005000});
    p.counts[HOST_WAITING]++; // it is one of the ten
    p.counts[HOST_IN_HAND]--;
    const struct cli_moment now = {.job = &running, .progress = &p, .wall_ms = 1072000};
    char *text = draw(&now, &(struct cli_style){.width = 72});
    ck_assert_str_eq(text,
                     "upgrade_os 5.3.1  9df0fe5f  running  1m12s  50 %, 5.0 hosts/s, about 10s\n"
                     "[#################################!->>>>>>>............................]\n"
                     "# 46 done  ! 2 failed  - 2 skipped  > 10 in hand  . 40 waiting\n"
                     "longest in hand: leaf00 1m07s");
    free(text);
    progress_deinit(&p);
}
END_TEST

static size_t widest(const char *text) {
    size_t most = 0;
    for (const char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        if (len > most) most = len;
        line += len + (line[len] == '\n');
    }
    return most;
}

START_TEST(no_row_is_wider_than_the_terminal) {
    struct progress p = progress_of((uint64_t[]){400, 100, 300, 40, 4, 4});
    const struct cli_moment now = {.job = &running, .progress = &p, .wall_ms = 1072000};
    for (size_t width = 10; width <= 200; width++) {
        char *text = draw(&now, &(struct cli_style){.width = width});
        ck_assert_msg(widest(text) <= width, "%zu: %s", width, text);
        ck_assert_uint_eq(cli_bars_rows(text, width), 4);
        free(text);
    }
    progress_deinit(&p);
}
END_TEST

START_TEST(a_bar_shows_a_single_failure_among_thousands_and_is_never_longer) {
    static const uint64_t counts[][HOST_STATES] = {
        {0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, {0, 0, 100000, 0, 1, 0}, {1, 1, 100000, 0, 1, 1},
        {0, 0, 0, 0, 3, 0}, {1, 1, 1, 1, 1, 1}, {100000, 1, 1, 0, 1, 1}};
    for (size_t i = 0; i < COUNT(counts); i++)
        for (size_t width = 10; width <= 120; width++) {
            struct progress p = progress_of(counts[i]);
            const struct cli_moment now = {.job = &running, .progress = &p};
            char *text = draw(&now, &(struct cli_style){.width = width});
            const char *bar = strchr(text, '[');
            const size_t len = strcspn(bar, "\n"), cells = width > 100 ? 100 : width;
            ck_assert_msg(len == (p.hosts == 0 ? 2 : cells), "%zu at %zu: %s", i, width, text);
            if (counts[i][HOST_FAILED] > 0) ck_assert(memchr(bar, '!', len) != NULL);
            free(text);
            progress_deinit(&p);
        }
}
END_TEST

START_TEST(colours_are_escapes_that_take_no_room) {
    struct progress p = progress_of((uint64_t[]){40, 10, 38, 8, 2, 2});
    const struct cli_moment now = {.job = &running, .progress = &p};
    char *plain = draw(&now, &(struct cli_style){.width = 60});
    char *painted = draw(&now, &(struct cli_style){.width = 60, .has_colour = true});
    ck_assert_ptr_null(strchr(plain, '\x1b'));
    ck_assert_ptr_nonnull(strstr(painted, "\x1b[31m! 2 failed"));
    ck_assert_uint_eq(cli_bars_rows(painted, 60), cli_bars_rows(plain, 60));
    char *to = painted;
    for (const char *from = painted; *from != '\0'; from++) {
        if (*from == '\x1b')
            from = strchr(from, 'm');
        else
            *to++ = *from;
    }
    *to = '\0';
    ck_assert_str_eq(painted, plain);
    free(plain);
    free(painted);
    progress_deinit(&p);
}
END_TEST

START_TEST(a_lost_connection_and_a_paused_job_foretell_nothing) {
    struct progress p = progress_of((uint64_t[]){40, 10, 38, 8, 2, 2});
    struct cli_job paused = running;
    struct cli_moment now = {.job = &running, .progress = &p, .is_lost = true};
    char *text = draw(&now, &(struct cli_style){0});
    ck_assert_ptr_nonnull(strstr(text, "  connection lost, trying again  "));
    ck_assert_ptr_null(strstr(text, "hosts/s"));
    free(text);
    paused.state = JOB_PAUSED;
    now = (struct cli_moment){.job = &paused, .progress = &p};
    text = draw(&now, &(struct cli_style){0});
    ck_assert_ptr_nonnull(strstr(text, "  paused  "));
    ck_assert_ptr_null(strstr(text, "left"));
    free(text);
    progress_deinit(&p);
}
END_TEST

START_TEST(of_the_last_hosts_nothing_is_foretold) {
    struct progress p = progress_of((uint64_t[]){0, 0, 98, 0, 0, 0});
    const struct cli_moment now = {.job = &running, .progress = &p, .wall_ms = 1072000};
    p.hosts++;
    progress_turn(&p, &(struct cli_host){.name = "leaf00",
                                         .state = HOST_IN_HAND,
                                         .started_ms = 1005000,
                                         .is_in_doubt = true});
    char *text = draw(&now, &(struct cli_style){0});
    ck_assert_ptr_nonnull(strstr(text, "  98 %, 9.8 hosts/s\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nlongest in hand: leaf00 1m07s in doubt"));
    free(text);
    progress_deinit(&p);
}
END_TEST

START_TEST(a_file_gets_a_line) {
    struct progress p = progress_of((uint64_t[]){40, 10, 38, 8, 2, 2});
    const struct cli_moment now = {.job = &running, .progress = &p};
    struct buf out = {0};
    cli_bars_line(&out, "03:12:09", &now);
    ck_assert_str_eq(out.data, "03:12:09  running: 46 done, 2 failed, 2 skipped, 10 in hand, 40 "
                               "waiting of 100, 5.0 hosts/s, about 10s left\n");
    buf_deinit(&out);
    progress_deinit(&p);
}
END_TEST

START_TEST(rows_are_counted_as_a_terminal_breaks_them) {
    static const struct {
        const char *text;
        size_t width, rows;
    } cases[] = {{"", 10, 1},
                 {"0123456789", 10, 1},
                 {"0123456789a", 10, 2},
                 {"0123456789\n", 10, 2},
                 {"a\nb\n0123456789a\nc", 10, 5},
                 {"\x1b[31m0123456789\x1b[0m", 10, 1},
                 {"\xc3\xa9\xc3\xa9\xc3\xa9", 3, 1},
                 {"0123456789012345678901", 10, 3},
                 {"a\x1b[", 10, 1}};
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(cli_bars_rows(cases[i].text, cases[i].width) == cases[i].rows, "%zu", i);
}
END_TEST

Suite *check_cli_bars(void) {
    Suite *suite = suite_create("cli_bars");
    TCase *tcase = tcase_create("cli_bars");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_duration_is_as_long_as_it_matters);
    tcase_add_test(tcase, bars_tell_what_is_done_in_hand_and_left);
    tcase_add_test(tcase, no_row_is_wider_than_the_terminal);
    tcase_add_test(tcase, a_bar_shows_a_single_failure_among_thousands_and_is_never_longer);
    tcase_add_test(tcase, colours_are_escapes_that_take_no_room);
    tcase_add_test(tcase, a_lost_connection_and_a_paused_job_foretell_nothing);
    tcase_add_test(tcase, of_the_last_hosts_nothing_is_foretold);
    tcase_add_test(tcase, a_file_gets_a_line);
    tcase_add_test(tcase, rows_are_counted_as_a_terminal_breaks_them);
    return suite;
}
