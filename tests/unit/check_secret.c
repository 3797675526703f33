#include "common/secret.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_secret(void);

#define TEXT(s) s, sizeof s - 1 // NOLINT(bugprone-macro-parentheses): two arguments

static const struct {
    const char *text;
    size_t len;
    const char *secret, *why; // one of them
} files[] = {
    {TEXT("admin\n"), "admin", NULL},
    {TEXT("admin"), "admin", NULL},
    {TEXT("admin\r\n"), "admin", NULL},
    {TEXT("admin\nsecond line \xff\0"), "admin", NULL},
    {TEXT(" pass \"word\" \xc3\xa9\n"), " pass \"word\" \xc3\xa9", NULL},
    {TEXT(""), NULL, "it is empty: write the password into its first line"},
    {TEXT("\n"), NULL, "its first line is empty: write the password into it"},
    {TEXT("\r\nadmin\n"), NULL, "its first line is empty: write the password into it"},
    {TEXT("\xef\xbb\xbf"
          "admin\n"),
     NULL, "it begins with a byte order mark: save it as UTF-8 without BOM"},
    {TEXT("\xff\xfe"
          "a\0d\0m\0i\0n\0\n\0"),
     NULL, "it is UTF-16: save it as UTF-8"},
    {TEXT("\xfe\xff\0a\0d\0\n"), NULL, "it is UTF-16: save it as UTF-8"},
    {TEXT("a\0d\0m\0i\0n\0\n\0"), NULL, "byte 2 is a NUL: save it as UTF-8, not as UTF-16"},
    {TEXT("admin\0"), NULL, "byte 6 is a NUL: save it as UTF-8, not as UTF-16"},
    {TEXT("caf\xe9\n"), NULL, "byte 4 is not UTF-8: save it as UTF-8, not as Latin-1"},
    {TEXT("ad\x1bmin\n"), NULL, "byte 3 is a control character: remove it"},
    {TEXT("ad\rmin\n"), NULL, "byte 3 is a control character: remove it"},
    {TEXT("admin\x7f\n"), NULL, "byte 6 is a control character: remove it"},
};

START_TEST(a_password_is_what_its_writer_meant_or_refused_with_the_remedy) {
    char *secret = NULL;
    struct error err = {0};
    int rc = secret_parse(files[_i].text, files[_i].len, &secret, &err);
    ck_assert_int_eq(rc, files[_i].secret == NULL ? ERROR_INPUT : 0);
    if (rc == 0)
        ck_assert_str_eq(secret, files[_i].secret);
    else
        ck_assert_str_eq(err.text, files[_i].why);
    free(secret);
}
END_TEST

