// Counters stay numbers until they are asked for. A host's two counters share its labels, which are
// kept as they are printed.
#include "orchestrator/metrics.h"

#include "common/count.h"
#include "common/mem.h"
#include "common/prom_process.h"
#include "common/strmap.h"
#include "common/version.h"
#include "orchestrator/job_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double host_bounds_s[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
static const double job_bounds_s[] = {1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400};
static const double commit_bounds_s[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,   0.25,   0.5,   1,    5};
enum {
    COMMIT_BOUNDS = COUNT(commit_bounds_s),
    HOST_BOUNDS = COUNT(host_bounds_s),
    JOB_BOUNDS = COUNT(job_bounds_s),
};

// What may stop a job: a brake (event.h), or whoever cancels it.
static const char *const stoppers[] = {"canaries", "max_failures", "job_timeout", "request"};
enum { STOPPERS = COUNT(stoppers) };

struct host_series {
    char *labels;
    uint64_t started, failed;
};

struct metrics {
    const struct log *log;   // or NULL
    const struct jobs *jobs; // likewise
    unsigned workers, workers_busy;
    uint64_t tasks, failed_tasks, results[HOST_STATES]; // by enum host_state
    uint64_t asks[2];                                   // of peers: up, not up
    uint64_t stopped[STOPPERS];
    struct strmap by_labels;    // labels -> struct host_series
    struct host_series **hosts; // in order of appearance
    size_t hosts_count, hosts_cap;
    struct buf labels; // scratch
    struct prom_histogram host_duration, job_duration, commit;
};

void metrics_watch_log(struct metrics *m, const struct log *log) {
    m->log = log;
}

void metrics_watch_jobs(struct metrics *m, const struct jobs *jobs) {
    m->jobs = jobs;
}

void metrics_commit(void *self, double seconds) {
    prom_observe(&((struct metrics *)self)->commit, seconds);
}

struct metrics *metrics_new(unsigned workers) {
    struct metrics *m = mem_zalloc(sizeof *m);
    m->workers = workers;
    prom_histogram_init(&m->host_duration, host_bounds_s, HOST_BOUNDS);
    prom_histogram_init(&m->job_duration, job_bounds_s, JOB_BOUNDS);
    prom_histogram_init(&m->commit, commit_bounds_s, COMMIT_BOUNDS);
    return m;
}

void metrics_free(struct metrics *m) {
    if (m == NULL) return;
    for (size_t i = 0; i < m->hosts_count; i++) {
        free(m->hosts[i]->labels);
        free(m->hosts[i]);
    }
    free(m->hosts);
    strmap_deinit(&m->by_labels);
    buf_deinit(&m->labels);
    prom_histogram_deinit(&m->host_duration);
    prom_histogram_deinit(&m->job_duration);
    prom_histogram_deinit(&m->commit);
    free(m);
}

static struct host_series *series_of(struct metrics *m, const struct event *e) {
    buf_clear(&m->labels);
    prom_label(&m->labels, "dev_type", e->dev_type);
    prom_label(&m->labels, "host", e->host);
    prom_label(&m->labels, "site", e->site);
    struct host_series *series = strmap_get(&m->by_labels, m->labels.data);
    if (series != NULL) return series;

    series = mem_zalloc(sizeof *series);
    series->labels = mem_strdup(m->labels.data);
    strmap_put(&m->by_labels, series->labels, series);
    m->hosts = mem_grow(m->hosts, &m->hosts_cap, m->hosts_count + 1, sizeof(struct host_series *));
    m->hosts[m->hosts_count++] = series;
    return series;
}

static void count_completed_host(struct metrics *m, const struct event *e) {
    m->results[e->result]++;
    if (e->result != HOST_SKIPPED || e->started) m->workers_busy--;
    if (e->result == HOST_SKIPPED) return;
    prom_observe(&m->host_duration, (double)e->duration_ms / 1e3);
    if (e->result == HOST_FAILED) series_of(m, e)->failed++;
}

