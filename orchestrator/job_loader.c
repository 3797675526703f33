#include "orchestrator/job_loader.h"

#include "common/mem.h"
#include "orchestrator/job_stored.h"

#include <stdlib.h>
#include <string.h>

struct job_loader {
    struct store *store;
    struct job *kept; // is done: nothing of it will change; NULL: none
    size_t loadings;
};

struct loading { // the reader's thread's, until it is read
    struct job_loader *loader;
    char *id, *key; // one of the two
    job_loaded loaded;
    void *arg;
    struct job *job;
    int rc; // of the rows
    bool is_failed;
    struct error err;
};

struct job_loader *job_loader_new(struct store *store) {
    struct job_loader *loader = mem_zalloc(sizeof *loader);
    loader->store = store;
    return loader;
}

void job_loader_free(struct job_loader *loader) {
    if (loader == NULL) return;
    job_free(loader->kept);
    free(loader);
}

bool job_loader_is_idle(const struct job_loader *loader) {
    return loader->loadings == 0;
}

// --- on the reader's thread

static bool take_job(void *arg, const struct store_job *row, const struct store_event *event) {
    struct loading *loading = arg;
    (void)event;
    loading->job = job_from_store(row, &loading->err);
    loading->is_failed = loading->job == NULL;
    return false;
}

static bool take_event(void *arg, const struct store_job *row, const struct store_event *event) {
    struct loading *loading = arg;
    (void)row;
    loading->is_failed = job_apply(loading->job, event, &loading->err) != 0;
    return !loading->is_failed;
}

static void read_job(void *arg, const struct store_reader *reader) {
    struct loading *loading = arg;
    struct store_query query = {.kind = STORE_READ_JOB, .id = loading->id, .key = loading->key};
    loading->rc = store_rows(reader, &query, take_job, loading, &loading->err);
    if (loading->rc != 0 || loading->job == NULL) return;
    query = (struct store_query){.kind = STORE_READ_EVENTS, .job = loading->job->number};
    loading->rc = store_rows(reader, &query, take_event, loading, &loading->err);
    if (loading->is_failed) error_from(&loading->err, "job %s", loading->job->id);
}

// --- on the loop's

static void keep(struct job_loader *loader, struct job *job) {
    job_free(loader->kept);
    loader->kept = job;
}

static void on_read(void *arg) {
    struct loading *loading = arg;
    struct job_loader *loader = loading->loader;
    const bool is_well = loading->rc == 0 && !loading->is_failed;
    loader->loadings--;
    if (!is_well) error_from(&loading->err, "the store");
    loading->loaded(loading->arg, is_well ? loading->job : NULL, is_well ? NULL : &loading->err);
    if (is_well && loading->job != NULL && loading->job->state == JOB_DONE)
        keep(loader, loading->job);
    else
        job_free(loading->job);
    free(loading->id);
    free(loading->key);
    free(loading);
}

static void load(struct job_loader *loader, struct loading loading) {
    struct loading *own = mem_alloc(sizeof *own);
    *own = loading;
    loader->loadings++;
    store_read(loader->store, read_job, on_read, own);
}

void job_load_by_id(struct job_loader *loader, const char *id, job_loaded loaded, void *arg) {
    if (loader->kept != NULL && strcmp(loader->kept->id, id) == 0)
        loaded(arg, loader->kept, NULL);
    else
        load(loader, (struct loading){
                         .loader = loader, .id = mem_strdup(id), .loaded = loaded, .arg = arg});
}

void job_load_by_key(struct job_loader *loader, const char *key, job_loaded loaded, void *arg) {
    load(loader,
         (struct loading){.loader = loader, .key = mem_strdup(key), .loaded = loaded, .arg = arg});
}
