#include "common/folder.h"

#include "tests/unit/support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_folder(void);

static char folder[128];

static void make(void) {
    struct error err;
    int rc = folder_make(folder, sizeof folder, "unit", &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static const char *inside(const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

START_TEST(it_is_its_owners_alone_and_another_each_time) {
    char first[sizeof folder];
    struct stat status;
    make();
    ck_assert_int_eq(stat(folder, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    memcpy(first, folder, sizeof first);
    make();
    ck_assert_str_ne(first, folder);
    folder_remove(first);
    folder_remove(folder);
}
END_TEST

START_TEST(it_is_removed_with_all_in_it_and_no_link_is_followed) {
    char kept[sizeof folder];
    make();
    memcpy(kept, folder, sizeof kept);
    make();
    ck_assert_int_eq(mkdir(inside("a"), 0700), 0);
    ck_assert_int_eq(mkdir(inside("a/b"), 0700), 0);
    ck_assert_int_eq(symlink(kept, inside("a/b/link")), 0);
    folder_remove(folder);
    ck_assert_int_ne(access(folder, F_OK), 0);
    ck_assert_int_eq(access(kept, F_OK), 0);
    folder_remove(kept);
    folder_remove(kept); // there is none
}
END_TEST

START_TEST(where_it_cannot_be_made_the_error_says_so) {
    char small[8];
    struct error err;
    setenv("TMPDIR", "/nowhere", 1);
    ck_assert_int_ne(folder_make(folder, sizeof folder, "unit", &err), 0);
    ck_assert_msg(strstr(err.text, "/nowhere/unit-") == err.text, "%s", err.text);
    ck_assert_int_ne(folder_make(small, sizeof small, "unit", &err), 0);
    ck_assert_str_eq(err.text, "TMPDIR=/nowhere: it is too long");
}
END_TEST

Suite *check_folder(void) {
    Suite *suite = suite_create("folder");
    TCase *tcase = tcase_create("folders");
    tcase_add_test(tcase, it_is_its_owners_alone_and_another_each_time);
    tcase_add_test(tcase, it_is_removed_with_all_in_it_and_no_link_is_followed);
    tcase_add_test(tcase, where_it_cannot_be_made_the_error_says_so);
    suite_add_tcase(suite, tcase);
    return suite;
}
