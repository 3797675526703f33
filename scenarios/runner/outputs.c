#include "scenarios/runner/outputs.h"

#include "common/count.h"
#include "common/xml.h"

#include <string.h>

static bool passed(const struct run *run) {
    return strcmp(run_outcome(run), "pass") == 0;
}

static bool errored(const struct run *run) {
    return strcmp(run_outcome(run), "environment") == 0;
}

void output_word(const char *word, struct buf *out) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        buf_adds(out, word);
        return;
    }
    buf_adds(out, "'");
    for (; *word != '\0'; word++)
        buf_addf(out, *word == '\'' ? "'\\%c'" : "%c", *word);
    buf_adds(out, "'");
}

void output_replay(const char *command, const struct run *run, struct buf *out) {
    struct buf values = {0};
    buf_addf(out, "%s ", command);
    output_word(run->scenario->path, out);
    buf_addf(out, " --seed %llu", (unsigned long long)run->seed);
    run_add_values(run, &values);
    if (values.len > 0) {
        buf_adds(out, " --filter ");
        output_word(values.data, out);
    }
    buf_deinit(&values);
}

static void add_attribute(struct buf *out, const char *name, const char *value) {
    buf_addf(out, " %s=\"", name);
    xml_add(out, value);
    buf_adds(out, "\"");
}

// Whether a line only says where something was not as expected.
static bool is_place(const struct run *run, const char *line) {
    static const char *const starts[] = {"during the run: ", "always", "branch "};
    size_t len = strlen(run->scenario->path);
    if (strncmp(line, run->scenario->path, len) == 0 && line[len] == ':') return true;
    for (size_t i = 0; i < COUNT(starts); i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

// The first difference: what a list of failures is to show.
static void add_difference(const struct run *run, struct buf *out) {
    const char *line = run_text(run);
    size_t len = strcspn(line, "\n");
    while (is_place(run, line) && line[len] != '\0') {
        line += len + 1;
        len = strcspn(line, "\n");
    }
    size_t indent = strspn(line, " ");
    buf_add(out, line + indent, len - indent);
}

static void add_failure(const char *command, const struct run *run, struct buf *out) {
    const char *element = errored(run) ? "error" : "failure", *text = run_text(run);
    struct buf first = {0}, replay = {0};
    buf_adds(&first, "");
    add_difference(run, &first);
    output_replay(command, run, &replay);
    buf_addf(out, ">\n      <%s", element);
    add_attribute(out, "message", first.data);
    add_attribute(out, "type", run_outcome(run));
    buf_adds(out, ">");
    xml_add(out, text);
    xml_add(out, "replay: ");
    xml_add(out, replay.data);
    buf_addf(out, "</%s>\n    </testcase>\n", element);
    buf_deinit(&first);
    buf_deinit(&replay);
}

static void add_case(const char *command, const struct run *run, struct buf *out) {
    const char *path = run->scenario->path, *slash = strrchr(path, '/');
    struct buf folder = {0};
    buf_add(&folder, slash == NULL ? "." : path, slash == NULL ? 1 : (size_t)(slash - path));
    buf_adds(out, "    <testcase");
    add_attribute(out, "name", run->title);
    add_attribute(out, "classname", folder.data);
    buf_addf(out, " time=\"%.3f\"", run->seconds);
    if (!run->over)
        buf_adds(out, "><skipped/></testcase>\n");
    else if (passed(run))
        buf_adds(out, "/>\n");
    else
        add_failure(command, run, out);
    buf_deinit(&folder);
}

void output_junit(const struct outputs *o, struct buf *out) {
    size_t failures = 0, errors = 0, skipped = 0;
    for (size_t i = 0; i < o->count; i++) {
        const struct run *run = &o->list[i];
        failures += run->over && !passed(run) && !errored(run);
        errors += run->over && errored(run);
        skipped += !run->over;
    }
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    buf_addf(out,
             "  <testsuite name=\"scenarios\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
             "skipped=\"%zu\" time=\"%.3f\">\n",
             o->count, failures, errors, skipped, o->seconds);
    for (size_t i = 0; i < o->count; i++)
        add_case(o->command, &o->list[i], out);
    buf_adds(out, "  </testsuite>\n</testsuites>\n");
}

// A title stays on its line, and no # in it begins a directive.
static void add_tap_title(const char *title, struct buf *out) {
    for (; *title != '\0'; title++) {
        if (*title == '#' || *title == '\\') buf_adds(out, "\\");
        buf_addf(out, "%c", (unsigned char)*title < 0x20 ? ' ' : *title);
    }
}

static void add_tap(size_t number, const char *command, const struct run *run, struct buf *out) {
    bool ok = !run->over || passed(run);
    buf_addf(out, "%s %zu - ", ok ? "ok" : "not ok", number);
    add_tap_title(run->title, out);
    buf_adds(out, run->over ? "\n" : " # SKIP not played\n");
    if (ok) return;
    for (const char *line = run_text(run); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        buf_addf(out, "# %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    buf_adds(out, "# replay: ");
    output_replay(command, run, out);
    buf_adds(out, "\n");
}

void output_tap(const struct outputs *o, struct buf *out) {
    buf_addf(out, "TAP version 13\n1..%zu\n", o->count);
    for (size_t i = 0; i < o->count; i++)
        add_tap(i + 1, o->command, &o->list[i], out);
}

void output_json(const struct outputs *o, struct buf *out) {
    cJSON *root = cJSON_CreateObject(), *runs = cJSON_AddArrayToObject(root, "runs");
    cJSON_AddNumberToObject(root, "seconds", o->seconds);
    for (size_t i = 0; i < o->count; i++) {
        const struct run *run = &o->list[i];
        cJSON *one = run->over ? cJSON_Duplicate(run->result, true) : cJSON_CreateObject();
        if (!run->over) cJSON_AddStringToObject(one, "outcome", "not played");
        cJSON_AddStringToObject(one, "file", run->scenario->path);
        cJSON_AddStringToObject(one, "title", run->title);
        cJSON_AddItemToObject(one, "matrix", cJSON_Duplicate(run->values, true));
        cJSON_AddNumberToObject(one, "seed", (double)run->seed);
        cJSON_AddNumberToObject(one, "repetition", run->repetition + 1);
        cJSON_AddNumberToObject(one, "seconds", run->seconds);
        cJSON_AddItemToArray(runs, one);
    }
    char *text = cJSON_Print(root);
    buf_adds(out, text);
    buf_adds(out, "\n");
    cJSON_free(text);
    cJSON_Delete(root);
}
