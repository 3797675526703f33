#include "common/rng.h"
#include "common/timeline_rows.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_timeline_rows(void);

#define NEVER     TIMELINE_NEVER
#define CHANGED   TIMELINE_CHANGED
#define SKIPPED   TIMELINE_SKIPPED
#define UNPLANNED NEVER, NEVER

static const struct timeline_host hosts[] = {
    {"m-edge0", "mars", "mars_edge", NULL, 30, 40, UNPLANNED, CHANGED},
    {"e-spine0", "earth", "earth_spine", NULL, 20, 50, UNPLANNED, CHANGED},
    {"m-edge1", "mars", "mars_edge", NULL, 10, 30, UNPLANNED, TIMELINE_FAILED},
    {"m-leaf0", "mars", "feed 1", NULL, 0, 10, UNPLANNED, CHANGED},
    {"e-leaf0", "earth", "feed 1", NULL, 5, 25, UNPLANNED, CHANGED},
    {"e-leaf1", "earth", "feed 1", NULL, 10, 12, UNPLANNED, CHANGED},
    {"e-alone", "earth", NULL, NULL, NEVER, 0, UNPLANNED, SKIPPED},
    {"e-alone", "earth", NULL, NULL, 1, 2, UNPLANNED, CHANGED},
    {"e-spine1", "earth", "earth_spine", NULL, NEVER, 0, UNPLANNED, SKIPPED},
    {"e-spine2", "earth", "earth_spine", NULL, NEVER, 0, UNPLANNED, TIMELINE_WAITING},
    {"nowhere", NULL, "lost", NULL, 90, 95, UNPLANNED, CHANGED},
};

START_TEST(rows_stand_by_site_and_by_when_they_began) {
    static const struct {
        const char *name, *site;
        size_t count, lanes, left_out;
        uint64_t start_us, end_us;
    } expected[] = {
        {"lost", NULL, 1, 1, 0, 90, 95},
        {"feed 1", "mars", 3, 2, 0, 0, 25}, // of mars, as its first host is
        {"mars_edge", "mars", 2, 1, 0, 10, 40},
        {"e-alone", "earth", 1, 1, 0, 1, 2},
        {"earth_spine", "earth", 3, 1, 1, 20, 50},
        {"e-alone", "earth", 1, 1, 1, NEVER, 0},
    };
    static const uint32_t order[] = {10, 3, 4, 5, 2, 0, 7, 1, 8, 9, 6},
                          lanes[COUNT(hosts)] = {[4] = 1};
    struct timeline_rows rows;
    timeline_rows_make(&rows, hosts, COUNT(hosts));
    ck_assert_uint_eq(rows.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct timeline_row *row = &rows.list[i];
        ck_assert_str_eq(row->name, expected[i].name);
        ck_assert(row->site == expected[i].site || strcmp(row->site, expected[i].site) == 0);
        ck_assert_uint_eq(row->count, expected[i].count);
        ck_assert_uint_eq(row->lanes, expected[i].lanes);
        ck_assert_uint_eq(row->left_out, expected[i].left_out);
        ck_assert_uint_eq(row->start_us, expected[i].start_us);
        ck_assert_uint_eq(row->end_us, expected[i].end_us);
    }
    ck_assert_mem_eq(rows.order, order, sizeof order);
    ck_assert_mem_eq(rows.lane_of, lanes, sizeof lanes);
    ck_assert_uint_eq(rows.lanes, 7);
    ck_assert(rows.has_sites);
    ck_assert_uint_eq(rows.list[2].ends[TIMELINE_FAILED], 1);
    ck_assert_uint_eq(rows.list[4].ends[TIMELINE_WAITING], 1);
    timeline_rows_deinit(&rows);
}
END_TEST

START_TEST(a_run_without_hosts_has_no_rows) {
    struct timeline_rows rows;
    timeline_rows_make(&rows, NULL, 0);
    ck_assert_uint_eq(rows.count, 0);
    ck_assert_uint_eq(rows.lanes, 0);
    ck_assert(!rows.has_sites);
    timeline_rows_deinit(&rows);
}
END_TEST

enum { DRAWN = 120, DRAWN_GROUPS = 5 };

static bool overlap(const struct timeline_host *a, const struct timeline_host *b) {
    return a->start_us < b->end_us && b->start_us < a->end_us;
}

static void check_drawn(uint64_t seed) {
    static const char *const groups[DRAWN_GROUPS] = {"a", "b", "c", "d", "e"};
    struct timeline_host drawn[DRAWN];
    struct timeline_rows rows;
    size_t seen[DRAWN] = {0}, lanes = 0;
    for (size_t i = 0; i < DRAWN; i++) {
        const uint64_t draw = rng_mix(seed, i), start_us = rng_range(rng_mix(draw, 1), 0, 200);
        drawn[i] =
            (struct timeline_host){.name = groups[draw % DRAWN_GROUPS],
                                   .group = draw % 7 == 0 ? NULL : groups[draw % DRAWN_GROUPS],
                                   .start_us = start_us,
                                   .end_us = start_us + rng_range(rng_mix(draw, 2), 1, 40)};
    }
    timeline_rows_make(&rows, drawn, DRAWN);
    for (size_t r = 0; r < rows.count; r++) {
        const struct timeline_row *row = &rows.list[r];
        size_t most = 0; // at once, as some bar sees it that begins
        for (size_t i = 0; i < row->count; i++) {
            const uint32_t a = rows.order[row->first + i];
            size_t beside = 0;
            seen[a]++;
            ck_assert_uint_lt(rows.lane_of[a], row->lanes);
            for (size_t j = 0; j < row->count; j++) {
                const uint32_t b = rows.order[row->first + j];
                beside +=
                    drawn[b].start_us <= drawn[a].start_us && drawn[b].end_us > drawn[a].start_us;
                ck_assert(a == b || rows.lane_of[a] != rows.lane_of[b] ||
                          !overlap(&drawn[a], &drawn[b]));
            }
            if (beside > most) most = beside;
        }
        ck_assert_uint_eq(row->lanes, most); // no more than are needed
        lanes += row->lanes;
    }
    for (size_t i = 0; i < DRAWN; i++)
        ck_assert_uint_eq(seen[i], 1);
    ck_assert_uint_eq(lanes, rows.lanes);
    timeline_rows_deinit(&rows);
}

START_TEST(bars_of_a_row_never_cover_each_other) {
    for (uint64_t seed = 1; seed <= 50; seed++)
        check_drawn(seed);
}
END_TEST

Suite *check_timeline_rows(void) {
    Suite *suite = suite_create("timeline_rows");
    TCase *tcase = tcase_create("timeline_rows");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, rows_stand_by_site_and_by_when_they_began);
    tcase_add_test(tcase, a_run_without_hosts_has_no_rows);
    tcase_add_test(tcase, bars_of_a_row_never_cover_each_other);
    return suite;
}
