// The store of a process: its queue, and commits that take their time, fail, or whose answer is
// lost.
#include "tests/histories/world_internal.h"

enum { US_PER_MS = 1000 };

void commits_append(struct world *w, const struct store_event *event, gate_kept kept, void *arg) {
    store_queue_append(&w->at->queue, event, kept, arg);
    world_at(w, w->now_ms, EVENT_STORE, w->at->life);
}

static void answer_all(struct world *w) {
    struct store_answer answer;
    while (store_queue_answer(&w->at->queue, &answer))
        if (answer.done != NULL) answer.done(answer.arg, answer.status, answer.n);
}

static enum store_status write_batch(struct world *w) {
    struct error err;
    struct store_batch *batch = w->at->under_way;
    if (w->plan->nodes > 0) return nodes_write(w, batch);
    const enum store_status status =
        store_memory.write(w->db, batch->number, world_wall_ms(w), batch->ops, batch->count, &err);
    if (status == STORE_OK) referee_kept(w, batch);
    if (status != STORE_OK)
        story_broken(w, one_outcome, "the store does not take batch %llu: %s",
                     (unsigned long long)batch->number, err.text);
    return status;
}

// A batch that was sent before may have been kept then.
static void note_sent(struct world *w) {
    struct process *p = w->at;
    if (p->sent_number == p->under_way->number) return;
    p->sent_number = p->under_way->number;
    p->sent_ms = w->now_ms;
}

// One that fails is not written, or (and that is the worse) it is, and its answer is lost.
static void begin_batch(struct world *w, struct store_batch *batch) {
    const unsigned number = ++w->batches;
    const bool is_away = w->plan->nodes > 0 && nodes_store_is_away(w);
    const bool is_slow = world_draw(w, "commit is slow", number, 0, 1, 100) <= w->plan->slow;
    const bool fails =
        is_away || (is_slow && world_draw(w, "commit fails", number, 0, 1, 100) <= 30);
    const bool is_lost = fails && !is_away && world_draw(w, "answer is lost", number, 0, 0, 1) == 1;
    uint64_t takes_ms = is_slow ? world_draw(w, "commit", number, 0, 10, 700) : 1;
    if (w->plan->nodes > 0) takes_ms = nodes_commit_ms(w, batch, number, takes_ms);
    w->at->under_way = batch;
    w->at->status = STORE_UNREACHABLE;
    note_sent(w);
    w->at->writes_late = !fails && world_draw(w, "writes late", number, 0, 0, 1) == 1;
    story_batch(w, batch,
                is_lost   ? ", whose answer will be lost"
                : fails   ? ", which will fail"
                : is_slow ? ", which will take long"
                          : "");
    if (is_lost)
        write_batch(w);
    else if (!fails && !w->at->writes_late)
        w->at->status = write_batch(w);
    world_at(w, w->now_ms + takes_ms, EVENT_WRITTEN, w->at->life);
}

void commits_due(struct world *w) {
    if (w->at->under_way != NULL) return;
    const struct store_turn turn = store_queue_next(&w->at->queue, w->now_ms * US_PER_MS);
    if (turn.batch != NULL)
        begin_batch(w, turn.batch);
    else if (turn.wait_us > 0)
        world_at(w, w->now_ms + (turn.wait_us + US_PER_MS - 1) / US_PER_MS, EVENT_STORE,
                 w->at->life);
}

void commits_written(struct world *w) {
    struct error err = {.text = "it was said to be full"};
    if (w->at->writes_late) w->at->status = write_batch(w);
    const enum store_status status = w->at->status;
    w->at->under_way = NULL;
    store_queue_written(&w->at->queue, status, &err, w->now_ms * US_PER_MS);
    if (w->plan->nodes > 0 && nodes_written(w, status)) return; // the process is no more
    answer_all(w);
    commits_due(w);
}