static void count_stopped(struct metrics *m, const char *brake) {
    size_t i = 0;
    while (i < STOPPERS - 1 && (brake == NULL || strcmp(brake, stoppers[i]) != 0))
        i++;
    m->stopped[i]++;
}

void metrics_event(void *self, const struct event *e) {
    struct metrics *m = self;
    switch (e->kind) {
    case EVENT_TASK_STARTED:
        m->tasks++;
        break;
    case EVENT_TASK_COMPLETED:
        if (e->failed) m->failed_tasks++;
        prom_observe(&m->job_duration, (double)e->duration_ms / 1e3);
        break;
    case EVENT_TASK_INSTANCE_STARTED:
        m->workers_busy++;
        series_of(m, e)->started++;
        break;
    case EVENT_TASK_INSTANCE_PUT_BACK:
        m->workers_busy--;
        break;
    case EVENT_TASK_INSTANCE_COMPLETED:
        count_completed_host(m, e);
        break;
    case EVENT_PEER_ASKED:
        m->asks[e->failed]++;
        break;
    case EVENT_TASK_INSTANCE_IN_DOUBT:
        if (e->started) m->workers_busy++;
        break;
    case EVENT_TASK_STOPPING:
        count_stopped(m, e->brake);
        break;
    case EVENT_TASK_WAITING:
    case EVENT_TASK_RESUMED:
    case EVENT_TASK_PAUSED:
    case EVENT_SUBTASK_INSTANCE_STARTED:
    case EVENT_SUBTASK_INSTANCE_COMPLETED:
        break;
    }
}

static void counter(struct prom_writer *w, const char *name, const char *help, uint64_t value) {
    char sample[128];
    prom_family(w, name, PROM_COUNTER, help);
    snprintf(sample, sizeof sample, "%s_total", name);
    prom_sample(w, sample, NULL, (double)value);
}

static void gauge(struct prom_writer *w, const char *name, const char *help, const char *labels,
                  double value) {
    prom_family(w, name, PROM_GAUGE, help);
    prom_sample(w, name, labels, value);
}

// --- a scrape

// In this order. The first two families and those of the hosts keep the names and labels that the
// original ACME orchestrator gave them.
enum scrape_part { PART_TASKS, PART_STARTED, PART_FAILED, PART_OWN, PART_DONE };

struct metrics_scrape {
    const struct metrics *metrics;
    enum prom_format format;
    struct metrics_now now;
    enum scrape_part part;
    size_t host; // the next of this part's
};

static void write_tasks(const struct metrics *m, struct prom_writer *w) {
    counter(w, "total_task_requests", "Total number of task requests", m->tasks);
    counter(w, "failed_tasks", "Total number of tasks with at least one failed host",
            m->failed_tasks);
}

// The samples of some hosts. True: there are more.
static bool write_hosts(struct metrics_scrape *s, const char *family, const char *help, bool failed,
                        struct prom_writer *w) {
    char sample[64];
    const struct metrics *m = s->metrics;
    if (s->now.hides_hosts) return false;
    size_t end = s->host + METRICS_PIECE;
    if (end > m->hosts_count) end = m->hosts_count;
    if (s->host == 0) prom_family(w, family, PROM_COUNTER, help);
    snprintf(sample, sizeof sample, "%s_total", family);
    for (; s->host < end; s->host++) {
        const struct host_series *series = m->hosts[s->host];
        uint64_t value = failed ? series->failed : series->started;
        if (value > 0) prom_sample(w, sample, series->labels, (double)value);
    }
    return end < m->hosts_count;
}

static void write_job_hosts(const struct job *job, struct prom_writer *w) {
    for (int state = 0; state < HOST_STATES; state++) {
        char labels[JOB_ID_MAX + 64];
        snprintf(labels, sizeof labels, "job=\"%s\",state=\"%s\"", job->id,
                 host_state_names[state]);
        prom_sample(w, "orchestrator_job_hosts", labels, (double)job->counts[state]);
    }
}

