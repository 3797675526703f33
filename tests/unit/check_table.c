#include "bench/table.h"
#include "tests/unit/support.h"

#include <math.h>

Suite *check_table(void);

static const struct table_column columns[] = {{"client", TABLE_TEXT}, {"ratio", 3}, {"runs", 0}};
static struct table table;

static void setup(void) {
    table_init(&table, "Ratios", columns, COUNT(columns));
    table_row(&table, "floor", NAN, 21.0);
    table_row(&table, "a, \"b\"", 1.23456, 5.0);
}

static void teardown(void) {
    table_deinit(&table);
}

START_TEST(columns_are_aligned_for_a_terminal) {
    struct buf out = {0};
    table_write(&table, &out);
    ck_assert_str_eq(out.data, "Ratios\n"
                               "  client  ratio  runs\n"
                               "  floor       -    21\n"
                               "  a, \"b\"  1.235     5\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(markdown_has_bars_and_a_ruler) {
    struct buf out = {0};
    table_write_markdown(&table, &out);
    ck_assert_str_eq(out.data, "Ratios\n\n"
                               "| client | ratio | runs |\n"
                               "|---|---:|---:|\n"
                               "| floor  |     - |   21 |\n"
                               "| a, \"b\" | 1.235 |    5 |\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(csv_quotes_what_needs_it_and_leaves_out_what_is_not_there) {
    struct buf out = {0};
    table_write_csv(&table, &out);
    ck_assert_str_eq(out.data, "client,ratio,runs\r\n"
                               "floor,,21\r\n"
                               "\"a, \"\"b\"\"\",1.23456,5\r\n");
    buf_deinit(&out);
}
END_TEST

START_TEST(json_has_a_row_for_each_row) {
    cJSON *json = table_json(&table);
    char *text = cJSON_PrintUnformatted(json);
    ck_assert_str_eq(text, "{\"title\":\"Ratios\",\"rows\":["
                           "{\"client\":\"floor\",\"ratio\":null,\"runs\":21},"
                           "{\"client\":\"a, \\\"b\\\"\",\"ratio\":1.23456,\"runs\":5}]}");
    cJSON_free(text);
    cJSON_Delete(json);
}
END_TEST

Suite *check_table(void) {
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, columns_are_aligned_for_a_terminal);
    tcase_add_test(tcase, markdown_has_bars_and_a_ruler);
    tcase_add_test(tcase, csv_quotes_what_needs_it_and_leaves_out_what_is_not_there);
    tcase_add_test(tcase, json_has_a_row_for_each_row);
    return suite;
}
