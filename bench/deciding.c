// A constraint that is relaxed is one whose limit is doubled: for all groups of a rule, since the
// rule is what a policy's author can change. A run is decided by the one that shortens it most.
#include "bench/deciding.h"

#include "bench/stats.h"
#include "common/mem.h"

#include <stdlib.h>

enum { NO_RULE = -1, OPTIONS_MAX = 2 * POLICY_RULES_MAX + 1 };
static const double NOTICEABLE = 0.01; // part of the window

struct option {
    int rule; // into the policy's; NO_RULE: the workers
    double *window_s;
    size_t decided; // runs
};

struct search {
    struct model *model;
    struct grouping *grouping;
    const struct policy *policy;
    unsigned workers;
    uint64_t seed;
    size_t runs;
    int *rules;             // by constraint; NO_RULE: of a host alone
    uint32_t *longest_runs; // by constraint: in how many it was the longest
    double *window_s;       // as things are
    struct option options[OPTIONS_MAX];
    size_t options_count;
};

// --- limits

// The key of a host that is a group of its own begins with no number.
static int rule_of(const struct search *s, const struct constraint *c) {
    if (c->key[0] < '0' || c->key[0] > '9') return NO_RULE;
    return (int)(policy_rule_of(s->policy, c->key) - s->policy->rules);
}

static void set_limit(struct search *s, int rule, uint32_t limit) {
    for (size_t i = 0; i < s->grouping->count; i++)
        if (s->rules[i] == rule) s->grouping->constraints[i].limit = limit;
}

static uint32_t limit_of(const struct search *s, int rule) {
    return rule == NO_RULE ? s->workers : s->policy->rules[rule].limit;
}

static double play(struct search *s, int rule, uint32_t limit, struct virtual_result *result) {
    unsigned workers = s->workers;
    if (rule == NO_RULE)
        workers = limit;
    else
        set_limit(s, rule, limit);
    model_run(s->model, workers, result);
    if (rule != NO_RULE) set_limit(s, rule, limit_of(s, rule));
    return virtual_window_s(result);
}

// --- the runs

static void add_option(struct search *s, int rule) {
    s->options[s->options_count++] =
        (struct option){.rule = rule, .window_s = mem_array(s->runs, sizeof(double))};
}

// A rule whose groups are no larger than its limit keeps nobody waiting.
static bool may_bind(const struct search *s, int rule) {
    for (size_t i = 0; i < s->grouping->count; i++)
        if (s->rules[i] == rule && s->grouping->constraints[i].members > limit_of(s, rule))
            return true;
    return false;
}

static void begin(struct search *s) {
    s->rules = mem_array(s->grouping->count, sizeof *s->rules);
    s->longest_runs = mem_array(s->grouping->count, sizeof *s->longest_runs);
    s->window_s = mem_array(s->runs, sizeof(double));
    for (size_t i = 0; i < s->grouping->count; i++)
        s->rules[i] = rule_of(s, &s->grouping->constraints[i]);
    add_option(s, NO_RULE);
    for (size_t rule = 0; rule < s->policy->count; rule++)
        if (may_bind(s, (int)rule)) add_option(s, (int)rule);
}

static void end(struct search *s) {
    for (size_t i = 0; i < s->options_count; i++)
        free(s->options[i].window_s);
    free(s->rules);
    free(s->longest_runs);
    free(s->window_s);
}

static void play_run(struct search *s, size_t run) {
    struct virtual_result result;
    model_seed(s->model, s->seed + run);
    double shortest = s->window_s[run] = play(s, NO_RULE, s->workers, &result);
    if (s->grouping->count > 0) s->longest_runs[result.longest_group]++;
    struct option *decides = NULL;
    for (size_t i = 0; i < s->options_count; i++) {
        struct option *option = &s->options[i];
        double window_s = play(s, option->rule, 2 * limit_of(s, option->rule), &result);
        option->window_s[run] = window_s;
        if (window_s >= shortest) continue;
        shortest = window_s;
        decides = option;
    }
    if (decides != NULL && shortest <= (1 - NOTICEABLE) * s->window_s[run]) decides->decided++;
}

// --- the answer

static struct option *find_deciding(struct search *s) {
    struct option *found = &s->options[0];
    size_t undecided = s->runs;
    for (size_t i = 0; i < s->options_count; i++) {
        undecided -= s->options[i].decided;
        if (s->options[i].decided > found->decided) found = &s->options[i];
    }
    return found->decided > undecided ? found : NULL;
}

static double shorter(const struct search *s, const double *window_s) {
    return 1 - stats_quantile(window_s, s->runs, 0.5) / stats_quantile(s->window_s, s->runs, 0.5);
}

// One that the limit has held back so far.
static size_t find_emptied(const struct search *s, int rule, uint32_t limit) {
    if (!s->policy->rules[rule].redundancy) return SIZE_MAX;
    for (size_t i = 0; i < s->grouping->count; i++) {
        const struct constraint *c = &s->grouping->constraints[i];
        if (s->rules[i] == rule && c->members > c->limit && c->members <= limit) return i;
    }
    return SIZE_MAX;
}

static void add_step(struct search *s, struct deciding *out, uint32_t limit,
                     const double *window_s) {
    out->steps[out->steps_count++] = (struct deciding_step){limit, shorter(s, window_s)};
}

