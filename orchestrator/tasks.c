#include "common/count.h"
#include "orchestrator/task.h"

const struct task *const tasks[] = {
#define X(name) &task_##name,
#include "orchestrator/tasks.def"
#undef X
};

const size_t tasks_count = COUNT(tasks);
