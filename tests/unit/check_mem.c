#include "tests/unit/support.h"

#include <signal.h>

Suite *check_mem(void);

START_TEST(a_document_in_scratch_memory_is_like_any_other) {
    for (int round = 0; round < 3; round++) {
        mem_scratch_begin();
        cJSON *json = json_of("{'a': [1, 'two', {'three': null}]}");
        char *text = cJSON_PrintUnformatted(json);
        ck_assert_str_eq(text, "{\"a\":[1,\"two\",{\"three\":null}]}");
        cJSON_free(text);
        cJSON_Delete(json);
        mem_scratch_end();
    }
}
END_TEST

START_TEST(a_document_that_is_larger_than_the_scratch_memory_has_room_all_the_same) {
    mem_scratch_begin();
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < 2000; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(i));
    ck_assert_int_eq(cJSON_GetArraySize(list), 2000);
    ck_assert_int_eq(cJSON_GetArrayItem(list, 1999)->valueint, 1999);
    cJSON_Delete(list);
    mem_scratch_end();
}
END_TEST

START_TEST(what_is_made_before_and_deleted_after_is_not_scratch) {
    cJSON *kept = json_of("{'version': '5.3.1'}");
    mem_scratch_begin();
    cJSON_Delete(json_of("['something else']"));
    mem_scratch_end();
    ck_assert_str_eq(cJSON_GetObjectItem(kept, "version")->valuestring, "5.3.1");
    cJSON_Delete(kept);
}
END_TEST

START_TEST(scratch_memory_is_not_nested) {
    mem_scratch_begin();
    mem_scratch_begin(); // aborts
}
END_TEST

START_TEST(an_array_grows_by_doubling_or_to_what_is_needed) {
    size_t cap = 0;
    int *numbers = NULL;
    for (int i = 0; i < 100; i++) {
        numbers = mem_grow(numbers, &cap, (size_t)i + 1, sizeof *numbers);
        ck_assert_uint_ge(cap, (size_t)i + 1);
        numbers[i] = i;
    }
    ck_assert_uint_eq(cap, 128);
    numbers = mem_grow(numbers, &cap, 1000, sizeof *numbers);
    ck_assert_uint_eq(cap, 1000);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(numbers[i], i);
    ck_assert_ptr_eq(mem_grow(numbers, &cap, 5, sizeof *numbers), numbers); // it never shrinks
    ck_assert_uint_eq(cap, 1000);
    free(numbers);
}
END_TEST

Suite *check_mem(void) {
    Suite *suite = suite_create("mem");
    TCase *tcase = tcase_create("mem");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_document_in_scratch_memory_is_like_any_other);
    tcase_add_test(tcase, a_document_that_is_larger_than_the_scratch_memory_has_room_all_the_same);
    tcase_add_test(tcase, what_is_made_before_and_deleted_after_is_not_scratch);
    tcase_add_test(tcase, an_array_grows_by_doubling_or_to_what_is_needed);
    tcase_add_test_raise_signal(tcase, scratch_memory_is_not_nested, SIGABRT);
    return suite;
}
