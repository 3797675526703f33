#include "scenarios/runner/outputs.h"

#include <stdio.h>
#include <string.h>

static bool passed(const struct run *run) {
    return strcmp(run_outcome(run), "pass") == 0;
}

static bool errored(const struct run *run) {
    return strcmp(run_outcome(run), "environment") == 0;
}

void output_replay(struct buf *out, const struct run *run) {
    buf_addf(out, "scenario run %s --seed %llu", run->scenario->path,
             (unsigned long long)run->seed);
    const char *values = strrchr(run->title, '(');
    if (run->values->child != NULL && values != NULL)
        buf_addf(out, " --filter '%.*s'", (int)strcspn(values, "#"), values);
}

// XML 1.0: five characters are written as entities, and control characters cannot be written.
static void add_xml(struct buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        case '\n':
            buf_adds(out, "&#10;");
            break;
        default:
            if ((unsigned char)*text >= 0x20)
                buf_add(out, text, 1);
            else
                buf_add(out, "?", 1);
        }
    }
}

static void add_attribute(struct buf *out, const char *name, const char *value) {
    buf_addf(out, " %s=\"", name);
    add_xml(out, value);
    buf_adds(out, "\"");
}

static void add_case(struct buf *out, const struct run *run) {
    char folder[256];
    const char *path = run->scenario->path, *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path),
             slash == NULL ? "." : path);
    buf_adds(out, "    <testcase");
    add_attribute(out, "name", run->title);
    add_attribute(out, "classname", folder);
    buf_addf(out, " time=\"%.3f\"", run->seconds);
    if (!run->over) {
        buf_adds(out, "><skipped/></testcase>\n");
    } else if (passed(run)) {
        buf_adds(out, "/>\n");
    } else {
        const char *element = errored(run) ? "error" : "failure";
        struct buf first = {0}, replay = {0};
        buf_add(&first, run_text(run), strcspn(run_text(run), "\n"));
        output_replay(&replay, run);
        buf_addf(out, ">\n      <%s", element);
        add_attribute(out, "message", first.data);
        add_attribute(out, "type", run_outcome(run));
        buf_adds(out, ">");
        add_xml(out, run_text(run));
        add_xml(out, "replay: ");
        add_xml(out, replay.data);
        buf_addf(out, "</%s>\n    </testcase>\n", element);
        buf_deinit(&first);
        buf_deinit(&replay);
    }
}

void output_junit(struct buf *out, const struct run *list, size_t count, double seconds) {
    size_t failures = 0, errors = 0, skipped = 0;
    for (size_t i = 0; i < count; i++) {
        failures += list[i].over && !passed(&list[i]) && !errored(&list[i]);
        errors += list[i].over && errored(&list[i]);
        skipped += !list[i].over;
    }
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    buf_addf(out,
             "  <testsuite name=\"scenarios\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
             "skipped=\"%zu\" time=\"%.3f\">\n",
             count, failures, errors, skipped, seconds);
    for (size_t i = 0; i < count; i++)
        add_case(out, &list[i]);
    buf_adds(out, "  </testsuite>\n</testsuites>\n");
}

void output_tap(struct buf *out, const struct run *list, size_t count) {
    buf_addf(out, "TAP version 13\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        const struct run *run = &list[i];
        if (!run->over) {
            buf_addf(out, "ok %zu - %s # SKIP not run\n", i + 1, run->title);
            continue;
        }
        buf_addf(out, "%sok %zu - %s\n", passed(run) ? "" : "not ", i + 1, run->title);
        if (passed(run)) continue;
        for (const char *line = run_text(run); *line != '\0';) {
            size_t len = strcspn(line, "\n");
            buf_addf(out, "# %.*s\n", (int)len, line);
            line += len + (line[len] == '\n');
        }
        buf_adds(out, "# replay: ");
        output_replay(out, run);
        buf_adds(out, "\n");
    }
}

void output_json(struct buf *out, const struct run *list, size_t count, double seconds) {
    cJSON *root = cJSON_CreateObject(), *runs = cJSON_AddArrayToObject(root, "runs");
    cJSON_AddNumberToObject(root, "seconds", seconds);
    for (size_t i = 0; i < count; i++) {
        const struct run *run = &list[i];
        cJSON *one = run->over ? cJSON_Duplicate(run->result, true) : cJSON_CreateObject();
        cJSON_AddStringToObject(one, "file", run->scenario->path);
        cJSON_AddStringToObject(one, "title", run->title);
        cJSON_AddItemToObject(one, "matrix", cJSON_Duplicate(run->values, true));
        cJSON_AddNumberToObject(one, "seed", (double)run->seed);
        cJSON_AddNumberToObject(one, "seconds", run->seconds);
        cJSON_AddItemToArray(runs, one);
    }
    char *text = cJSON_Print(root);
    buf_adds(out, text);
    buf_adds(out, "\n");
    cJSON_free(text);
    cJSON_Delete(root);
}
