// A step is played in three moves: its ${...} are replaced by what is known now, its kind acts or
// looks, and what was not as expected comes back as text. No text is success: so a kind needs no
// verdict of its own, and a step that holds others (parallel, eventually) hands their text up.
#include "scenarios/runner/steps.h"

#include "common/count.h"
#include "common/text.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/fit.h"
#include "scenarios/runner/step.h"
#include "scenarios/runner/vars.h"

#include <assert.h>
#include <string.h>

enum { ASKED_SHOWN = 300 };

#define X(name) extern const struct step_kind step_##name;
#include "scenarios/runner/steps.def"
#undef X

static const struct step_kind *const kinds[] = {
#define X(name) &step_##name,
#include "scenarios/runner/steps.def"
#undef X
};

static const struct step_kind *kind_of(const cJSON *arg) {
    size_t i = 0;
    while (i < COUNT(kinds) && strcmp(kinds[i]->name, arg->string) != 0)
        i++;
    assert(i < COUNT(kinds)); // the schema knows no others
    return kinds[i];
}

// What no ${...} came into was looked at when the file was read.
static bool fits(const struct step_kind *kind, const cJSON *arg, cJSON *expanded,
                 struct buf *differences) {
    struct findings f = {0};
    if (vars_are_in(arg)) fit_step(kind->name, expanded, &f);
    for (size_t i = 0; i < f.count; i++)
        expect_differ(differences, "%s", f.list[i].text);
    return f.count == 0;
}

static void play(struct stage *s, const cJSON *arg, struct buf *differences) {
    const struct step_kind *kind = kind_of(arg);
    cJSON *expanded = NULL;
    struct error err;
    if (kind->expands_later)
        kind->play(s, arg, differences);
    else if (stage_expand(s, arg, &expanded, &err) != 0)
        expect_differ(differences, "%s", err.text);
    else if (fits(kind, arg, expanded, differences))
        kind->play(s, expanded, differences);
    cJSON_Delete(expanded);
}

// "a.yaml:12: ", or nothing where the step stands in no file.
static void add_place(const struct stage *s, const cJSON *step, struct buf *out) {
    unsigned line = yml_line(&s->source->file, step);
    if (line > 0) buf_addf(out, "%s:%u: ", s->source->path, line);
}

static int play_one(struct stage *s, const cJSON *step, const char *where, size_t index,
                    struct buf *failure) {
    struct buf differences = {0};
    play(s, step->child, &differences);
    if (differences.len == 0) return 0;
    char *asked = cJSON_PrintUnformatted(step->child);
    size_t len = strlen(asked), shown = text_cut(asked, len, ASKED_SHOWN);
    add_place(s, step, failure);
    buf_addf(failure, "%s[%zu].%s %.*s%s\n%s", where, index, step->child->string, (int)shown, asked,
             shown < len ? "..." : "", differences.data);
    cJSON_free(asked);
    buf_deinit(&differences);
    return ERROR_INPUT;
}

int steps_play_all(struct stage *s, const cJSON *steps, const char *where, struct buf *failure) {
    const cJSON *step;
    size_t index = 0;
    int rc = 0;
    if (cJSON_IsObject(steps)) return play_one(s, steps, where, 0, failure);
    cJSON_ArrayForEach(step, steps) {
        rc = play_one(s, step, where, index++, failure);
        if (rc != 0) break;
    }
    return rc;
}

int steps_check(struct stage *s, const cJSON *check, const char *where, bool strict,
                struct buf *failure) {
    bool can =
        programs_running(&s->programs, PROGRAM_SIMULATOR) &&
        (kind_of(check->child)->of_network || programs_running(&s->programs, PROGRAM_ORCHESTRATOR));
    if (!can && !strict) return 0;
    struct buf differences = {0};
    unsigned before, after;
    bool settled = programs_settled(&s->programs, &before);
    play(s, check->child, &differences);
    bool failed = differences.len > 0;
    // Who is told to end, or comes, cannot be asked; who runs has to answer.
    bool stayed = programs_settled(&s->programs, &after) && settled && before == after;
    if (failed && !strict && !stayed && strstr(differences.data, ": no answer: ") != NULL)
        failed = false;
    if (failed) add_place(s, check, failure);
    if (failed) buf_addf(failure, "%s.%s\n%s", where, check->child->string, differences.data);
    buf_deinit(&differences);
    return failed ? ERROR_INPUT : 0;
}

// --- help

void steps_write_help(struct buf *out) {
    buf_adds(out,
             "# Every kind of step, with what it does and an example. This is a valid scenario:\n"
             "# 'scenario steps >all.yaml; scenario check all.yaml'. "
             "spec/scenario.schema.json has all fields.\n"
             "name: one step of each kind\n"
             "steps:\n");
    for (size_t i = 0; i < COUNT(kinds); i++)
        buf_addf(out, "%s  # %s: %s.%s\n  - %s:%s", i == 0 ? "" : "\n", kinds[i]->name,
                 kinds[i]->help, kinds[i]->checks ? " It may stand in always, too." : "",
                 kinds[i]->name, kinds[i]->example);
}
