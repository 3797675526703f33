#include "orchestrator/store_file.h"
#include "tests/unit/stores.h"

Suite *check_store_file(void);

enum { APPLICATION = 0x6f726368, VERSION = 3 };

START_TEST(file_systems_of_other_machines_are_known_by_name) {
    static const struct {
        long type;
        const char *name;
    } cases[] = {
        {0x6969, "NFS"},      {0xff534d42, "SMB"},       {(int)0xff534d42, "SMB"},
        {0xfe534d42, "SMB"},  {0x517b, "SMB"},           {0x65735546, "FUSE"},
        {0x5346414f, "AFS"},  {0x00c36400, "Ceph"},      {0x01021997, "9P"},
        {0x73757245, "Coda"}, {0xef53, NULL /* ext4 */}, {0x01021994, NULL /* tmpfs */},
        {0x9123683e, NULL},   {0x58465342, NULL},        {0x794c7630, NULL /* overlayfs */},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = store_file_remote(cases[i].type);
        ck_assert_msg((name == NULL) == (cases[i].name == NULL), "%lx", cases[i].type);
        if (name != NULL) ck_assert_str_eq(name, cases[i].name);
    }
}
END_TEST

static void put_number(unsigned char *header, size_t at, uint32_t n) {
    for (size_t i = 0; i < 4; i++)
        header[at + i] = (unsigned char)(n >> (24 - 8 * i));
}

START_TEST(a_file_is_judged_by_what_it_begins_with) {
    static const struct {
        const char *magic;
        size_t len;
        uint32_t application, version;
        const char *error; // NULL: it may be used
    } cases[] = {
        {"", 0, 0, 0, NULL},
        {"SQLite format 3", 100, APPLICATION, 0, NULL},
        {"SQLite format 3", 100, APPLICATION, 3, NULL},
        {"SQLite format 3", 100, APPLICATION, 4,
         "x.db was written by a newer orchestrator (schema 4; this one knows 3): use that one, or "
         "another --state FILE"},
        {"SQLite format 3", 100, APPLICATION, 0xffffffff,
         "x.db was written by a newer orchestrator (schema 4294967295; this one knows 3): use that "
         "one, or another --state FILE"},
        {"SQLite format 3", 100, 0, 0,
         "x.db is a database of another program: use another --state FILE"},
        {"SQLite format 3", 100, APPLICATION + 1, 3,
         "x.db is a database of another program: use another --state FILE"},
        {"SQLite format 3", 99, APPLICATION, 3,
         "x.db is no store of an orchestrator: use another --state FILE"},
        {"SQLite format 4", 100, APPLICATION, 3,
         "x.db is no store of an orchestrator: use another --state FILE"},
        {"{\"hosts\": []}", 14, APPLICATION, 3,
         "x.db is no store of an orchestrator: use another --state FILE"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char header[STORE_HEADER] = "";
        struct error err = {0};
        memcpy(header, cases[i].magic, strlen(cases[i].magic));
        put_number(header, 60, cases[i].version);
        put_number(header, 68, cases[i].application);
        int rc = store_file_judge(header, cases[i].len, "x.db", APPLICATION, VERSION, &err);
        ck_assert_int_eq(rc != 0, cases[i].error != NULL);
        if (rc != 0) ck_assert_str_eq(err.text, cases[i].error);
    }
}
END_TEST

START_TEST(a_file_that_was_made_and_is_not_used_is_removed) {
    struct store_place place;
    struct store_file file;
    struct error err;
    place = store_place_make();
    ck_assert_int_eq(store_file_open(&file, place.file, APPLICATION, VERSION, &err), 0);
    ck_assert(file.is_made && store_file_is_there(&file));
    store_file_close(&file, false);
    ck_assert_int_ne(access(place.file, F_OK), 0);
    ck_assert_int_eq(store_file_open(&file, place.file, APPLICATION, VERSION, &err), 0);
    store_file_close(&file, true);
    ck_assert_int_eq(store_file_open(&file, place.file, APPLICATION, VERSION, &err), 0);
    ck_assert(!file.is_made);
    store_file_close(&file, false);
    ck_assert_int_eq(access(place.file, F_OK), 0); // it was there before
    store_place_remove(&place);
}
END_TEST

START_TEST(that_the_file_was_removed_or_replaced_is_seen) {
    struct store_place place;
    struct store_file file, other;
    struct error err;
    place = store_place_make();
    ck_assert_int_eq(store_file_open(&file, place.file, APPLICATION, VERSION, &err), 0);
    unlink(place.file);
    ck_assert(!store_file_is_there(&file));
    ck_assert_int_eq(store_file_open(&other, place.file, APPLICATION, VERSION, &err), 0);
    ck_assert(!store_file_is_there(&file));
    ck_assert(store_file_is_there(&other));
    store_file_close(&other, true);
    store_file_close(&file, true);
    store_place_remove(&place);
}
END_TEST

Suite *check_store_file(void) {
    Suite *suite = suite_create("store_file");
    TCase *tcase = tcase_create("store_file");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, file_systems_of_other_machines_are_known_by_name);
    tcase_add_test(tcase, a_file_is_judged_by_what_it_begins_with);
    tcase_add_test(tcase, a_file_that_was_made_and_is_not_used_is_removed);
    tcase_add_test(tcase, that_the_file_was_removed_or_replaced_is_seen);
    return suite;
}
