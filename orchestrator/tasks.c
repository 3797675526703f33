#include "common/count.h"
#include "common/json.h"
#include "orchestrator/task.h"

#include <stdlib.h>

const struct task *const tasks[] = {
#define X(name) &task_##name,
#include "orchestrator/tasks.def"
#undef X
};

const size_t tasks_count = COUNT(tasks);

void task_tell(struct task_notes *notes, const cJSON *result) {
    struct buf told = {0};
    json_add_text(&told, result);
    free(notes->told);
    notes->told = buf_take(&told);
}
