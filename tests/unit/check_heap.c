#include "common/heap.h"
#include "common/rng.h"
#include "tests/unit/support.h"

Suite *check_heap(void);

static int in_order(const void *a, const void *b) {
    const struct heap_entry *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

START_TEST(entries_come_out_by_key_then_by_id_with_their_tags) {
    enum { ENTRIES = 500 };
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct heap heap = {0};
        struct heap_entry entries[ENTRIES];
        for (uint32_t i = 0; i < ENTRIES; i++) {
            entries[i] = (struct heap_entry){.key = rng_mix(seed, i) % 40, .id = i, .tag = ~i};
            heap_push(&heap, entries[i]);
        }
        qsort(entries, ENTRIES, sizeof *entries, in_order);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            struct heap_entry top = heap_pop(&heap);
            ck_assert_uint_eq(top.key, entries[i].key);
            ck_assert_uint_eq(top.id, entries[i].id);
            ck_assert_uint_eq(top.tag, ~top.id);
        }
        ck_assert_uint_eq(heap.count, 0);
        heap_deinit(&heap);
    }
}
END_TEST

START_TEST(pushes_and_pops_may_alternate) {
    struct heap heap = {0};
    uint64_t last = 0;
    for (uint32_t i = 0; i < 1000; i++) { // as a clock does: what is pushed is never in the past
        heap_push(&heap, (struct heap_entry){.key = last + rng_mix(1, i) % 100, .id = i});
        if (i % 3 == 0) continue;
        struct heap_entry top = heap_pop(&heap);
        ck_assert_uint_ge(top.key, last);
        last = top.key;
    }
    heap_deinit(&heap);
}
END_TEST

Suite *check_heap(void) {
    Suite *suite = suite_create("heap");
    TCase *tcase = tcase_create("heap");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, entries_come_out_by_key_then_by_id_with_their_tags);
    tcase_add_test(tcase, pushes_and_pops_may_alternate);
    return suite;
}