// One that waits or is paused makes none, and nobody is to wonder.
static void write_progress(const struct jobs *jobs, struct prom_writer *w) {
    static const char family[] = "orchestrator_job_progress_timestamp_seconds";
    prom_family(w, family, PROM_GAUGE,
                "When a job that runs or is being stopped last sent an install, had an outcome or "
                "changed its state");
    for (size_t i = 0; jobs != NULL && i < jobs_count(jobs); i++) {
        const struct job *job = jobs_at(jobs, i);
        char label[JOB_ID_MAX + 16];
        if (job->state != JOB_RUNNING && job->state != JOB_CANCELLING) continue;
        snprintf(label, sizeof label, "job=\"%s\"", job->id);
        prom_sample(w, family, label, (double)job->progress_ms / 1e3);
    }
}

static void write_in_doubt(const struct jobs *jobs, struct prom_writer *w) {
    size_t in_doubt = 0;
    for (size_t i = 0; jobs != NULL && i < jobs_count(jobs); i++)
        in_doubt += jobs_at(jobs, i)->in_doubt;
    gauge(w, "orchestrator_hosts_in_doubt",
          "Hosts whose install may have been sent, and of which nobody knows how it ended", NULL,
          (double)in_doubt);
}

// Those that are done are the store's.
static void write_jobs(const struct jobs *jobs, struct prom_writer *w) {
    prom_family(w, "orchestrator_jobs", PROM_GAUGE, "Jobs that are not done, by their state");
    for (int state = JOB_WAITING; state < JOB_DONE; state++) {
        char labels[64];
        snprintf(labels, sizeof labels, "state=\"%s\"", job_state_names[state]);
        prom_sample(w, "orchestrator_jobs", labels,
                    jobs == NULL ? 0 : (double)jobs_in_state(jobs, (enum job_state)state));
    }
    prom_family(w, "orchestrator_job_hosts", PROM_GAUGE,
                "Hosts of jobs that have begun and are not done, by what they are to the job");
    for (size_t i = 0; jobs != NULL && i < jobs_count(jobs); i++)
        if (jobs_at(jobs, i)->started_ms != 0) write_job_hosts(jobs_at(jobs, i), w);
    write_progress(jobs, w);
    write_in_doubt(jobs, w);
}

static void write_stopped(const struct metrics *m, struct prom_writer *w) {
    prom_family(w, "orchestrator_jobs_stopped", PROM_COUNTER,
                "Jobs that were stopped, by the brake that did it or by request");
    for (size_t i = 0; i < STOPPERS; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "by=\"%s\"", stoppers[i]);
        prom_sample(w, "orchestrator_jobs_stopped_total", labels, (double)m->stopped[i]);
    }
}

static void write_nodes(struct prom_writer *w, const struct metrics_now *now) {
    gauge(w, "orchestrator_nodes", "Orchestrators that share the store and are alive", NULL,
          now->nodes);
    gauge(w, "orchestrator_shards", "Shards of the network that this node works on", NULL,
          now->shards);
    gauge(w, "orchestrator_shards_free", "Shards of the network that no node works on", NULL,
          now->free_shards);
    counter(w, "orchestrator_shards_taken", "Shards that this node has taken, from others too",
            now->shards_taken);
    counter(w, "orchestrator_leases_lost",
            "Times that this node could not write to the store for so long that it let go of all",
            now->leases_lost);
    counter(w, "orchestrator_nodes_declared_dead", "Nodes that this one has declared dead",
            now->nodes_declared_dead);
    counter(w, "orchestrator_cut_off",
            "Times that this node reached no device and left its shards to the others",
            now->cut_off);
}

