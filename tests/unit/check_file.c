#include "common/file.h"
#include "common/yml.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *check_file(void);

static char path[] = "/tmp/check_file_XXXXXX";

static void write_file(const char *bytes, size_t len) {
    strcpy(path + sizeof path - 7, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);
        ck_assert_int_gt(n, 0);
        done += (size_t)n;
    }
    close(fd);
}

START_TEST(a_file_is_appended_whole) {
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 200000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *bytes = mem_alloc(sizes[i]);
        for (size_t b = 0; b < sizes[i]; b++)
            bytes[b] = (char)(b * 7 % 251);
        write_file(bytes, sizes[i]);
        struct buf out = {0};
        struct error err;
        buf_adds(&out, "before:");
        ck_assert_int_eq(file_read(path, &out, &err), 0);
        ck_assert_uint_eq(out.len, 7 + sizes[i]);
        ck_assert_int_eq(memcmp(out.data + 7, bytes, sizes[i]), 0);
        ck_assert_int_eq(out.data[out.len], '\0');
        unlink(path);
        buf_deinit(&out);
        free(bytes);
    }
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named) {
    struct buf out = {0};
    struct error err;
    ck_assert_int_eq(file_read("/nonexistent/a.yaml", &out, &err), -ENOENT);
    ck_assert_str_eq(err.text, "/nonexistent/a.yaml: No such file or directory");
    ck_assert_int_eq(file_read("/tmp", &out, &err), -EISDIR);
    ck_assert_str_eq(err.text, "/tmp: Is a directory");
    ck_assert_int_eq(file_read("/dev/zero", &out, &err), ERROR_INPUT);
    ck_assert_str_eq(err.text, "/dev/zero: it is a device or a socket, not a file");
    ck_assert_uint_eq(out.len, 0);
    buf_deinit(&out);
}
END_TEST

START_TEST(a_file_is_bounded) {
    struct buf out = {0};
    struct error err;
    write_file("1234567", 7);
    ck_assert_int_eq(file_read_max(path, 7, &out, &err), 0);
    ck_assert_int_eq(file_read_max(path, 6, &out, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, ": it is larger than 6 bytes"));
    // A file of nothing but holes takes no space on the disk.
    ck_assert_int_eq(truncate(path, (off_t)FILE_BYTES_MAX + 1), 0);
    ck_assert_int_eq(file_read(path, &out, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, ": it is larger than 134217728 bytes"));
    unlink(path);
    buf_deinit(&out);
}
END_TEST

START_TEST(a_probe_says_what_reading_would) {
    struct error err;
    write_file("", 0);
    ck_assert_int_eq(file_probe(path, FILE_BYTES_MAX, &err), 0);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); // that nobody writes to
    ck_assert_int_eq(file_probe(path, FILE_BYTES_MAX, &err), 0);
    unlink(path);
    ck_assert_int_eq(file_probe(path, FILE_BYTES_MAX, &err), -ENOENT);
    ck_assert_int_eq(file_probe("/tmp", FILE_BYTES_MAX, &err), -EISDIR);
    ck_assert_str_eq(err.text, "/tmp: Is a directory");
    ck_assert_int_eq(file_probe("/dev/zero", FILE_BYTES_MAX, &err), ERROR_INPUT);
}
END_TEST

START_TEST(yaml_is_loaded_from_a_file_and_named_by_its_path) {
    struct yml y = {0};
    struct error err;
    write_file("a: 1\n", 5);
    ck_assert_int_eq(yml_load(&y, path, &err), 0);
    ck_assert_int_eq(cJSON_GetObjectItem(y.root, "a")->valueint, 1);
    yml_deinit(&y);
    unlink(path);
    write_file("a: [\n", 5);
    ck_assert_int_eq(yml_load(&y, path, &err), ERROR_INPUT);
    ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
    unlink(path);
    write_file("", 0);
    ck_assert_int_eq(yml_load(&y, path, &err), ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "it is empty"));
    unlink(path);
    ck_assert_int_lt(yml_load(&y, "/nonexistent", &err), 0);
}
END_TEST

START_TEST(a_file_names_what_lies_beside_it) {
    static const char *const rows[][3] = {
        {"a/b.yaml", "c.yaml", "a/c.yaml"},     {"a/b.yaml", "../c", "a/../c"},
        {"a/b.yaml", "/c/d.yaml", "/c/d.yaml"}, {"/b.yaml", "c", "/c"},
        {"b.yaml", "c.yaml", "c.yaml"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *found = file_beside(rows[i][0], rows[i][1]);
        ck_assert_str_eq(found, rows[i][2]);
        free(found);
    }
}
END_TEST

START_TEST(an_absolute_path_means_the_same_wherever_it_is_used) {
    char here[4096], expected[4200];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(expected, sizeof expected, "%s/a/../b", here);
    char *relative = file_absolute("a/../b"), *absolute = file_absolute("/a/b");
    ck_assert_str_eq(relative, expected);
    ck_assert_str_eq(absolute, "/a/b");
    free(relative);
    free(absolute);
}
END_TEST

START_TEST(a_file_is_written_anew) {
    static const char bytes[] = "a\0b\n";
    struct buf text = {0}, out = {0};
    struct error err;
    write_file("what was there before", 21);
    ck_assert_int_eq(file_write(path, &text, &err), 0);
    ck_assert_int_eq(file_read(path, &out, &err), 0);
    ck_assert_uint_eq(out.len, 0);
    buf_add(&text, bytes, 4);
    ck_assert_int_eq(file_write(path, &text, &err), 0);
    ck_assert_int_eq(file_read(path, &out, &err), 0);
    ck_assert_uint_eq(out.len, 4);
    ck_assert_int_eq(memcmp(out.data, bytes, 4), 0);
    unlink(path);
    ck_assert_int_eq(file_write("/nonexistent/a.svg", &text, &err), -ENOENT);
    ck_assert_str_eq(err.text, "/nonexistent/a.svg: No such file or directory");
    ck_assert_int_eq(file_write("/dev/full", &text, &err), -ENOSPC);
    ck_assert_str_eq(err.text, "/dev/full: No space left on device");
    buf_deinit(&text);
    buf_deinit(&out);
}
END_TEST

Suite *check_file(void) {
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_file_is_appended_whole);
    tcase_add_test(tcase, a_file_that_cannot_be_read_is_named);
    tcase_add_test(tcase, a_file_is_bounded);
    tcase_add_test(tcase, a_probe_says_what_reading_would);
    tcase_add_test(tcase, a_file_names_what_lies_beside_it);
    tcase_add_test(tcase, an_absolute_path_means_the_same_wherever_it_is_used);
    tcase_add_test(tcase, yaml_is_loaded_from_a_file_and_named_by_its_path);
    tcase_add_test(tcase, a_file_is_written_anew);
    return suite;
}
