#include "orchestrator/store_where.h"
#include "tests/unit/support.h"

#include <string.h>

Suite *check_store_where(void);

static void assert_shown(const char *where, const char *expected) {
    char shown[STORE_SHOWN_MAX];
    store_where_show(where, shown);
    ck_assert_str_eq(shown, expected);
}

START_TEST(a_place_is_memory_a_database_or_a_file) {
    ck_assert(store_where_is_memory("none"));
    ck_assert(!store_where_is_memory("none.db"));
    ck_assert(store_where_is_postgres("postgresql://"));
    ck_assert(store_where_is_postgres("postgres://db/orchestrator"));
    ck_assert(store_where_is_postgres("PostgreSQL://db"));
    ck_assert(!store_where_is_postgres("postgresql:/db"));
    ck_assert(!store_where_is_postgres("./postgresql://db"));
    ck_assert(!store_where_is_postgres("host=db dbname=orchestrator"));
}
END_TEST

START_TEST(a_place_without_a_password_is_shown_as_it_was_given) {
    static const char *const places[] = {
        "orchestrator.db",
        "/var/lib/a@b:c/x?password=y", // a file may be named so
        "postgresql://",
        "postgresql:///orchestrator",
        "postgresql://db.example.org:5433/orchestrator?sslmode=verify-full&connect_timeout=3",
        "postgres://noc@db1,db2/orchestrator?target_session_attrs=read-write",
        "postgresql://noc@/orchestrator?host=/var/run/postgresql",
        "postgresql://[2001:db8::1]:5432/orchestrator",
    };
    for (size_t i = 0; i < COUNT(places); i++)
        assert_shown(places[i], places[i]);
}
END_TEST

START_TEST(no_password_is_shown_wherever_it_stands) {
    static const struct {
        const char *where, *shown;
    } table[] = {
        {"postgresql://noc:secret@db/o", "postgresql://noc@db/o"},
        {"postgresql://:secret@db/o", "postgresql://@db/o"},
        {"postgresql://noc:s%40cret@db", "postgresql://noc@db"},
        // Not what libpq takes, but nobody is to see it.
        {"postgresql://noc:secret@x@db/o", "postgresql://noc@db/o"},
        {"postgresql://noc:sec/ret@db/o", "postgresql://noc@db/o"},
        {"postgresql://db/o?password=secret", "postgresql://db/o"},
        {"postgresql://db/o?user=a&password=secret&sslmode=require",
         "postgresql://db/o?user=a&sslmode=require"},
        {"postgresql://db/o?PASSWORD=secret&user=a", "postgresql://db/o?user=a"},
        {"postgresql://db/o?pass%77ord=secret&user=a", "postgresql://db/o?user=a"},
        {"postgresql://db/o?sslpassword=secret", "postgresql://db/o"},
        {"postgresql://db/o?user=a&&", "postgresql://db/o?user=a&"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        assert_shown(table[i].where, table[i].shown);
}
END_TEST

START_TEST(a_long_place_is_cut_between_characters) {
    char where[500] = "postgresql://db/", shown[STORE_SHOWN_MAX];
    while (strlen(where) < 400)
        strcat(where, "\xc3\xa4");
    store_where_show(where, shown);
    ck_assert_uint_eq(strlen(shown), STORE_SHOWN_MAX - 2); // one more would be half a character
    ck_assert_mem_eq(shown, where, STORE_SHOWN_MAX - 2);
}
END_TEST

Suite *check_store_where(void) {
    Suite *suite = suite_create("store_where");
    TCase *tcase = tcase_create("store_where");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_place_is_memory_a_database_or_a_file);
    tcase_add_test(tcase, a_place_without_a_password_is_shown_as_it_was_given);
    tcase_add_test(tcase, no_password_is_shown_wherever_it_stands);
    tcase_add_test(tcase, a_long_place_is_cut_between_characters);
    return suite;
}
