#include "orchestrator/resume.h"

#include "common/timestamp.h"

// For people: what is left of the next smaller unit says nothing more.
static void write_duration(struct buf *out, uint64_t ms) {
    const uint64_t s = ms / 1000, min = s / 60, h = min / 60;
    if (h >= 2)
        buf_addf(out, "%llu h", (unsigned long long)h);
    else if (min >= 2)
        buf_addf(out, "%llu min", (unsigned long long)min);
    else
        buf_addf(out, "%llu s", (unsigned long long)s);
}

static void write_clock_went_back(const struct resume_facts *facts, struct buf *why) {
    char now[TIMESTAMP_MAX], alive[TIMESTAMP_MAX];
    timestamp_format(facts->now_ms, now);
    timestamp_format(facts->alive_ms, alive);
    buf_addf(why, "the clock went back: it is %s, and the store was last written at %s", now,
             alive);
}

static void write_away(const struct resume_facts *facts, uint64_t away_ms, struct buf *why) {
    buf_adds(why, "the service was away for ");
    write_duration(why, away_ms);
    buf_adds(why, ", longer than --resume-within ");
    write_duration(why, facts->within_ms);
}

bool resume_is_paused(const struct job *job, const struct resume_facts *facts, const char *differs,
                      struct buf *why) {
    if (job->state == JOB_CANCELLING) return false; // nothing new begins of it
    if (job->state == JOB_PAUSED) {
        buf_adds(why, job->why == NULL ? "it was paused" : job->why);
    } else if (facts->now_ms < facts->alive_ms) {
        write_clock_went_back(facts, why);
    } else if ((uint64_t)(facts->now_ms - facts->alive_ms) >= facts->within_ms) {
        write_away(facts, (uint64_t)(facts->now_ms - facts->alive_ms), why);
    } else if (differs != NULL) {
        buf_adds(why, differs);
    } else {
        return false;
    }
    return true;
}
