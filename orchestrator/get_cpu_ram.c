// get_cpu_ram: how busy each device is.
#include "common/count.h"
#include "common/json.h"
#include "orchestrator/task.h"

static enum task_verdict tell(const struct task_args *args, struct task_notes *notes,
                              const cJSON *result, struct error *err) {
    enum { PERCENT_MAX = 100, MIB_MAX = 1 << 30 };
    uint64_t cpu, total, used;
    (void)args;
    int rc = json_as_object(result, err);
    if (rc == 0) rc = json_uint(result, "cpu", 0, PERCENT_MAX, &cpu, err);
    if (rc == 0) rc = json_uint(result, "ram_total", 1, MIB_MAX, &total, err);
    if (rc == 0) rc = json_uint(result, "ram_used", 0, total, &used, err);
    if (rc != 0) {
        error_in(err, "result");
        return TASK_FAILED;
    }
    task_tell(notes, result);
    return TASK_UNCHANGED;
}

static const struct task_step steps[] = {{"get_cpu_ram", NULL, tell, .is_last = true}};

const struct task task_get_cpu_ram = {
    .name = "get_cpu_ram",
    .path = "/get-cpu-ram/",
    .steps = steps,
    .steps_count = COUNT(steps),
    .reads = true,
};
