#include "orchestrator/event.h"
#include "tests/unit/support.h"

#include <stdio.h>

Suite *check_event(void);

static struct buf heard;

static void hear(void *self, const struct event *event) {
    buf_addf(&heard, "%s:%d:%llu:%lld ", (const char *)self, (int)event->kind,
             (unsigned long long)event->n, event->wall_ms);
}

static void tell(struct processors *processors, struct event_ring *ring, enum event_kind kind,
                 const char *text, long long wall_ms) {
    struct event event = {.kind = kind, .host = "leaf00.earth", .text = text};
    processors_tell(processors, ring, &event, wall_ms);
}

START_TEST(every_processor_hears_every_event_in_order_stamped) {
    struct processors processors = {0};
    struct event_ring ring = {0};
    char first[] = "a", second[] = "b";
    processors_add(&processors, (struct processor){hear, first});
    processors_add(&processors, (struct processor){hear, second});
    tell(&processors, &ring, EVENT_TASK_STARTED, NULL, 5);
    tell(&processors, &ring, EVENT_SUBTASK_INSTANCE_STARTED, NULL, 6);
    tell(&processors, &ring, EVENT_SUBTASK_INSTANCE_COMPLETED, NULL, 7);
    tell(&processors, &ring, EVENT_TASK_COMPLETED, NULL, 8);
    ck_assert_str_eq(heard.data,
                     "a:0:1:5 b:0:1:5 a:4:0:6 b:4:0:6 a:5:0:7 b:5:0:7 a:1:2:8 b:1:2:8 ");
    buf_deinit(&heard);
    event_ring_deinit(&ring);
}
END_TEST

START_TEST(the_ring_keeps_the_last_numbered_events_with_texts_of_its_own) {
    static const struct processors none;
    struct processors processors = none;
    struct event_ring ring = {0};
    char text[16];
    ck_assert_ptr_null(event_ring_get(&ring, 0));
    ck_assert_ptr_null(event_ring_get(&ring, 1));
    for (int n = 1; n <= 2 * EVENT_RING_MAX + 100; n++) {
        snprintf(text, sizeof text, "%d", n);
        tell(&processors, &ring, EVENT_TASK_INSTANCE_COMPLETED, text, n);
        tell(&processors, &ring, EVENT_SUBTASK_INSTANCE_STARTED, "not kept", n);
        for (int back = 0; back < 3 && back < n; back++) {
            const struct event *event = event_ring_get(&ring, (uint64_t)(n - back));
            ck_assert_int_eq(event->wall_ms, n - back);
            ck_assert_int_eq(atoi(event->text), n - back);
        }
        ck_assert_ptr_null(event_ring_get(&ring, (uint64_t)n + 1));
    }
    ck_assert_ptr_null(event_ring_get(&ring, EVENT_RING_MAX + 100));
    ck_assert_int_eq(atoi(event_ring_get(&ring, EVENT_RING_MAX + 101)->text), EVENT_RING_MAX + 101);
    event_ring_deinit(&ring);
}
END_TEST

Suite *check_event(void) {
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, every_processor_hears_every_event_in_order_stamped);
    tcase_add_test(tcase, the_ring_keeps_the_last_numbered_events_with_texts_of_its_own);
    return suite;
}
