#include "orchestrator/event.h"
#include "tests/unit/support.h"

Suite *check_event(void);

static struct buf heard;

static void hear(void *self, const struct event *event) {
    buf_addf(&heard, "%s:%d:%s ", (const char *)self, (int)event->kind, event->text);
}

START_TEST(every_processor_hears_every_event_in_the_order_of_registration) {
    struct processors processors = {0};
    char first[] = "a", second[] = "b";
    processors_add(&processors, (struct processor){hear, first});
    processors_add(&processors, (struct processor){hear, second});
    processors_tell(&processors, &(struct event){.kind = EVENT_TASK_STARTED, .text = "x"});
    processors_tell(&processors, &(struct event){.kind = EVENT_TASK_COMPLETED, .text = "y"});
    ck_assert_str_eq(heard.data, "a:0:x b:0:x a:1:y b:1:y ");
    buf_deinit(&heard);
}
END_TEST

Suite *check_event(void) {
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, every_processor_hears_every_event_in_the_order_of_registration);
    return suite;
}