static void write_own_metrics(const struct metrics *m, const struct metrics_now *now,
                              struct prom_writer *w) {
    prom_family(w, "orchestrator_hosts", PROM_COUNTER,
                "Hosts that jobs are done with, by what became of them");
    for (size_t i = HOST_CHANGED; i < HOST_STATES; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "result=\"%s\"", host_state_names[i]);
        prom_sample(w, "orchestrator_hosts_total", labels, (double)m->results[i]);
    }
    prom_family(w, "orchestrator_peer_asks", PROM_COUNTER,
                "Devices asked whether they are up, before one of their group was changed");
    prom_sample(w, "orchestrator_peer_asks_total", "result=\"up\"", (double)m->asks[0]);
    prom_sample(w, "orchestrator_peer_asks_total", "result=\"not_up\"", (double)m->asks[1]);
    gauge(w, "orchestrator_workers", "Hosts that may be worked on at the same time", NULL,
          m->workers);
    gauge(w, "orchestrator_workers_busy", "Hosts being worked on now", NULL, m->workers_busy);
    gauge(w, "orchestrator_groups_pending",
          "Redundancy groups of running jobs with hosts that have not begun", NULL,
          (double)now->groups_pending);
    counter(w, "orchestrator_groups_stopped",
            "Redundancy groups in which as many hosts of a job have failed as may be unavailable",
            now->groups_stopped);
    prom_family(w, "orchestrator_host_duration_seconds", PROM_HISTOGRAM,
                "Time from a host's start to its completion or failure");
    prom_histogram_write(w, "orchestrator_host_duration_seconds", &m->host_duration);
    prom_family(w, "orchestrator_job_duration_seconds", PROM_HISTOGRAM,
                "Time from a job's start to its report");
    prom_histogram_write(w, "orchestrator_job_duration_seconds", &m->job_duration);
    write_jobs(m->jobs, w);
    write_stopped(m, w);
    prom_family(w, "orchestrator_store_commit_seconds", PROM_HISTOGRAM,
                "Time that a commit of the store took, on its disk");
    prom_histogram_write(w, "orchestrator_store_commit_seconds", &m->commit);
    gauge(w, "orchestrator_store_writable",
          "1 if the store has kept what was last written to it, else 0", NULL, now->store_is_well);
    if (now->is_shared) write_nodes(w, now);
    gauge(w, "orchestrator_event_streams", "Clients that follow what happens", NULL,
          (double)now->event_streams);
    counter(w, "orchestrator_event_streams_dropped",
            "Clients that followed what happens, and were let go because they did not read it",
            now->clients_let_go);
    counter(w, "orchestrator_requests_refused",
            "Requests that would change something, refused before anybody looked at them",
            now->requests_refused);
    counter(w, "orchestrator_audit_lines_lost",
            "Lines of the audit that the store could not take, or of too many such requests",
            now->audit_lost);
    counter(w, "orchestrator_log_lines_lost", "Lines that the log could not take",
            m->log == NULL ? 0 : m->log->lost);
    gauge(w, "orchestrator_build_info", "The version that runs, as a label; the value is 1",
          "version=\"" PROJECT_VERSION "\"", 1);
}

struct metrics_scrape *metrics_scrape_new(const struct metrics *metrics, enum prom_format format,
                                          const struct metrics_now *now) {
    struct metrics_scrape *s = mem_zalloc(sizeof *s);
    *s = (struct metrics_scrape){.metrics = metrics, .format = format, .now = *now};
    return s;
}

void metrics_scrape_free(struct metrics_scrape *scrape) {
    free(scrape);
}

// True: the part goes on.
static bool write_part(struct metrics_scrape *s, struct prom_writer *w) {
    switch (s->part) {
    case PART_TASKS:
        write_tasks(s->metrics, w);
        return false;
    case PART_STARTED:
        return write_hosts(s, "total_task_requests_per_host",
                           "Total number of task requests per host", false, w);
    case PART_FAILED:
        return write_hosts(s, "failed_tasks_per_host", "Total number of failed tasks per host",
                           true, w);
    case PART_OWN:
        write_own_metrics(s->metrics, &s->now, w);
        prom_process(w);
        prom_end(w);
        return false;
    case PART_DONE:
        break;
    }
    return false;
}

bool metrics_scrape_next(struct metrics_scrape *s, struct buf *out) {
    struct prom_writer w = {.out = out, .format = s->format};
    while (s->part != PART_DONE) {
        if (write_part(s, &w)) return true;
        s->part++;
        s->host = 0;
    }
    return false;
}
