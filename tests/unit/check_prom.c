#include "common/prom.h"
#include "common/prom_process.h"
#include "tests/unit/support.h"

#include <math.h>

Suite *check_prom(void);

START_TEST(the_accept_header_decides_the_form) {
    static const struct {
        const char *accept;
        enum prom_format format;
    } cases[] = {
        {NULL, PROM_TEXT},
        {"", PROM_TEXT},
        {"*/*", PROM_TEXT},                                                             // curl
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PROM_TEXT}, // a browser
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
         "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         PROM_OPENMETRICS}, // Prometheus 2.42
        {"application/openmetrics-text; version=1.0.0", PROM_OPENMETRICS},
        {"Application/OpenMetrics-Text", PROM_OPENMETRICS},
        {"application/openmetrics-text;version=0.0.1", PROM_TEXT}, // one that is not offered
        {"application/openmetrics-text;version=0.0.1,text/plain;q=0.5", PROM_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.9", PROM_TEXT},
        {"application/openmetrics-text;q=0.9,text/plain;q=0.5", PROM_OPENMETRICS},
        {"text/plain;q=0.5 , application/openmetrics-text;q=0.9", PROM_OPENMETRICS},
        {"application/openmetrics-text;q=0.9,text/*;q=1", PROM_TEXT},
        {"application/openmetrics-text;q=0", PROM_TEXT},
        {"application/openmetrics-text;q=0.5,*/*;q=0.1", PROM_OPENMETRICS},
        {"application/*", PROM_TEXT},
        {"text/plain", PROM_TEXT},
        // The highest weight wins whatever the order, and the closest range gives it.
        {"text/plain;version=1.0.0;q=0.1,text/plain;version=0.0.4;q=0.9,"
         "application/openmetrics-text;version=1.0.0;q=0.5",
         PROM_TEXT},
        {"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9,"
         "text/plain;version=1.0.0;q=0.1",
         PROM_TEXT},
        {"text/plain;q=0.9,text/plain;version=0.0.4;q=0.1,application/openmetrics-text;q=0.5",
         PROM_OPENMETRICS},
        {"application/openmetrics-text;q=0.3,text/plain;q=0.5,application/openmetrics-text;q=0.8",
         PROM_OPENMETRICS},
        {"application/openmetrics-text;q=0.8,text/plain;q=0.5,application/openmetrics-text;q=0.3",
         PROM_OPENMETRICS},
        {"application/openmetrics-text;version=\"1.0.0\";q=0.9,text/plain;q=0.5", PROM_OPENMETRICS},
        {"application/openmetrics-text;version=11.0.0,text/plain;q=0.1", PROM_TEXT},
        {"application/openmetrics-text ; version=1.0.0 ; q=0.9 , text/plain ; q=0.8",
         PROM_OPENMETRICS},
        {"text/plain;x=\",application/openmetrics-text\";q=1,application/openmetrics-text;q=0.9",
         PROM_TEXT},
        {"text/plain;x=\";q=0\",application/openmetrics-text;q=0.9", PROM_TEXT},
        {"application/openmetrics-text;q=nan", PROM_TEXT},
        {"application/openmetrics-text;q=2", PROM_TEXT},
        {"application/openmetrics-text;q=", PROM_TEXT},
        {"application/openmetrics-text;q=-1", PROM_TEXT},
        {"application/openmetrics-text;q=0.001,text/plain;q=0", PROM_OPENMETRICS},
        {",,;q=,/", PROM_TEXT},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(prom_negotiate(cases[i].accept) == cases[i].format, "%s", cases[i].accept);
}
END_TEST

START_TEST(an_element_too_long_is_passed_over) {
    struct buf accept = {0};
    buf_adds(&accept, "application/");
    for (int i = 0; i < 500; i++)
        buf_adds(&accept, "x");
    ck_assert_int_eq(prom_negotiate(accept.data), PROM_TEXT);
    buf_adds(&accept, ",application/openmetrics-text");
    ck_assert_int_eq(prom_negotiate(accept.data), PROM_OPENMETRICS);
    buf_deinit(&accept);
}
END_TEST

START_TEST(the_content_type_is_the_forms) {
    ck_assert_str_eq(prom_content_type(PROM_TEXT), "text/plain; version=0.0.4; charset=utf-8");
    ck_assert_str_eq(prom_content_type(PROM_OPENMETRICS),
                     "application/openmetrics-text; version=1.0.0; charset=utf-8");
}
END_TEST

static char *two_families(enum prom_format format) {
    struct buf out = {0};
    struct prom_writer w = {&out, format};
    prom_family(&w, "jobs", PROM_COUNTER, "Jobs so far");
    prom_sample(&w, "jobs_total", "site=\"earth\"", 3);
    prom_family(&w, "busy", PROM_GAUGE, "Busy now");
    prom_sample(&w, "busy", NULL, 0.25);
    prom_end(&w);
    return buf_take(&out);
}

START_TEST(the_forms_differ_in_the_counters_family_and_the_end) {
    char *text = two_families(PROM_TEXT), *openmetrics = two_families(PROM_OPENMETRICS);
    ck_assert_str_eq(text, "# HELP jobs_total Jobs so far\n# TYPE jobs_total counter\n"
                           "jobs_total{site=\"earth\"} 3.0\n"
                           "# HELP busy Busy now\n# TYPE busy gauge\nbusy 0.25\n");
    ck_assert_str_eq(openmetrics, "# HELP jobs Jobs so far\n# TYPE jobs counter\n"
                                  "jobs_total{site=\"earth\"} 3.0\n"
                                  "# HELP busy Busy now\n# TYPE busy gauge\nbusy 0.25\n# EOF\n");
    free(text);
    free(openmetrics);
}
END_TEST

START_TEST(values_are_printed_as_pythons_client_prints_them) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "x 0.0\n"},
        {1, "x 1.0\n"},
        {-3, "x -3.0\n"},
        {848, "x 848.0\n"},
        {0.005, "x 0.005\n"},
        {0.1, "x 0.1\n"},
        {1.0 / 3, "x 0.3333333333333333\n"},
        {999999999999999, "x 999999999999999.0\n"},
        {1591734190.331, "x 1591734190.331\n"},
        {INFINITY, "x +Inf\n"},
        {-INFINITY, "x -Inf\n"},
        {NAN, "x NaN\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = {0};
        struct prom_writer w = {&out, PROM_TEXT};
        prom_sample(&w, "x", NULL, cases[i].value);
        ck_assert_str_eq(out.data, cases[i].text);
        buf_deinit(&out);
    }
}
END_TEST