START_TEST(a_password_is_bounded) {
    char text[SECRET_MAX + 1], *secret = NULL;
    struct error err;
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(secret_parse(text, SECRET_MAX, &secret, &err), 0);
    ck_assert_uint_eq(strlen(secret), SECRET_MAX);
    free(secret);
    ck_assert_int_eq(secret_parse(text, SECRET_MAX + 1, &secret, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "its first line has 1025 bytes: a password has 1024 at most");
}
END_TEST

START_TEST(a_file_is_named_in_what_is_wrong) {
    char path[] = "/tmp/check_secret_XXXXXX", expected[200], *secret = NULL;
    struct error err;
    int fd = mkstemp(path);
    ck_assert_int_eq(secret_load(path, &secret, &err), ERROR_INPUT);
    snprintf(expected, sizeof expected, "%s: it is empty: write the password into its first line",
             path);
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq((int)write(fd, "admin\n", 6), 6);
    ck_assert_int_eq(secret_load(path, &secret, &err), 0);
    ck_assert_str_eq(secret, "admin");
    free(secret);
    close(fd);
    unlink(path);
    ck_assert_int_eq(secret_load("/nonexistent", &secret, &err), -ENOENT);
    ck_assert_int_eq(secret_load("/tmp", &secret, &err), -EISDIR);
    ck_assert_int_eq(secret_load("/dev/zero", &secret, &err), ERROR_INPUT);
}
END_TEST

static const struct {
    const char *text, *why; // NULL: it is well
} texts[] = {
    {" pass \"word\" \xc3\xa9", NULL},
    {"", "it is empty"},
    {"caf\xe9", "byte 4 is not UTF-8: save it as UTF-8, not as Latin-1"},
    {"two\nlines", "byte 4 is a control character: remove it"},
};

START_TEST(a_text_of_a_document_is_a_secret_or_refused_without_being_told) {
    struct error err = {0};
    ck_assert_int_eq(secret_check(texts[_i].text, &err), texts[_i].why == NULL ? 0 : ERROR_INPUT);
    if (texts[_i].why != NULL) ck_assert_str_eq(err.text, texts[_i].why);
}
END_TEST

START_TEST(a_text_of_a_document_is_bounded) {
    char text[SECRET_MAX + 2] = {0};
    struct error err;
    memset(text, 'x', SECRET_MAX);
    ck_assert_int_eq(secret_check(text, &err), 0);
    text[SECRET_MAX] = 'x';
    ck_assert_int_eq(secret_check(text, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "it has 1025 bytes: 1024 at most are allowed");
}
END_TEST

static const struct {
    mode_t mode;
    bool is_private;
} modes[] = {{0600, true},  {0400, true},  {0700, true},  {0640, false}, {0660, false},
             {0604, false}, {0644, false}, {0620, false}, {0601, false}, {0610, false}};

START_TEST(a_file_is_its_owners_alone_or_refused_with_the_remedy) {
    char path[] = "/tmp/check_secret_XXXXXX", expected[200];
    struct buf text = {0};
    struct error err = {0};
    int fd = mkstemp(path);
    ck_assert_int_eq((int)write(fd, "admin\n", 6), 6);
    ck_assert_int_eq(fchmod(fd, modes[_i].mode), 0);
    const int rc = modes[_i].is_private ? 0 : ERROR_INPUT;
    ck_assert_int_eq(secret_check_private(path, &err), rc);
    snprintf(expected, sizeof expected, "%s: others may read it: chmod 600 %s", path, path);
    if (rc != 0) ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(secret_read_private(path, 100, &text, &err), rc);
    if (rc != 0) ck_assert_str_eq(err.text, expected);
    ck_assert_uint_eq(text.len, rc == 0 ? 6 : 0);
    close(fd);
    unlink(path);
    buf_deinit(&text);
}
END_TEST

START_TEST(a_private_file_that_is_not_there_or_too_large_is_told) {
    struct buf text = {0};
    struct error err;
    ck_assert_int_eq(secret_check_private("/nonexistent", &err), -ENOENT);
    ck_assert_int_eq(secret_read_private("/nonexistent", 100, &text, &err), -ENOENT);
    char path[] = "/tmp/check_secret_XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq((int)write(fd, "admin\n", 6), 6);
    ck_assert_int_eq(secret_read_private(path, 5, &text, &err), ERROR_INPUT);
    ck_assert_uint_eq(text.len, 0);
    close(fd);
    unlink(path);
    buf_deinit(&text);
}
END_TEST

Suite *check_secret(void) {
    Suite *suite = suite_create("secret");
    TCase *tc = tcase_create("secret");
    tcase_add_loop_test(tc, a_password_is_what_its_writer_meant_or_refused_with_the_remedy, 0,
                        COUNT(files));
    tcase_add_test(tc, a_password_is_bounded);
    tcase_add_test(tc, a_file_is_named_in_what_is_wrong);
    tcase_add_loop_test(tc, a_text_of_a_document_is_a_secret_or_refused_without_being_told, 0,
                        COUNT(texts));
    tcase_add_test(tc, a_text_of_a_document_is_bounded);
    tcase_add_loop_test(tc, a_file_is_its_owners_alone_or_refused_with_the_remedy, 0, COUNT(modes));
    tcase_add_test(tc, a_private_file_that_is_not_there_or_too_large_is_told);
    suite_add_tcase(suite, tc);
    return suite;
}
