#include "orchestrator/task.h"

#include "common/json.h"

#include <stdlib.h>

void task_tell(struct task_notes *notes, const cJSON *result) {
    struct buf told = {0};
    json_add_text(&told, result);
    free(notes->told);
    notes->told = buf_take(&told);
}
