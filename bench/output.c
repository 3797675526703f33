#include "bench/output.h"

#include "common/file.h"
#include "common/version.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static bool met(const struct bench_goal *goal) {
    return goal->at_least ? goal->measured >= goal->wanted : goal->measured <= goal->wanted;
}

static int write_file(const char *path, struct buf *text, struct error *err) {
    int rc = file_write(path, text, err);
    buf_deinit(text);
    return rc;
}

void output_terminal(const struct bench_result *result) {
    struct buf out = {0};
    for (size_t i = 0; i < result->tables_count; i++) {
        if (i > 0) buf_adds(&out, "\n");
        table_write(&result->tables[i], &out);
    }
    for (size_t i = 0; i < result->notes_count; i++)
        buf_addf(&out, "%s%s\n", i == 0 ? "\n" : "", result->notes[i]);
    for (size_t i = 0; i < result->goals_count; i++) {
        const struct bench_goal *goal = &result->goals[i];
        buf_addf(&out, "%s%s: %.4g%s (goal: %s %g)\n", i == 0 ? "\n" : "", goal->what,
                 goal->measured, goal->unit, goal->at_least ? "at least" : "at most", goal->wanted);
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_deinit(&out);
}

int output_csv(const struct bench_result *result, const char *path, struct error *err) {
    struct buf out = {0};
    for (size_t i = 0; i < result->tables_count; i++) {
        if (i > 0) buf_adds(&out, "\r\n");
        table_write_csv(&result->tables[i], &out);
    }
    return write_file(path, &out, err);
}

int output_json(const struct bench_result *result, const char *path, struct error *err) {
    cJSON *json = cJSON_CreateObject(), *tables = cJSON_AddArrayToObject(json, "tables");
    cJSON_AddStringToObject(json, "name", result->name);
    for (size_t i = 0; i < result->tables_count; i++)
        cJSON_AddItemToArray(tables, table_json(&result->tables[i]));
    cJSON *goals = cJSON_AddArrayToObject(json, "goals");
    for (size_t i = 0; i < result->goals_count; i++) {
        cJSON *goal = cJSON_CreateObject();
        cJSON_AddStringToObject(goal, "what", result->goals[i].what);
        cJSON_AddStringToObject(goal, "unit", result->goals[i].unit);
        cJSON_AddNumberToObject(goal, "wanted", result->goals[i].wanted);
        cJSON_AddNumberToObject(goal, "measured", result->goals[i].measured);
        cJSON_AddBoolToObject(goal, "met", met(&result->goals[i]));
        cJSON_AddItemToArray(goals, goal);
    }
    struct buf out = {0};
    char *text = cJSON_Print(json);
    buf_addf(&out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
    return write_file(path, &out, err);
}

// --- plots

enum { PANEL_WIDTH = 560 };

// With several panels gnuplot cannot plot again for another terminal: all is said twice.
static int plot(const struct bench_plot *plot, const char *folder, struct error *err) {
    const unsigned width = PANEL_WIDTH * plot->panels;
    FILE *gnuplot = popen("gnuplot", "we");
    if (gnuplot == NULL) return error_system(err, -errno, "gnuplot");
    fprintf(gnuplot,
            "set terminal svg size %u,480 font 'sans-serif,12' background 'white'\n"
            "set output '%s/%s.svg'\nset grid\n%s\nunset output\nreset\n"
            "set terminal pngcairo size %u,480 font 'sans-serif,10'\n"
            "set output '%s/%s.png'\nset grid\n%s\n",
            width, folder, plot->name, plot->script.data, width, folder, plot->name,
            plot->script.data);
    if (pclose(gnuplot) == 0) return 0;
    return error_set(err, "gnuplot could not plot %s (Debian's package is gnuplot-nox)",
                     plot->name);
}

int output_plots(const struct bench_result *result, const char *folder, struct error *err) {
    for (size_t i = 0; i < result->plots_count; i++) {
        int rc = plot(&result->plots[i], folder, err);
        if (rc != 0) return rc;
    }
    return 0;
}

// --- RESULTS.md

// Empty where the command says nothing.
static void first_line(const char *command, char *out, size_t size) {
    FILE *pipe = popen(command, "re");
    if (pipe == NULL || fgets(out, (int)size, pipe) == NULL) out[0] = '\0';
    if (pipe != NULL) pclose(pipe);
    out[strcspn(out, "\n")] = '\0';
}

static void write_machine(struct buf *out, double seconds) {
    char cpu[256], commit[128], compiler[128], date[32];
    struct utsname os;
    time_t now = time(NULL);
    uname(&os);
    os.release[strcspn(os.release, "-")] = '\0'; // what distributions append says little
    first_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", cpu, sizeof cpu);
    char changed[128];
    first_line("git describe --always --abbrev=12", commit, sizeof commit);
    first_line("git status --porcelain -- . ':!bench/RESULTS.md' ':!bench/plots'", changed,
               sizeof changed);
    first_line("gcc --version", compiler, sizeof compiler);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    buf_addf(out,
             "%s, version " PROJECT_VERSION ", commit %s%s, %s. %ld cores (%s), %s %s. "
             "%.0f seconds in all.\n\n",
             date, commit, *changed == '\0' ? "" : " with changes", compiler,
             sysconf(_SC_NPROCESSORS_ONLN), cpu, os.sysname, os.release, seconds);
}

static void write_goals(const struct bench_result *results, size_t count, struct buf *out) {
    buf_adds(out, "| what | measured | goal | |\n|---|---:|---:|---|\n");
    for (size_t i = 0; i < count; i++)
        for (size_t g = 0; g < results[i].goals_count; g++) {
            const struct bench_goal *goal = &results[i].goals[g];
            buf_addf(out, "| %s | %.4g%s | %s %g%s | %s |\n", goal->what, goal->measured,
                     goal->unit, goal->at_least ? "≥" : "≤", goal->wanted, goal->unit,
                     met(goal) ? "met" : "**missed**");
        }
    buf_adds(out, "\n");
}

static void write_section(const struct bench_result *result, struct buf *out) {
    buf_addf(out, "## %s\n\n    %s\n\n", result->name, result->command);
    for (size_t i = 0; i < result->tables_count; i++) {
        table_write_markdown(&result->tables[i], out);
        buf_adds(out, "\n");
    }
    for (size_t i = 0; i < result->notes_count; i++)
        buf_addf(out, "%s\n\n", result->notes[i]);
    for (size_t i = 0; i < result->plots_count; i++)
        buf_addf(out, "![%s](plots/%s.svg)\n\n", result->plots[i].name, result->plots[i].name);
}

int output_markdown(const struct bench_result *results, size_t count, const char *folder,
                    double seconds, struct error *err) {
    char path[512];
    struct buf out = {0};
    buf_adds(&out, "# Results\n\nWritten by `make bench`; do not edit. Ratios are measured side by "
                   "side in one run.\n\n");
    write_machine(&out, seconds);
    write_goals(results, count, &out);
    for (size_t i = 0; i < count; i++)
        write_section(&results[i], &out);
    snprintf(path, sizeof path, "%s/RESULTS.md", folder);
    while (out.len > 1 && out.data[out.len - 2] == '\n') // one newline at the end
        out.len--;
    return write_file(path, &out, err);
}
