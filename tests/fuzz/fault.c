// A fault's rule, or an array of them, as POST /faults/ takes it.
#include "simulator/fault.h"
#include "tests/fuzz/fuzz.h"

// What is told of a rule is a rule again, and then it is told the same way.
static void check_told(const struct fault_rule *rule) {
    struct buf told = {0};
    struct error err;
    struct fault_list again = {0};
    buf_addf(&told, "{%s}", rule->text);
    cJSON *json = fuzz_json_of(told.data, told.len);
    int rc = fault_add(&again, json, &err);
    assert(rc == 0 && again.len == 1);
    assert(strcmp(again.rules[0]->text, rule->text) == 0);
    assert(again.rules[0]->on == rule->on && again.rules[0]->action.us == rule->action.us);
    cJSON_Delete(json);
    fault_deinit(&again);
    buf_deinit(&told);
}

static void check_chosen(struct fault_list *list) {
    for (uint32_t device = 0; device < 40; device++)
        for (int operation = 0; operation < OPERATION_COUNT; operation++) {
            struct fault_use use = {.device = device,
                                    .fields = {"earth", "leaf", "131", "leaf63.earth"},
                                    .operation = (enum operation)operation,
                                    .draw = device};
            const struct fault_action *action = fault_choose(list, &use);
            if (action == NULL) continue;
            assert(action->effect < FAULT_EFFECT_COUNT);
            assert((action->effect == FAULT_ERROR) == (action->message != NULL));
            assert((action->effect == FAULT_SLOW) == (action->bytes_per_second > 0));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fault_list list = {0};
    struct error err = {0};
    cJSON *json = NULL;
    mem_init();
    if (json_parse((const char *)data, size, &json, &err) != 0) return 0;
    int rc = fault_add(&list, json, &err);
    cJSON_Delete(json);
    assert(rc == 0 || (rc == ERROR_INPUT && list.len == 0 && err.text[0] != '\0'));
    struct buf text = {0};
    fault_write(&list, 0, &text);
    fuzz_is_json(text.data, text.len);
    buf_deinit(&text);
    for (size_t i = 0; i < list.len && i < 50; i++)
        check_told(list.rules[i]);
    check_chosen(&list);
    fault_deinit(&list);
    return 0;
}
