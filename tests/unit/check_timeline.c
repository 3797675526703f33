#include "common/timeline.h"
#include "common/utf8.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_timeline(void);

#define SECOND    UINT64_C(1000000)
#define NEVER     TIMELINE_NEVER
#define UNPLANNED NEVER, NEVER

static struct buf out;

static void setup(void) {
    out = (struct buf){0};
}

static void teardown(void) {
    buf_deinit(&out);
}

static void write(const struct timeline *t) {
    struct error err;
    buf_clear(&out);
    int rc = timeline_write(t, &out, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static size_t times(const char *part) {
    size_t count = 0;
    for (const char *at = out.data; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void assert_has(const char *part) {
    ck_assert_msg(times(part) > 0, "no '%s'", part);
}

// --- is it XML?

enum { DEPTH_MAX = 16 };

struct reader {
    const char *at;
    const char *open[DEPTH_MAX]; // names of the elements that are open
    size_t lens[DEPTH_MAX], depth;
};

static void read_text(struct reader *r) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#10;"};
    bool known = *r->at != '&';
    for (size_t i = 0; i < COUNT(entities); i++)
        known |= strncmp(r->at, entities[i], strlen(entities[i])) == 0;
    ck_assert_msg(known, "no entity: %.40s", r->at);
    const size_t len = utf8_len((const unsigned char *)r->at, strlen(r->at));
    ck_assert_msg(len > 0 && ((unsigned char)*r->at >= 0x20 || *r->at == '\n'), "no text: %.40s",
                  r->at);
    r->at += len;
}

static void read_value(struct reader *r) {
    ck_assert_msg(*r->at == '"', "no value: %.40s", r->at);
    r->at++;
    while (*r->at != '"') {
        ck_assert_msg(*r->at != '<', "in a value: %.40s", r->at);
        read_text(r);
    }
    r->at++;
}

static void read_element(struct reader *r) {
    const char *name = ++r->at;
    const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    ck_assert_msg(len > 0 && r->depth < DEPTH_MAX, "no element: %.40s", name);
    for (r->at += len; *r->at == ' ';) {
        r->at += 1 + strcspn(r->at + 1, "= />\"");
        ck_assert_msg(*r->at == '=', "no attribute: %.40s", r->at);
        r->at++;
        read_value(r);
    }
    if (strncmp(r->at, "/>", 2) == 0) {
        r->at += 2;
        return;
    }
    ck_assert_msg(*r->at++ == '>', "not closed: %.40s", name);
    r->open[r->depth] = name;
    r->lens[r->depth++] = len;
}

static void read_end(struct reader *r) {
    ck_assert_msg(r->depth-- > 0, "nothing is open: %.40s", r->at);
    r->at += 2;
    ck_assert_msg(strncmp(r->at, r->open[r->depth], r->lens[r->depth]) == 0 &&
                      r->at[r->lens[r->depth]] == '>',
                  "not what is open: %.40s", r->at);
    r->at += r->lens[r->depth] + 1;
}

static void assert_is_xml(void) {
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    struct reader r = {.at = out.data + sizeof head - 1};
    ck_assert_int_eq(strncmp(out.data, head, sizeof head - 1), 0);
    ck_assert_uint_eq(strlen(out.data), out.len);
    do {
        if (strncmp(r.at, "</", 2) == 0)
            read_end(&r);
        else if (*r.at == '<')
            read_element(&r);
        else
            read_text(&r);
    } while (r.depth > 0);
    ck_assert_str_eq(r.at, "\n");
}

// --- pictures

static const struct timeline_host hosts[] = {
    {"edge0", "earth", "earth_edge", NULL, 0, 4 * SECOND, UNPLANNED, TIMELINE_CHANGED},
    {"edge1", "earth", "earth_edge", NULL, 4 * SECOND, 5 * SECOND, UNPLANNED, TIMELINE_UNCHANGED},
    {"spine0", "earth", "earth_spine", "no space <left> & no way", SECOND, 3 * SECOND, UNPLANNED,
     TIMELINE_FAILED},
    {"spine1", "earth", "earth_spine", "spine0", NEVER, 0, UNPLANNED, TIMELINE_SKIPPED},
    {"spine2", "earth", "earth_spine", "spine0", NEVER, 0, UNPLANNED, TIMELINE_SKIPPED},
    {"leaf0", "mars", "mars_leaf", "leaf1 is not up", 0, SECOND, UNPLANNED, TIMELINE_SKIPPED},
    {"leaf1", "mars", "mars_leaf", NULL, 2 * SECOND, 8 * SECOND, UNPLANNED, TIMELINE_IN_HAND},
    {"leaf2", "mars", "mars_leaf", NULL, NEVER, 0, UNPLANNED, TIMELINE_WAITING},
};
static const struct timeline run = {"upgrade_os 5.3.1: 8 hosts", "job 7", hosts, COUNT(hosts),
                                    8 * SECOND};

// The plot is 810 pixels wide and begins at 140: a second takes 101.25.
START_TEST(each_device_is_a_bar_from_its_start_to_its_end) {
    write(&run);
    assert_is_xml();
    assert_has("<g class=\"c\">\n<path d=\"M140 116.5h405v13h-405z\"><title>edge0 of "
               "earth_edge\nchanged, 0.000 to 4.000 s</title></path>\n</g>");
    assert_has("<g class=\"u\">\n<path d=\"M545 119.8h101.3v6.5h-101.3z\"><title>edge1 of ");
    assert_has("<g class=\"f\">\n<path d=\"M241.3 130.5h202.5v13h-202.5z\"><title>spine0 of "
               "earth_spine\nfailed, 1.000 to 3.000 s: no space &lt;left&gt; &amp; no way");
    assert_has("<g class=\"k\">\n<path d=\"M140 164.5h101.3v13h-101.3z\"><title>leaf0 of ");
    assert_has("<g class=\"h\">\n<path d=\"M342.5 164.5h607.5v13h-607.5z\"><title>leaf1 of ");
    ck_assert_uint_eq(times("leaf2"), 0); // it waits, and has no place yet
}
END_TEST

START_TEST(what_became_of_a_device_has_a_mark_of_its_own) {
    write(&run);
    assert_has("<use href=\"#x\" x=\"443.8\" y=\"137.0\"><title>spine0 of earth_spine\nfailed");
    assert_has("<g><title>spine1, spine2\nskipped: spine0</title>"
               "<use href=\"#r\" x=\"453.8\" y=\"137.0\"></use>"
               "<use href=\"#r\" x=\"461.8\" y=\"137.0\"></use></g>");
    assert_has("<use href=\"#r\" x=\"241.2\" y=\"171.0\"><title>leaf0 of mars_leaf\nskipped, "
               "0.000 to 1.000 s: leaf1 is not up</title>");
    assert_has("<use href=\"#a\" x=\"950.0\" y=\"171.0\"><title>leaf1 of mars_leaf\nin hand");
    static const char *const legend[] = {">1 changed<", ">1 unchanged<", ">1 failed<",
                                         ">3 skipped<", ">1 in hand<",   ">1 waiting<"};
    for (size_t i = 0; i < COUNT(legend); i++)
        ck_assert_uint_eq(times(legend[i]), 1);
    ck_assert_uint_eq(times(">foretold"), 0);
}
END_TEST

START_TEST(it_says_what_it_shows) {
    write(&run);
    assert_has("<title>upgrade_os 5.3.1: 8 hosts</title>\n<desc>job 7</desc>");
    assert_has("font-weight=\"bold\">upgrade_os 5.3.1: 8 hosts</text>");
    assert_has(">earth</text>");
    assert_has(">mars</text>");
    assert_has(">earth_spine</text>");
    ck_assert_uint_eq(times(">7</text>"), 2); // ticks, above and below
    assert_has(">seconds</text>");
    assert_has("@media (prefers-color-scheme:dark)");
}
END_TEST

START_TEST(the_same_run_is_the_same_picture) {
    write(&run);
    char *first = buf_take(&out);
    write(&run);
    ck_assert_str_eq(out.data, first);
    free(first);
}
END_TEST

START_TEST(a_run_is_laid_over_its_forecast) {
    struct timeline_host host = hosts[0];
    host.foretold_start_us = SECOND;
    host.foretold_end_us = 3 * SECOND;
    write(&(struct timeline){"run", "job 7", &host, 1, 8 * SECOND});
    assert_is_xml();
    assert_has("<path class=\"w\" d=\"M241.3 116h202.5v14h-202.5z\"/>");
    assert_has("<g class=\"c\">\n<path d=\"M140 119.5h405v7h-405z\">");
    assert_has("\nforetold 1.000 to 3.000 s</title>");
    assert_has(">foretold, behind it</text>");
}
END_TEST

START_TEST(whatever_names_hold_it_is_xml) {
    struct timeline_host host = {
        "<a & \"b\">\x01\xff", "s<i>te", "g&r\"oup", "\x1b[31m\n\xef\xbf\xbf", 0, SECOND, UNPLANNED,
        TIMELINE_FAILED};
    struct timeline_host left = host;
    left.start_us = NEVER;
    left.end = TIMELINE_SKIPPED;
    const struct timeline_host both[] = {host, left};
    write(&(struct timeline){"<title> & \x02", "\"]]>\"", both, 2, SECOND});
    assert_is_xml();
    assert_has("&lt;a &amp; &quot;b&quot;&gt;??");
}
END_TEST

START_TEST(a_run_of_which_there_is_nothing_to_show_is_a_picture) {
    write(&(struct timeline){"nothing", "job 7", NULL, 0, 0});
    assert_is_xml();
    write(&(struct timeline){"nothing yet", "job 7", &hosts[7], 1, 0});
    assert_is_xml();
    assert_has(">1 waiting<");
    write(&(struct timeline){"in no time", "job 7", &hosts[0], 1, 0});
    assert_is_xml();
    ck_assert_uint_eq(times("nan"), 0);
    ck_assert_uint_eq(times("inf"), 0);
}
END_TEST

// As after a canary that failed: one ring, and the number.
START_TEST(of_many_that_never_began_their_number_is_told) {
    struct timeline_host many[12];
    char names[12][8];
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(names[i], sizeof names[i], "leaf%02zu", i);
        many[i] = (struct timeline_host){names[i], NULL, "leaves",  "canaries: edge0 failed",
                                         NEVER,    0,    UNPLANNED, TIMELINE_SKIPPED};
    }
    write(&(struct timeline){"stopped", "job 7", many, COUNT(many), SECOND});
    assert_is_xml();
    assert_has("leaf08, leaf09, … (12)\nskipped: canaries: edge0 failed</title>");
    assert_has(">12</text>");
    ck_assert_uint_eq(times("href=\"#r\" x=\"150.0\""), 1);
}
END_TEST

enum { GROUPS = 400, MEMBERS = 2 * GROUPS, FILE_MAX = 2000000 };

// Too low for a name each: those of groups in which something went wrong are written, and none over
// another.
START_TEST(a_large_network_names_the_groups_that_somebody_will_look_for) {
    static struct timeline_host large[MEMBERS];
    static char names[MEMBERS][16], groups[GROUPS][16];
    for (size_t i = 0; i < MEMBERS; i++) {
        const bool fails = i == 100 || i == 102 || i == 700;
        snprintf(names[i], sizeof names[i], "leaf%03zu", i);
        snprintf(groups[i / 2], sizeof groups[0], "rack%03zu", i / 2);
        large[i] = (struct timeline_host){
            names[i], NULL,           groups[i / 2], NULL,
            i * 1000, i * 1000 + 900, UNPLANNED,     fails ? TIMELINE_FAILED : TIMELINE_CHANGED};
    }
    write(&(struct timeline){"large", "job 7", large, COUNT(large), SECOND});
    assert_is_xml();
    ck_assert_uint_eq(times(">rack050</text>"), 1);
    ck_assert_uint_eq(times(">rack051</text>"), 0); // no room so near
    ck_assert_uint_eq(times(">rack350</text>"), 1);
    ck_assert_uint_eq(times(">rack"), 2);
    ck_assert_uint_eq(times("href=\"#x\""), 3 + 1); // and in the legend
    assert_has("height=\"1740\"");
}
END_TEST

START_TEST(a_run_that_is_too_large_is_refused) {
    struct timeline_host *many = mem_array(TIMELINE_HOSTS_MAX + 1, sizeof *many);
    struct error err;
    for (size_t i = 0; i <= TIMELINE_HOSTS_MAX; i++)
        many[i] = (struct timeline_host){"host.of.a.name.that.is.as.long.as.many.are",
                                         "site",
                                         NULL,
                                         NULL,
                                         i * 1000,
                                         i * 1000 + 5000,
                                         UNPLANNED,
                                         TIMELINE_CHANGED};
    struct timeline t = {"large", "job 7", many, TIMELINE_HOSTS_MAX + 1, 20 * SECOND};
    ck_assert_int_eq(timeline_write(&t, &out, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "a timeline shows 10000 hosts at most, and this run has 10001");
    ck_assert_uint_eq(out.len, 0);
    t.count = TIMELINE_HOSTS_MAX;
    write(&t);
    ck_assert_uint_lt(out.len, FILE_MAX);
    free(many);
}
END_TEST

Suite *check_timeline(void) {
    Suite *suite = suite_create("timeline");
    TCase *tcase = tcase_create("timeline");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_device_is_a_bar_from_its_start_to_its_end);
    tcase_add_test(tcase, what_became_of_a_device_has_a_mark_of_its_own);
    tcase_add_test(tcase, it_says_what_it_shows);
    tcase_add_test(tcase, the_same_run_is_the_same_picture);
    tcase_add_test(tcase, a_run_is_laid_over_its_forecast);
    tcase_add_test(tcase, whatever_names_hold_it_is_xml);
    tcase_add_test(tcase, a_run_of_which_there_is_nothing_to_show_is_a_picture);
    tcase_add_test(tcase, of_many_that_never_began_their_number_is_told);
    tcase_add_test(tcase, a_large_network_names_the_groups_that_somebody_will_look_for);
    tcase_add_test(tcase, a_run_that_is_too_large_is_refused);
    return suite;
}
