#include "orchestrator/errands.h"

#include "common/mem.h"

#include <stdlib.h>

struct errand {
    struct errand *next;
    struct errands *of;
    uv_work_t request;
    void (*work)(void *arg);
    void (*then)(void *arg);
    void *arg;
};

static void on_thread(uv_work_t *request) {
    const struct errand *errand = request->data;
    errand->work(errand->arg);
}

static void on_done(uv_work_t *request, int status);

static void begin(struct errand *errand) {
    errand->request.data = errand;
    uv_queue_work(errand->of->loop, &errand->request, on_thread, on_done);
}

static void on_done(uv_work_t *request, int status) {
    struct errand *errand = request->data;
    struct errands *errands = errand->of;
    (void)status; // nobody cancels it
    errands->first = errand->next;
    if (errands->first == NULL)
        errands->last = NULL;
    else
        begin(errands->first);
    errand->then(errand->arg);
    free(errand);
}

void errands_add(struct errands *errands, void (*work)(void *arg), void (*then)(void *arg),
                 void *arg) {
    struct errand *errand = mem_zalloc(sizeof *errand);
    errand->of = errands;
    errand->work = work;
    errand->then = then;
    errand->arg = arg;
    if (errands->last == NULL) {
        errands->first = errands->last = errand;
        begin(errand);
    } else {
        errands->last->next = errand;
        errands->last = errand;
    }
}

bool errands_is_idle(const struct errands *errands) {
    return errands->first == NULL;
}