START_TEST(label_values_are_escaped) {
    struct buf labels = {0};
    prom_label(&labels, "a", "x\"y\\z\nw");
    prom_label(&labels, "b", "");
    ck_assert_str_eq(labels.data, "a=\"x\\\"y\\\\z\\nw\",b=\"\"");
    buf_deinit(&labels);
}
END_TEST

START_TEST(a_histogram_is_cumulative_and_its_bounds_are_included) {
    static const double bounds[] = {0.5, 1, 10};
    struct prom_histogram h;
    struct buf out = {0};
    struct prom_writer w = {&out, PROM_TEXT};
    prom_histogram_init(&h, bounds, COUNT(bounds));
    static const double values[] = {0, 0.5, 0.75, 1, 10, 11};
    for (size_t i = 0; i < COUNT(values); i++)
        prom_observe(&h, values[i]);
    prom_histogram_write(&w, "h", &h);
    ck_assert_str_eq(out.data, "h_bucket{le=\"0.5\"} 2.0\n"
                               "h_bucket{le=\"1.0\"} 4.0\n"
                               "h_bucket{le=\"10.0\"} 5.0\n"
                               "h_bucket{le=\"+Inf\"} 6.0\n"
                               "h_sum 23.25\n"
                               "h_count 6.0\n");
    buf_deinit(&out);
    prom_histogram_deinit(&h);
}
END_TEST

START_TEST(the_process_tells_of_itself) {
    static const char *const names[] = {
        "\nprocess_cpu_seconds_total ",
        "\nprocess_virtual_memory_bytes ",
        "\nprocess_resident_memory_bytes ",
        "\nprocess_start_time_seconds ",
        "\nprocess_open_fds ",
        "\nprocess_max_fds ",
    };
    struct buf out = {0};
    struct prom_writer w = {&out, PROM_TEXT};
    prom_process(&w);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *sample = strstr(out.data, names[i]);
        ck_assert_msg(sample != NULL, "%s", names[i]);
        double value = strtod(sample + strlen(names[i]), NULL);
        ck_assert_msg(i == 0 ? value >= 0 : value > 0, "%s%g", names[i], value);
    }
    buf_deinit(&out);
}
END_TEST

Suite *check_prom(void) {
    Suite *suite = suite_create("prom");
    TCase *tcase = tcase_create("prom");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, the_accept_header_decides_the_form);
    tcase_add_test(tcase, an_element_too_long_is_passed_over);
    tcase_add_test(tcase, the_content_type_is_the_forms);
    tcase_add_test(tcase, the_forms_differ_in_the_counters_family_and_the_end);
    tcase_add_test(tcase, values_are_printed_as_pythons_client_prints_them);
    tcase_add_test(tcase, label_values_are_escaped);
    tcase_add_test(tcase, a_histogram_is_cumulative_and_its_bounds_are_included);
    tcase_add_test(tcase, the_process_tells_of_itself);
    return suite;
}