static void measure_rule(struct search *s, const struct option *option, struct deciding *out) {
    const uint32_t more = out->limit + (out->limit < 5 ? 1 : out->limit / 5);
    out->emptied = find_emptied(s, option->rule, more);
    if (out->emptied != SIZE_MAX) return;
    double *window_s = mem_array(s->runs, sizeof(double));
    for (size_t run = 0; run < s->runs; run++) {
        struct virtual_result result;
        model_seed(s->model, s->seed + run);
        window_s[run] = play(s, option->rule, more, &result);
    }
    stats_sort(window_s, s->runs);
    add_step(s, out, more, window_s);
    free(window_s);
    if (more < 2 * out->limit && find_emptied(s, option->rule, 2 * out->limit) == SIZE_MAX)
        add_step(s, out, 2 * out->limit, option->window_s);
}

// The longest of a rule's groups: most often so, or else the one with the most hosts.
static void find_group(const struct search *s, int rule, struct deciding *out) {
    const struct constraint *constraints = s->grouping->constraints;
    bool found = false;
    for (size_t i = 0; i < s->grouping->count; i++) {
        if (s->rules[i] != rule || constraints[i].members <= constraints[i].limit) continue;
        out->groups++;
        const size_t best = out->group;
        if (!found || s->longest_runs[i] > s->longest_runs[best] ||
            (s->longest_runs[i] == s->longest_runs[best] &&
             constraints[i].members > constraints[best].members))
            out->group = i;
        found = true;
    }
}

static void answer(struct search *s, struct deciding *out) {
    struct option *option = find_deciding(s);
    if (option == NULL) return;
    stats_sort(s->window_s, s->runs);
    stats_sort(option->window_s, s->runs);
    out->any = true;
    out->share = (double)option->decided / (double)s->runs;
    out->limit = limit_of(s, option->rule);
    if (option->rule == NO_RULE) {
        add_step(s, out, 2 * out->limit, option->window_s);
        return;
    }
    stats_sort(s->options[0].window_s, s->runs);
    out->workers_shorter = shorter(s, s->options[0].window_s);
    out->rule = &s->policy->rules[option->rule];
    find_group(s, option->rule, out);
    measure_rule(s, option, out);
}

void deciding_find(struct model *model, struct grouping *grouping, unsigned workers, uint64_t seed,
                   size_t runs, struct deciding *out) {
    struct search s = {.model = model,
                       .grouping = grouping,
                       .policy = &model->plan->network.policy,
                       .workers = workers,
                       .seed = seed,
                       .runs = runs};
    *out = (struct deciding){.emptied = SIZE_MAX};
    begin(&s);
    for (size_t run = 0; run < runs; run++)
        play_run(&s, run);
    answer(&s, out);
    end(&s);
}

// --- in words

void deciding_write_short(const struct deciding *d, const struct grouping *grouping,
                          struct buf *out) {
    if (!d->any)
        buf_adds(out, "no limit alone");
    else if (d->rule == NULL)
        buf_adds(out, "the workers");
    else if (d->groups == 1)
        buf_addf(out, "%s %s", d->rule->redundancy ? "the group" : "the throttle",
                 grouping->constraints[d->group].name);
    else
        buf_addf(out, "%s \"%s\"", d->rule->redundancy ? "the groups" : "the throttles",
                 d->rule->group);
}

static void write_group(const struct deciding *d, const struct grouping *grouping,
                        struct buf *out) {
    const struct constraint *group = &grouping->constraints[d->group];
    const char *kind = d->rule->redundancy ? "redundancy group" : "throttle";
    if (d->groups == 1)
        buf_addf(out, "The %s %s (%u of its %u hosts at once) decides", kind, group->name, d->limit,
                 group->members);
    else
        buf_addf(out,
                 "The %s \"%s\" (%u of them, each %u at once; %s with %u hosts is most often the "
                 "longest) decide",
                 d->rule->redundancy ? "redundancy groups" : "throttles", d->rule->group, d->groups,
                 d->limit, group->name, group->members);
}

static void write_steps(const struct deciding *d, struct buf *out) {
    const char *setting = d->rule == NULL       ? "--workers"
                          : d->rule->redundancy ? "max_unavailable:"
                                                : "at_once:";
    for (size_t i = 0; i < d->steps_count; i++)
        buf_addf(out,
                 i == 0 ? "%s %u would shorten the median window by %.0f %%" : ", %s %u by %.0f %%",
                 setting, d->steps[i].limit, 100 * d->steps[i].shorter);
}

void deciding_write(const struct deciding *d, const struct grouping *grouping, struct buf *out) {
    if (!d->any) {
        buf_adds(out, "No constraint alone decides the window: neither twice the workers nor twice "
                      "the limit of any one rule of the policy would shorten most runs by 1 %.");
        return;
    }
    if (d->rule == NULL)
        buf_addf(out, "The workers (%u) decide", d->limit);
    else
        write_group(d, grouping, out);
    buf_addf(out, " the window in %.0f %% of the runs: ", 100 * d->share);
    if (d->emptied == SIZE_MAX)
        write_steps(d, out);
    else
        buf_addf(out,
                 "twice the workers would shorten the median window by %.0f %%, and a higher "
                 "max_unavailable would let all hosts of %s be away at once",
                 100 * d->workers_shorter, grouping->constraints[d->emptied].name);
    buf_adds(out, ".");
}
