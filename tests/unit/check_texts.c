#include "common/texts.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_texts(void);

START_TEST(texts_stay_where_they_are) {
    enum { COUNT_OF = 20000 }; // several blocks
    struct texts t = {0};
    const char **kept = mem_array(COUNT_OF, sizeof *kept);
    char text[32];
    for (int i = 0; i < COUNT_OF; i++) {
        snprintf(text, sizeof text, "leaf%d.earth", i);
        kept[i] = texts_keep(&t, text);
    }
    for (int i = 0; i < COUNT_OF; i++) {
        snprintf(text, sizeof text, "leaf%d.earth", i);
        ck_assert_str_eq(kept[i], text);
    }
    free(kept);
    texts_deinit(&t);
}
END_TEST

START_TEST(equal_texts_are_shared_where_that_is_asked) {
    struct texts t = {0};
    const char *first = texts_share(&t, "earth");
    ck_assert_ptr_eq(texts_share(&t, "earth"), first);
    ck_assert_ptr_ne(texts_share(&t, "mars"), first);
    ck_assert_ptr_ne(texts_keep(&t, "earth"), first);
    texts_forget_shared(&t);
    ck_assert_str_eq(first, "earth");
    ck_assert_ptr_ne(texts_share(&t, "earth"), first);
    texts_deinit(&t);
}
END_TEST

START_TEST(a_text_longer_than_a_block_is_kept_whole) {
    struct texts t = {0};
    char *text = mem_zalloc(100001);
    memset(text, 'x', 100000);
    texts_keep(&t, "before");
    ck_assert_str_eq(texts_keep(&t, text), text);
    ck_assert_str_eq(texts_keep(&t, "after"), "after");
    free(text);
    texts_deinit(&t);
}
END_TEST

Suite *check_texts(void) {
    Suite *suite = suite_create("texts");
    TCase *tcase = tcase_create("texts");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, texts_stay_where_they_are);
    tcase_add_test(tcase, equal_texts_are_shared_where_that_is_asked);
    tcase_add_test(tcase, a_text_longer_than_a_block_is_kept_whole);
    return suite;
}
